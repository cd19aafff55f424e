// The integer softmax: near the real one, exact in its sums, and computed as its contract spells it.
#include "lptrain/grad/integer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

Tensor gradient(const Tensor& z, std::span<const int32_t> labels, int fraction_bits) {
  Tape tape;
  const Var leaf = tape.leaf(z);
  return tape.backward(integer_cross_entropy(leaf, labels, fraction_bits)).of(leaf);
}

std::vector<int32_t> labels_of(int64_t n, int64_t classes) {
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < n; ++i) labels.push_back(static_cast<int32_t>(i * 7 % classes));
  return labels;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return largest_magnitude(zip(a, b, [](auto x, auto y) { return x - y; }));
}

}  // namespace

TEST_CASE("by hand: two logits one power of two apart") {
  const std::vector<double> z{32768.0 / 47274, 0};  // t = 256, 0: y = 2^20, 2^19; p = 2/3, 1/3
  std::vector<int64_t> p(2), e(2);
  integer_softmax_error(z, 0, 8, p, e);
  CHECK(p[0] == 32768 * 2 / 3);
  CHECK(p[1] == 32768 / 3);
  CHECK(e[0] == -p[1]);
  CHECK(e[1] == p[1]);
}

TEST_CASE("its gradient is that of cross entropy, within the line that stands for a power of two") {
  const std::vector<int32_t> labels = labels_of(64, 10);
  const Tensor z = scaled(random_normal({64, 10}, Key(1), DType::f64), 3);
  Tape tape;
  const Var leaf = tape.leaf(z);
  const Tensor real = tape.backward(cross_entropy(leaf, labels)).of(leaf);
  CHECK(largest_difference(gradient(z, labels, 8), real) < 0.025 / 64);
  CHECK(largest_difference(gradient(z, labels, 0), real) < 0.25 / 64);  // NITI's whole exponents
  CHECK(largest_difference(gradient(z, labels, 0), real) > 0.025 / 64);
  CHECK(integer_cross_entropy(Var(z), labels).tensor().item() ==
        doctest::Approx(cross_entropy(Var(z), labels).tensor().item()).epsilon(0.03));
}

TEST_CASE("errors are integers in units of 2^-15 over a power of two, and sum to zero in each row") {
  const std::vector<int32_t> labels = labels_of(11, 5);
  const Tensor dz = gradient(scaled(random_normal({11, 5}, Key(2)), 5), labels, 8);
  for (size_t n = 0; n < 11; ++n) {
    double sum = 0;
    for (size_t k = 0; k < 5; ++k) {
      const double e = std::ldexp(static_cast<double>(dz.data<float>()[n * 5 + k]), 15 + 4);  // 11 examples count as 16
      CHECK(e == std::nearbyint(e));
      CHECK((e <= 0) == (static_cast<int32_t>(k) == labels[n] || e == 0));
      sum += e;
    }
    CHECK(sum == 0);
  }
}

TEST_CASE("far logits, and far ones apart, do no harm") {
  const std::vector<int32_t> labels{0, 1, 0};
  const Tensor z = Tensor::of<float>({3, 2}, {1e30f, -1e30f, 1e30f, -1e30f, -3e8f, -3e8f});
  const Tensor dz = gradient(z, labels, 8);
  const std::vector<double> wanted{0, 0, 0.25, -0.25, -0.125, 0.125};
  for (size_t i = 0; i < 6; ++i) CHECK(static_cast<double>(dz.data<float>()[i]) == wanted[i]);
}

TEST_CASE("wrong calls are named") {
  const std::vector<int32_t> labels{0, 5};
  const Var z(Tensor::zeros({2, 3}));
  CHECK_THROWS_WITH_AS(integer_cross_entropy(z, labels), doctest::Contains("label 5 of example 1"), Error);
  CHECK_THROWS_WITH_AS(integer_cross_entropy(z, std::vector<int32_t>{0}), doctest::Contains("1 labels"), Error);
  CHECK_THROWS_WITH_AS(integer_cross_entropy(z, std::vector<int32_t>{0, 1}, 13), doctest::Contains("13 fraction bits"), Error);
}
