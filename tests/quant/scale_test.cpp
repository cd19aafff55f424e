// Scale rules: what they measure, and how a grid is laid on it.
#include <doctest/doctest.h>

#include "lptrain/quant/quantize.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

Fit fit_of(const Quantizer& q, const Tensor& x, int axis = -1) { return fit_to(x, q, axis); }
double scale_of(std::string_view json, const Tensor& x) { return fit_of(quantizer(json), x).scale.item(); }

const Tensor kX = Tensor::of<float>({2, 3}, {-6, 1, 2, 3, -0.5f, 0});

}  // namespace

TEST_CASE("each rule measures what it says") {
  CHECK(scale_of(R"({"format": "int8", "narrow": true})", kX) == doctest::Approx(6.0 / 127));
  CHECK(scale_of(R"({"format": "int8", "scale": "ema"})", kX) == doctest::Approx(6.0 / 127));
  CHECK(scale_of(R"({"format": "e4m3", "scale": "absmax"})", kX) == doctest::Approx(6.0 / 448));
  CHECK(scale_of(R"({"format": "binary"})", kX) == doctest::Approx(12.5 / 6));
  CHECK(scale_of(R"({"format": "ternary", "scale": {"mean_abs": {"factor": 2}}})", kX) == doctest::Approx(2 * 12.5 / 6));
  CHECK(scale_of(R"({"format": "int8", "scale": {"fixed": {"value": 0.125}}})", kX) == 0.125);
  CHECK(scale_of(R"({"format": "q3.4"})", kX) == 1);
  CHECK(scale_of(R"({"format": "int4", "scale": "learned"})", kX) == doctest::Approx(2 * 12.5 / 6 / std::sqrt(7.0)));
}

TEST_CASE("per channel, each index of the axis has its own") {
  const Quantizer q = quantizer(R"({"format": "int8", "narrow": true, "per": "channel"})");
  const Tensor rows = fit_of(q, kX, 0).scale, columns = fit_of(q, kX, -1).scale;
  CHECK(rows.shape() == Shape{2});
  CHECK(rows.data<float>()[1] == doctest::Approx(3.0 / 127));
  CHECK(columns.shape() == Shape{3});
  CHECK(columns.data<float>()[2] == doctest::Approx(2.0 / 127));
}

TEST_CASE("a channel of zeros does not stand out, and zeros alone have scale 1") {
  const Quantizer q = quantizer(R"({"format": "int8", "narrow": true, "per": "channel"})");
  const Tensor scale = fit_of(q, Tensor::of<float>({3, 1}, {0.127f, 0, 0.0127f}), 0).scale;
  CHECK(scale.data<float>()[1] == scale.data<float>()[0]);
  CHECK(fit_of(q, Tensor::zeros({3, 1}), 0).scale.data<float>()[1] == 1);
}

TEST_CASE("affine: the grid covers [min, max] and 0, and zero is exact") {
  for (const char* format : {"uint8", "int8", "int4", "uint3"})
    for (const auto& ends : {std::pair(-1.0, 3.0), {0.5, 3.0}, {-4.0, -1.0}, {-1e-6, 1e6}, {0.0, 0.0}, {-3e38, 3e38}}) {
      const double low = ends.first, high = ends.second;
      const Quantizer q = quantizer(fmt::format(R"({{"format": "{}", "zero_point": true}})", format));
      CAPTURE(format);
      CAPTURE(low);
      const Fit f = fit_of(q, Tensor::of<float>({2}, {static_cast<float>(low), static_cast<float>(high)}));
      const double s = f.scale.item(), z = f.zero_point;
      CHECK(z >= q.ends().low);
      CHECK(z <= q.ends().high);
      CHECK(s > 0);
      CHECK(std::isfinite(s));
      CHECK((q.ends().low - z - 0.5001) * s <= std::min(low, 0.0));  // the ends are at most half a step away
      CHECK((q.ends().high - z + 0.5001) * s >= std::max(high, 0.0));
    }
}

TEST_CASE("absmax never clips: the largest element comes back within half a step, whatever its size") {
  for (const char* json :
       {R"({"format": "int8"})", R"({"format": "int4", "narrow": true})", R"({"format": "e4m3", "scale": "absmax"})",
        R"({"format": "uint8"})", R"({"format": "q0.7", "scale": "absmax"})"})
    for (uint64_t i = 0; i < 300; ++i) {
      const Quantizer q = quantizer(json);
      const float most = std::ldexp(Key(1).uniform(i) + 0.5f, static_cast<int>(i % 60) - 30);
      const Tensor x = Tensor::of<float>({2}, {most / 3, most}), y = quantized(x, q, 0, {});
      CHECK(std::abs(y.data<float>()[1] - most) <= 1e-6 * most);
    }
}

TEST_CASE("ema blends, NaN stays visible") {
  const Quantizer q = quantizer(R"({"format": "int8", "scale": {"ema": {"decay": 0.9}}})");
  const Extent old{Tensor::full({1}, -1), Tensor::full({1}, 1)}, now{Tensor::full({1}, -2), Tensor::full({1}, 3)};
  const Extent mixed = q.rule().blend(old, now);
  CHECK(mixed.low.item() == doctest::Approx(-1.1));
  CHECK(mixed.high.item() == doctest::Approx(1.2));
  const Tensor bad = Tensor::of<float>({2}, {1, std::numeric_limits<float>::quiet_NaN()});
  for (const char* json : {R"({"format": "int8"})", R"({"format": "uint8", "zero_point": true})", R"({"format": "binary"})"})
    CHECK(std::isnan(scale_of(json, bad)));
}

TEST_CASE("widest keeps the widest extent so far, of any rule") {
  const Quantizer q = quantizer(R"({"format": "int8", "scale": "widest"})");
  const Extent first = measure(Tensor::of<float>(Shape{2}, {-1, 6}), q, 0),
               second = measure(Tensor::of<float>(Shape{2}, {-8, 2}), q, 0);
  for (const Extent& e : {q.rule().blend(first, second), q.rule().blend(second, first)}) {
    CHECK(e.low.data<float>()[0] == -8);
    CHECK(e.high.data<float>()[0] == 8);
  }
  const Quantizer affine = quantizer(R"({"format": "uint8", "zero_point": true, "scale": {"widest": {"of": "absmax"}}})");
  const Extent both = affine.rule().blend(measure(Tensor::of<float>(Shape{2}, {-1, 6}), affine, 0),
                                          measure(Tensor::of<float>(Shape{2}, {-8, 2}), affine, 0));
  CHECK(both.low.data<float>()[0] == -8);
  CHECK(both.high.data<float>()[0] == 6);
}
