// What the gates of recurrent cells do at their ends, in f32 and f64, on codes, and over threads.
#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/parallel.h"
#include "lptrain/grad/ops.h"
#include "support/gradcheck.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

// A GRU with r = z = 1/2 shows tanh, and its update gate the sigmoid: of x in the gate `gate`.
Tensor through_gate(const std::vector<double>& x, int64_t gate, DType type) {
  const auto n = static_cast<int64_t>(x.size());
  Tensor gates = Tensor::zeros(Shape{1, 3 * n}, DType::f64);
  for (int64_t i = 0; i < n; ++i) gates.data<double>()[static_cast<size_t>(gate * n + i)] = x[static_cast<size_t>(i)];
  return gru_cell(convert(gates, type), Tensor::zeros(Shape{1, 3 * n}, type), Tensor::full(Shape{1, n}, 1, type)).tensor();
}

}  // namespace

TEST_CASE("sigmoid and tanh of gates are those of the library, to a few units in the last place") {
  std::vector<double> x;
  for (double v = -20; v <= 20; v += 0.01) x.push_back(v);
  const Tensor z = through_gate(x, 1, DType::f32), n = through_gate(x, 2, DType::f32);
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(std::abs(static_cast<double>(z.data<float>()[i]) - 1 / (1 + std::exp(-x[i]))) < 3e-7);
    CHECK(std::abs(static_cast<double>(n.data<float>()[i]) - (0.5 * std::tanh(x[i]) + 0.5)) < 3e-7);
  }
}

TEST_CASE("gates saturate, and NaN stays NaN") {
  for (const DType type : {DType::f32, DType::f64}) {
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor z = convert(through_gate({1e30, -1e30, infinity, -infinity, 88, -88}, 1, type), DType::f64);
    for (size_t i = 0; i < 6; ++i) CHECK(z.data<double>()[i] == doctest::Approx(i % 2 == 0 ? 1 : 0));
    for (int64_t gate = 0; gate < 3; ++gate)
      CHECK(std::isnan(through_gate({std::numeric_limits<double>::quiet_NaN()}, gate, type).item()));
    const Tensor nan = Tensor::full(Shape{1, 4}, std::numeric_limits<double>::quiet_NaN(), type),
                 zero = Tensor::zeros(Shape{1, 4}, type);
    CHECK(std::isnan(convert(lstm_cell(nan, zero, Tensor::zeros(Shape{1, 1}, type)).tensor(), DType::f64).data<double>()[1]));
  }
}

// Reals of codes are made when they are first asked for: not by several threads at once.
TEST_CASE("cells and attention read codes, the same on any number of threads") {
  const auto coded = [](Shape shape, uint64_t key) {
    const Tensor x = random_uniform(shape, Key(key), -100, 100);
    return Var(Value(Codes{convert(x, DType::i8), Format::parse("int8"), Tensor::full(Shape{1}, 0.03)}));
  };
  const auto run = [&] {
    return concat(
               {reshape(lstm_cell(coded({512, 256}, 1), coded({512, 256}, 2), coded({512, 64}, 3)), {1024, 64}),
                gru_cell(coded({512, 192}, 4), coded({512, 192}, 5), coded({512, 64}, 6)),
                reshape(attention(coded({32, 16, 64}, 7), coded({32, 16, 64}, 8), coded({32, 16, 64}, 9), 4, true), {512, 64})},
               0)
        .tensor();
  };
  const int threads = thread_count();
  set_thread_count(1);
  const Tensor one = run();
  set_thread_count(4);
  for (int i = 0; i < 20; ++i) CHECK(difference(run(), one) == 0);
  set_thread_count(threads);
}
