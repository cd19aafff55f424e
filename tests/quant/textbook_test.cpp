// The formulas that people come to try, each as the JSON that says it and as the arithmetic that it means.
#include <doctest/doctest.h>

#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

const Tensor kW = random_normal({1000}, Key(42), DType::f64);

std::vector<double> seen(const Tensor& x, std::string_view json) { return numbers_of(quantized(x, quantizer(json), 0, {})); }

// Every element is f(w), to f32 accuracy of scale and offset.
template <class F>
void check_formula(const Tensor& w, std::string_view json, F f) {
  CAPTURE(json);
  const std::vector<double> q = seen(w, json), in = numbers_of(w);
  double most = 0;
  for (size_t i = 0; i < in.size(); ++i) most = std::max(most, std::abs(q[i] - f(in[i])));
  CHECK(most < 1e-5);
}

double mean_of(const Tensor& t) {
  double sum = 0;
  for (double v : numbers_of(t)) sum += v;
  return sum / static_cast<double>(t.size());
}
double low_of(const Tensor& t) { return std::ranges::min(numbers_of(t)); }
double high_of(const Tensor& t) { return std::ranges::max(numbers_of(t)); }

}  // namespace

TEST_CASE("w 2^-k: an integer times a power of two") {
  check_formula(kW, R"({"format": "int8", "scale": {"fixed": {"value": 0.03125}}})",
                [](double w) { return std::clamp(std::nearbyint(w * 32), -128.0, 127.0) / 32; });
}

TEST_CASE("round(w Q), and the same after standardizing w") {
  check_formula(kW, R"({"format": "int16", "scale": {"fixed": {"value": 0.01}}})",
                [](double w) { return std::nearbyint(w * 100) / 100; });
  const double mean = mean_of(kW);
  double variance = 0;
  for (double w : numbers_of(kW)) variance += (w - mean) * (w - mean) / 1000;
  const double deviation = std::sqrt(variance);
  check_formula(kW, R"({"format": "int16", "offset": "mean", "scale": {"deviation": {"factor": 0.01}}})",
                [&](double w) { return mean + deviation * std::nearbyint((w - mean) / deviation * 100) / 100; });
}

TEST_CASE("round(x 2^10): fixed point with 10 fraction bits, which is not half precision") {
  check_formula(kW, R"({"format": "q5.10"})", [](double x) { return std::nearbyint(x * 1024) / 1024; });
  const Tensor small = Tensor::of<float>({1}, {0.0001f}), large = Tensor::of<float>({1}, {1000});
  CHECK(seen(small, R"({"format": "q5.10"})")[0] == 0);  // half precision has 0.0001 to 11 bits
  CHECK(seen(small, R"({"format": "f16"})")[0] == doctest::Approx(0.0001).epsilon(0.001));
  CHECK(seen(large, R"({"format": "q5.10"})")[0] == 32 - 1.0 / 1024);
  CHECK(seen(large, R"({"format": "f16"})")[0] == 1000);
}

TEST_CASE("floor(x S + B) and its inverse (q - B) / S") {
  const double S = 20, B = 128;
  check_formula(
      kW,
      R"({"format": "uint8", "rounding": "floor", "scale": {"fixed": {"value": 0.05}}, "offset": {"fixed": {"value": -6.4}}})",
      [=](double x) { return (std::clamp(std::floor(x * S + B), 0.0, 255.0) - B) / S; });
}

TEST_CASE("affine: scale and zero point from min and max") {
  const double s = (high_of(kW) - low_of(kW)) / 255, z = std::nearbyint(-low_of(kW) / s);
  check_formula(kW, R"({"format": "uint8", "zero_point": true})",
                [=](double x) { return s * (std::clamp(std::nearbyint(x / s) + z, 0.0, 255.0) - z); });
}

TEST_CASE("mean-bias: mu + delta round((w - mu) / delta)") {
  const double mu = mean_of(kW);
  check_formula(kW, R"({"format": "int8", "offset": "mean", "scale": {"fixed": {"value": 0.5}}})",
                [=](double w) { return mu + 0.5 * std::nearbyint((w - mu) / 0.5); });
}

TEST_CASE("global mean: delta round(w / delta), delta the mean magnitude") {
  double delta = 0;
  for (double w : numbers_of(kW)) delta += std::abs(w) / 1000;
  check_formula(kW, R"({"format": "int8", "scale": "mean_abs"})", [=](double w) { return delta * std::nearbyint(w / delta); });
}

TEST_CASE("min/max in n bits, with 2^n - 1 and with 2^n steps") {
  const double low = low_of(kW), high = high_of(kW);
  const double s15 = (high - low) / 15, s16 = (high - low) / 16;
  check_formula(kW, R"({"format": "uint4", "offset": "min"})",
                [=](double w) { return low + s15 * std::nearbyint((w - low) / s15); });
  check_formula(kW, R"({"format": "uint4", "offset": "min", "rounding": "floor", "scale": {"absmax": {"steps": "2^n"}}})",
                [=](double w) { return low + s16 * std::min(15.0, std::floor((w - low) / s16 + 1e-9)); });
}

TEST_CASE("three roundings and their bias: half away and half even have none on even data, ties apart; floor has half a step") {
  const Tensor even = random_uniform({20000}, Key(9), -8, 8, DType::f64);
  const auto bias = [](const Tensor& x, const char* rounding) {
    const std::string json = fmt::format(R"({{"format": "int8", "scale": "fixed", "rounding": "{}"}})", rounding);
    double sum = 0;
    for (double v : seen(x, json)) sum += v;
    return sum / static_cast<double>(x.size()) - mean_of(x);
  };
  CHECK(std::abs(bias(even, "nearest_away")) < 0.01);
  CHECK(std::abs(bias(even, "nearest_even")) < 0.01);
  CHECK(bias(even, "floor") == doctest::Approx(-0.5).epsilon(0.02));
  // Positive ties: half away is biased upward by half a step, half even is not.
  const Tensor ties = tensor_of({100}, DType::f64, [](uint64_t i) { return static_cast<double>(i) + 0.5; });
  CHECK(bias(ties, "nearest_away") == 0.5);
  CHECK(bias(ties, "nearest_even") == 0);
  CHECK(bias(ties, "floor") == -0.5);
}
