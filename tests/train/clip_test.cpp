// Gradient clipping.
#include "lptrain/train/clip.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace lp;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<Tensor> three_four() {
  std::vector<Tensor> g;
  g.push_back(Tensor::of<float>({2}, {3, 0}));
  g.push_back(Tensor::of<float>({1}, {-4}));
  return g;
}

}  // namespace

TEST_CASE("by norm: the norm before comes back, the norm after is the bound, the direction stays") {
  auto g = three_four();
  CHECK(clip_by_norm(g, 1) == doctest::Approx(5));
  CHECK(global_norm(g) == doctest::Approx(1));
  CHECK(g[0].data<float>()[0] == doctest::Approx(0.6));
  CHECK(g[0].data<float>()[1] == 0);
  CHECK(g[1].data<float>()[0] == doctest::Approx(-0.8));
}

TEST_CASE("within the bound nothing changes") {
  auto g = three_four();
  CHECK(clip_by_norm(g, 5) == 5);
  CHECK(clip_by_value(g, 4) == 4);
  CHECK(g[0].data<float>()[0] == 3);
  CHECK(g[1].data<float>()[0] == -4);
}

TEST_CASE("by value: each element alone") {
  auto g = three_four();
  CHECK(clip_by_value(g, 3.5) == 4);
  CHECK(g[0].data<float>()[0] == 3);
  CHECK(g[1].data<float>()[0] == -3.5f);
}

TEST_CASE("gradients that are not finite are told, not hidden") {
  for (float bad : {std::nanf(""), kInfinity, -kInfinity}) {
    std::vector<Tensor> g;
    g.push_back(Tensor::of<float>({2}, {7, 1}));
    g.push_back(Tensor::of<float>({1}, {bad}));
    CHECK_FALSE(std::isfinite(clip_by_norm(g, 1)));
    CHECK_FALSE(std::isfinite(clip_by_value(g, 1)));
    CHECK(g[0].data<float>()[0] == 7);
  }
}

TEST_CASE("shared bytes are clipped once, and only for whom it was asked") {
  const Tensor shared = Tensor::of<double>({2}, {3, 4});
  std::vector<Tensor> g{shared, shared};
  const double norm = clip_by_norm(g, 1);
  CHECK(norm == doctest::Approx(std::sqrt(50.0)));
  CHECK(global_norm(g) == doctest::Approx(1));
  CHECK(shared.data<double>()[0] == 3);
}

TEST_CASE("large f32 gradients do not overflow the norm; no gradients have norm 0") {
  std::vector<Tensor> g{Tensor::full({4}, 2e38)};
  CHECK(clip_by_norm(g, 1) == doctest::Approx(4e38));
  CHECK(g[0].data<float>()[0] == doctest::Approx(0.5));
  CHECK(clip_by_norm({}, 1) == 0);
}

TEST_CASE("a bound must be above 0") {
  auto g = three_four();
  CHECK_THROWS_AS(clip_by_norm(g, 0), Error);
  CHECK_THROWS_AS(clip_by_value(g, -1), Error);
  CHECK_THROWS_AS(clip_by_value(g, std::nan("")), Error);
}
