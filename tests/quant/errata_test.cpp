// Printed rules that are wrong: how each fails, and the quantizer that is right. configs/examples/errata runs both.
#include <doctest/doctest.h>

#include <set>

#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

const Tensor kW = random_normal({1000}, Key(1), DType::f64);

std::vector<double> literal(std::string_view rule, double step, const Tensor& x = kW) {
  const Quantizer q =
      quantizer(fmt::format(R"({{"format": "int8", "scale": {{"errata": {{"rule": "{}", "step": {}}}}}}})", rule, step));
  return numbers_of(q.rule().apply(Var(x), Var(), q).tensor());
}
std::vector<double> right(std::string_view json, const Tensor& x = kW) {
  return numbers_of(quantized(x, quantizer(json), 0, {}));
}

double squared_error(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

TEST_CASE("the mean-bias update w = wq + delta sign(w - wq) moves to the farther neighbour") {
  const std::vector<double> w = numbers_of(kW);
  const double before = squared_error(w, right(R"({"format": "int8", "offset": "mean", "scale": {"fixed": {"value": 0.5}}})"));
  const std::vector<double> updated = literal("farther_neighbour", 0.5);
  CHECK(before == doctest::Approx(1000 * 0.25 / 12).epsilon(0.1));  // 20.8
  CHECK(squared_error(w, updated) == doctest::Approx(145.8).epsilon(0.1));
  // From then on w lies on the grid: the error that is printed, to the new w, is 0, as if it had converged.
  double mu = 0, printed = 0;
  for (double v : w) mu += v / 1000;
  for (double v : updated) printed += std::pow(v - (mu + 0.5 * std::round((v - mu) / 0.5)), 2);
  CHECK(printed < 1e-20);
  // Right: mu and delta by alternating least squares, in 4 bits (delta 0.5 needs 12 levels here).
  CHECK(squared_error(w, right(R"({"format": "int4", "offset": "mean", "scale": "least_squares"})")) < before);
}

TEST_CASE("scale 2^32 / (max - min) without rounding: not 8 bits, not even 32; nothing is quantized") {
  const std::vector<double> y = literal("unrounded_32_bits", 1);
  CHECK(squared_error(y, numbers_of(kW)) < 1e-20);
  CHECK(std::set<double>(y.begin(), y.end()).size() > 900);
  CHECK((0.5 - (1.0 + -1.0) / 2) * (0x1p32 / (1 - -1)) == 0x1p30);  // the code of 0.5 in [-1, 1]: not 2^29, and no 8-bit code
  const std::vector<double> q = right(R"({"format": "uint8", "offset": "min"})");
  CHECK(std::set<double>(q.begin(), q.end()).size() <= 256);
  const auto [low, high] = std::ranges::minmax(numbers_of(kW));
  for (size_t i = 0; i < q.size(); ++i) CHECK(std::abs(q[i] - kW.data<double>()[i]) <= (high - low) / 255 * 0.5001);
}

TEST_CASE("round(x / step) 2^n in place of round(x / step) step: codes in the wrong unit") {
  const std::vector<double> y = literal("times_2n", 1.0 / 128, Tensor::of<float>({2}, {0.5f, -0.25f}));
  CHECK(y == std::vector<double>{64 * 256, -32 * 256});
  CHECK(right(R"({"format": "int8", "scale": {"fixed": {"value": 0.0078125}}})", Tensor::of<float>({2}, {0.5f, -0.25f})) ==
        std::vector<double>{0.5, -0.25});
}

TEST_CASE("one tensor's range for all: larger tensors are cut off, and small biases become 0") {
  const Tensor first = random_normal({500}, Key(2), DType::f64), second = scaled(random_normal({500}, Key(3), DType::f64), 4),
               biases = scaled(random_normal({50}, Key(4), DType::f64), 0.004);
  const double step = largest_magnitude(first) / 127;
  const std::string one = fmt::format(R"({{"format": "int8", "scale": {{"fixed": {{"value": {}}}}}}})", step);
  constexpr const char* kOwn = R"({"format": "int8"})";
  CHECK(squared_error(right(one, second), numbers_of(second)) > 100 * squared_error(right(kOwn, second), numbers_of(second)));
  CHECK(std::ranges::all_of(right(one, biases), [](double b) { return b == 0; }));
  CHECK(squared_error(right(kOwn, biases), numbers_of(biases)) < 1e-3 * sum_of_squares(biases));
}

TEST_CASE("the gradient passes straight through a wrong rule, so that it can be trained with") {
  const Quantizer q = quantizer(R"({"format": "int8", "scale": "errata"})");
  Tape tape;
  const Var leaf = tape.leaf(kW);
  CHECK(numbers_of(tape.backward(sum_all(q.rule().apply(leaf, Var(), q))).of(leaf)) == std::vector<double>(1000, 1.0));
}
