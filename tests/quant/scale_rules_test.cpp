// Each scale rule against its definition, spelled out number by number.
#include <doctest/doctest.h>

#include <algorithm>

#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

Fit fit_of(std::string_view json, const Tensor& x) { return fit_to(x, quantizer(json), -1); }
double scale_of(std::string_view json, const Tensor& x) { return fit_of(json, x).scale.item(); }

// sum (x - q(x))^2
double error_with(std::string_view json, const Tensor& x) {
  const Tensor y = quantized(x, quantizer(json), -1, {});
  return sum_of_squares(zip(x, y, [](auto a, auto b) { return a - b; }));
}

// n normal numbers and one outlier.
Tensor with_outlier(int64_t n, double outlier) {
  return tensor_of({n}, DType::f32, [=](uint64_t i) { return i == 17 ? outlier : Key(11).normal(i); });
}

}  // namespace

TEST_CASE("absmax: 2^n - 1 steps between codes, or 2^n steps of codes") {
  const Tensor x = Tensor::of<float>({4}, {-1, 0.25f, 1, 2});
  CHECK(scale_of(R"({"format": "int4", "narrow": true})", x) == doctest::Approx(2.0 / 7));
  CHECK(scale_of(R"({"format": "int4", "scale": {"absmax": {"steps": "2^n"}}})", x) == 0.25);  // 16 steps for [-2, 2)
  CHECK(scale_of(R"({"format": "uint4", "offset": "min"})", x) == doctest::Approx(3.0 / 15));
  CHECK(scale_of(R"({"format": "uint4", "offset": "min", "scale": {"absmax": {"steps": "2^n"}}})", x) ==
        doctest::Approx(3.0 / 16));
}

TEST_CASE("mean_above: TWN's scale and threshold (Li & Liu 2016, eqs. 5 and 6)") {
  const Tensor w = Tensor::of<float>({6}, {1, -2, 0.3f, 0.1f, -0.5f, 0.9f});  // mean |w| = 0.8, threshold 0.56
  constexpr const char* kTwn =
      R"({"format": "ternary", "scale": {"mean_above": {"factor": 0.7}}, "decision": {"mean_abs": {"factor": 1.4}}})";
  const Fit f = fit_of(kTwn, w);
  const double alpha = (1 + 2 + 0.9) / 3;
  CHECK(f.scale.item() == doctest::Approx(alpha));
  CHECK(f.decision.item() == doctest::Approx(2 * 0.56));
  const std::vector<double> q = numbers_of(quantized(w, quantizer(kTwn), 0, {}));
  const double signs[] = {1, -1, 0, 0, 0, 1};
  for (size_t i = 0; i < 6; ++i) CHECK(q[i] == doctest::Approx(alpha * signs[i]));
}

TEST_CASE("deviation: the standard deviation, whatever the mean") {
  const Tensor x = Tensor::of<float>({4}, {11, 13, 11, 13});
  CHECK(scale_of(R"({"format": "int8", "scale": {"deviation": {"factor": 0.5}}})", x) == doctest::Approx(0.5));
}

TEST_CASE("percentile: the order statistic, at both ends if affine") {
  const Tensor x =
      tensor_of({1000}, DType::f32, [](uint64_t i) { return static_cast<double>((i * 7) % 1000 + 1); });  // 1 .. 1000
  CHECK(scale_of(R"({"format": "int8", "narrow": true, "scale": {"percentile": {"percent": 90}}})", x) ==
        doctest::Approx(900.0 / 127));
  CHECK(scale_of(R"({"format": "int8", "narrow": true, "scale": {"percentile": {"percent": 100}}})", x) ==
        doctest::Approx(1000.0 / 127));
  const Tensor y = map(x, [](auto v) { return v - 500; });
  const Fit f = fit_of(R"({"format": "uint8", "zero_point": true, "scale": {"percentile": {"percent": 90}}})", y);
  CHECK(f.scale.item() == doctest::Approx(800.0 / 255));  // from -400 to 400
}

TEST_CASE("mse: no even part of the largest magnitude has a smaller squared error") {
  const Tensor x = with_outlier(500, 12);
  const Quantizer plain = quantizer(R"({"format": "int4", "narrow": true})");
  const double chosen = error_with(R"({"format": "int4", "narrow": true, "scale": {"mse": {"candidates": 50}}})", x);
  double least = 1e300;
  for (int i = 1; i <= 50; ++i)
    least =
        std::min(least, error_with(fmt::format(R"({{"format": "int4", "narrow": true, "scale": {{"fixed": {{"value": {}}}}}}})",
                                               static_cast<double>(static_cast<float>(12 * (i / 50.0)) / 7)),
                                   x));
  CHECK(chosen == doctest::Approx(least).epsilon(1e-4));
  CHECK(chosen < 0.7 * error_with(R"({"format": "int4", "narrow": true})", x));
}

TEST_CASE("mse per channel: each its own") {
  const Tensor x = tensor_of({200, 2}, DType::f32, [](uint64_t i) { return (i % 2 ? 100 : 1) * Key(3).normal(i); });
  const Fit f = fit_of(R"({"format": "int3", "scale": "mse", "per": "channel"})", x);
  CHECK(f.scale.data<float>()[1] / f.scale.data<float>()[0] == doctest::Approx(100).epsilon(0.3));
}

TEST_CASE("kl: an outlier does not stretch the grid, even numbers do") {
  const double all = scale_of(R"({"format": "int8", "narrow": true})", with_outlier(20000, 40));
  const double cut = scale_of(R"({"format": "int8", "narrow": true, "scale": "kl"})", with_outlier(20000, 40));
  CHECK(cut < 0.3 * all);
  CHECK(cut * 127 > 2.5);  // but the bulk stays
  const Tensor even = random_uniform({20000}, Key(5), -1, 1);
  CHECK(scale_of(R"({"format": "int8", "narrow": true, "scale": "kl"})", even) * 127 > 0.95);
}

TEST_CASE("least squares: at its end the residual is orthogonal to the codes and, with an offset, has mean 0") {
  const Tensor x = tensor_of({2000}, DType::f64, [](uint64_t i) { return 3 + Key(6).normal(i); });
  constexpr const char* kFit =
      R"({"format": "int4", "offset": "mean", "scale": {"least_squares": {"iterations": 500, "tolerance": 0}}})";
  const Fit f = fit_of(kFit, x);
  const Tensor q = quantized(x, quantizer(kFit), 0, {});
  double sum = 0, product = 0, codes = 0;
  for (size_t i = 0; i < 2000; ++i) {
    const double r = x.data<double>()[i] - q.data<double>()[i], v = (q.data<double>()[i] - f.offset.item()) / f.scale.item();
    sum += r, product += r * v, codes += v * v;
  }
  CHECK(std::abs(sum) < 1e-3);
  CHECK(std::abs(product / codes) < 1e-5);
  CHECK(sum_of_squares(zip(x, q, [](auto a, auto b) { return a - b; })) <
        error_with(R"({"format": "int4", "offset": "mean"})", x));
}

TEST_CASE("overflow_rate: the range moves as Courbariaux, Bengio & David 2015 say, step by step") {
  const Quantizer q = quantizer(R"({"format": "int8", "scale": {"overflow_rate": {"rate": 0.01}}})");
  Extent state;
  double range = 0;
  for (uint64_t step = 0; step < 40; ++step) {
    const double size = step < 15 ? 1 : step < 25 ? 30 : 0.1;
    const Tensor x = tensor_of({1000}, DType::f32, [=](uint64_t i) { return size * Key(step).normal(i); });
    const Extent now = measure(x, q, -1);
    const auto rate = [&](double from) {
      double n = 0;
      for (double v : numbers_of(x)) n += std::abs(v) >= from;
      return n / 1000;
    };
    if (step == 0) {
      state = now;
      range = state.high.item() * 128 / 127;
      CHECK(rate(range) <= 0.01);
      CHECK(rate(range / 2) > 0.01);
    } else {
      range = rate(range) > 0.01 ? 2 * range : rate(range / 2) > 0.01 ? range : range / 2;
      state = q.rule().blend(state, now);
    }
    CHECK(state.high.item() * 128 / 127 == doctest::Approx(range));
    CHECK(fit(state, q).scale.item() == range / 128);  // a power of two
  }
}

TEST_CASE("ema may average any rule's extents, offsets too") {
  const Tensor x = tensor_of({100}, DType::f32, [](uint64_t i) { return static_cast<double>(i + 1); });
  const Quantizer q = quantizer(
      R"({"format": "uint8", "offset": "min", "scale": {"ema": {"decay": 0.5, "of": {"percentile": {"percent": 50}}}}})");
  const Extent first = measure(x, q, -1), second = measure(scaled(x, 3), q, -1), mixed = q.rule().blend(first, second);
  CHECK(first.offset.item() == 1);
  CHECK(first.high.item() == 49);
  CHECK(mixed.offset.item() == 2);
  CHECK(mixed.high.item() == 98);
}

TEST_CASE("scales are rounded to their own format, and never to 0") {
  const Tensor x = Tensor::of<float>({4}, {100, 1e-12f, 3, 0});
  const Fit f = fit_of(R"({"format": "int8", "narrow": true, "per": "block:1", "scale_format": "e8m0"})", x);
  CHECK(f.scale.data<float>()[0] == 1);  // 100 / 127 = 0.79
  CHECK(f.scale.data<float>()[2] == 0x1p-5f);
  const Fit g = fit_of(R"({"format": "int8", "narrow": true, "per": "block:1", "scale_format": "e4m3"})", x);
  CHECK(g.scale.data<float>()[0] == doctest::Approx(100.0 / 127));
  CHECK(g.scale.data<float>()[1] == doctest::Approx(100.0 / 127 / 448 * 0x1p-9));
  CHECK(g.scale.data<float>()[2] == doctest::Approx(100.0 / 127 / 448 * 13));  // 13.44 between 13 and 14
}

TEST_CASE("pow2: to the nearest on a scale of logarithms, and with bits dropped besides (WAGE: Wu et al. 2018, eq. 7)") {
  for (const double most : {0.3, 0.7, 0.7072, 1.0, 1.41, 1.42, 100.0, 3e-9}) {
    CAPTURE(most);
    const Tensor x = Tensor::of<float>({2}, {0.1f * static_cast<float>(most), -static_cast<float>(most)});
    const double shift = std::exp2(std::round(std::log2(static_cast<double>(static_cast<float>(most)))));
    CHECK(scale_of(R"({"format": "int8", "narrow": true, "scale": {"pow2": {"rule": "nearest"}}})", x) == shift / 128);
    const double reach = scale_of(R"({"format": "int8", "narrow": true, "scale": {"pow2": {"rule": "reach"}}})", x);
    CHECK(scale_of(R"({"format": "int8", "narrow": true, "scale": {"pow2": {"rule": "reach", "shift": 5}}})", x) == 32 * reach);
  }
}

TEST_CASE("layer_shift: a power of two from the shape alone, alike in all widths") {
  for (const int64_t fan_in : {1, 6, 9, 24, 54, 288, 784, 12544})
    for (const double gain : {1.0, 1 / 0.75, 2.0}) {
      CAPTURE(fan_in);
      CAPTURE(gain);
      const double root = gain * std::sqrt(3.0 / static_cast<double>(fan_in)),
                   end = std::exp2(std::floor(std::log2(root) + 0.5 + 1e-12));
      const Tensor w = random_normal({3, fan_in}, Key(4));
      for (const auto& each : {std::pair{"int8", 128.0}, {"int16", 32768.0}, {"int2", 2.0}}) {
        const std::string json =
            fmt::format(R"({{"format": "{}", "narrow": true, "scale": {{"layer_shift": {{"gain": {}}}}}}})", each.first, gain);
        CHECK(scale_of(json, w) == end / each.second);
        CHECK(scale_of(json, Tensor::zeros(w.shape())) == end / each.second);
      }
    }
}

TEST_CASE("within_error: the step's error is the one that is allowed, and a wider step has a larger one") {
  const Tensor x = with_outlier(4000, 3);
  double before = 1e9;
  for (const double allowed : {1e-2, 1e-3, 1e-4, 1e-5}) {
    CAPTURE(allowed);
    const std::string rule = fmt::format(R"("within_error": {{"error": {}}})", allowed);
    const auto error = [&](const std::string& scale) {
      return error_with(fmt::format(R"({{"format": "int16", "offset": "mean", "scale": {{{}}}}})", scale), x) / 4000;
    };
    const double step = scale_of(fmt::format(R"({{"format": "int16", "offset": "mean", "scale": {{{}}}}})", rule), x);
    CHECK(error(rule) <= allowed);
    CHECK(error(fmt::format(R"("fixed": {{"value": {}}})", 1.02 * step)) > allowed);
    CHECK(step == doctest::Approx(std::sqrt(12 * allowed)).epsilon(0.05));  // errors of narrow steps are uniform
    CHECK(step < before);
    before = step;
  }
  CHECK(scale_of(R"({"format": "int4", "narrow": true, "scale": {"within_error": {"error": 1e-9}}})", x) ==
        doctest::Approx(scale_of(R"({"format": "int4", "narrow": true})", x)));  // no step of 4 bits is so fine
  CHECK(scale_of(R"({"format": "int8", "scale": "within_error"})", Tensor::zeros({5})) >= 0);
}
