// Singular values: factors are orthonormal, give the matrix back, and leave no more than the tail.
#include "lptrain/tensor/svd.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/tensor/math.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

double at(const Tensor& t, int64_t i, int64_t j) { return t.data<double>()[static_cast<size_t>(i * t.shape()[1] + j)]; }
double at(const Tensor& t, int64_t i) { return t.data<double>()[static_cast<size_t>(i)]; }

// The sum of squares that the first r leave of x.
double left_by(const Svd& parts, const Tensor& x, int64_t r) {
  const Tensor wide = convert(x, DType::f64);
  double sum = 0;
  for (int64_t i = 0; i < x.shape()[0]; ++i)
    for (int64_t j = 0; j < x.shape()[1]; ++j) {
      double left = at(wide, i, j);
      for (int64_t k = 0; k < r; ++k) left -= at(parts.u, i, k) * at(parts.s, k) * at(parts.v, k, j);
      sum += left * left;
    }
  return sum;
}

}  // namespace

TEST_CASE("singular values by hand") {
  const Svd parts = svd(Tensor::of<double>(Shape{2, 2}, {3, 0, 4, 5}));
  CHECK(at(parts.s, 0) == doctest::Approx(std::sqrt(45)));
  CHECK(at(parts.s, 1) == doctest::Approx(std::sqrt(5)));
}

TEST_CASE("factors are orthonormal, and rank r leaves the sum of the squares behind it: Eckart and Young") {
  for (const Shape& shape : {Shape{1, 1}, Shape{6, 6}, Shape{5, 17}, Shape{23, 4}, Shape{1, 9}, Shape{30, 90}}) {
    CAPTURE(shape.text());
    for (const DType type : {DType::f32, DType::f64}) {
      const Tensor x = random_normal(shape, Key(3), type);
      const Svd parts = svd(x);
      const int64_t R = std::min(shape[0], shape[1]);
      REQUIRE(parts.u.shape() == Shape{shape[0], R});
      REQUIRE(parts.v.shape() == Shape{R, shape[1]});
      double tail = 0;
      for (int64_t r = R; r >= 0; --r) {
        if (r < R) tail += at(parts.s, r) * at(parts.s, r);
        if (r > 0 && r < R) CHECK(at(parts.s, r - 1) >= at(parts.s, r));
        CHECK(left_by(parts, x, r) == doctest::Approx(tail).epsilon(1e-10));
      }
      for (int64_t a = 0; a < R; ++a)
        for (int64_t b = 0; b < R; ++b) {
          double u = 0, v = 0;
          for (int64_t i = 0; i < shape[0]; ++i) u += at(parts.u, i, a) * at(parts.u, i, b);
          for (int64_t j = 0; j < shape[1]; ++j) v += at(parts.v, a, j) * at(parts.v, b, j);
          CHECK(std::abs(u - (a == b)) < 1e-10);
          CHECK(std::abs(v - (a == b)) < 1e-10);
        }
    }
  }
}

TEST_CASE("matrices without full rank: zeros, equal rows, one direction") {
  const Svd nothing = svd(Tensor::zeros(Shape{3, 5}));
  for (int64_t k = 0; k < 3; ++k) CHECK(at(nothing.s, k) == 0);
  const Tensor twice = Tensor::of<float>(Shape{3, 2}, {1, 2, 2, 4, -3, -6});
  const Svd parts = svd(twice);
  CHECK(at(parts.s, 0) == doctest::Approx(std::sqrt(70)));
  CHECK(at(parts.s, 1) < 1e-12);
  CHECK(left_by(parts, twice, 1) < 1e-20);
  CHECK_THROWS_AS(svd(Tensor::zeros(Shape{3})), Error);
}
