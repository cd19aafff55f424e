// Proximal steps against their definition: the least of 1/2 (x - w)^2 + t norm(x), found by search.
#include "lptrain/prune/shrink.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/document.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

Tensor shrunk(const std::string& json, double lr, const char* pattern, const Tensor& w) {
  struct {
    Choice<Shrink> s;
    void fields(Fields& f) { f("s", s, ""); }
  } holder;
  read(Document::parse("{\"s\": " + json + "}", "t"), holder);
  Tensor x = w.clone();
  holder.s->apply(lr, Pattern::parse(pattern), x);
  return x;
}

double length(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("l1: no point nearby has a smaller 1/2 (x - w)^2 + t |x|; small weights are exactly zero") {
  const Tensor w = random_uniform({4, 25}, Key(1), -2, 2, DType::f64);
  const double t = 0.5 * 0.8;
  const auto x = numbers_of(w), y = numbers_of(shrunk(R"({"l1": {"strength": 0.8}})", 0.5, "unstructured", w));
  for (size_t i = 0; i < x.size(); ++i) {
    const auto cost = [&](double v) { return (v - x[i]) * (v - x[i]) / 2 + t * std::abs(v); };
    for (const double step : {-1.0, -1e-3, -1e-6, 1e-6, 1e-3, 1.0}) CHECK(cost(y[i]) <= cost(y[i] + step));
    if (std::abs(x[i]) < t) CHECK(y[i] == 0);
  }
}

TEST_CASE("group lasso: filters go as a whole, the others keep their direction, and the cost is least") {
  Tensor w = random_uniform({6, 9}, Key(2), -1, 1, DType::f64);
  for (size_t i = 0; i < 18; ++i) w.data<double>()[i] *= 0.1;
  const double t = 0.1 * 3 * std::sqrt(9.0) / 2;
  const auto x = numbers_of(w), y = numbers_of(shrunk(R"({"group_lasso": {"strength": 1.5}})", 0.1, "rows", w));
  for (size_t r = 0; r < 6; ++r) {
    const auto from = std::span(x).subspan(r * 9, 9), to = std::span(y).subspan(r * 9, 9);
    CHECK(length(to) == doctest::Approx(std::max(0.0, length(from) - t)));
    CHECK((length(to) == 0) == (r < 2));
    const auto cost = [&](const std::vector<double>& v) {
      double sum = 0;
      for (size_t i = 0; i < 9; ++i) sum += (v[i] - from[i]) * (v[i] - from[i]) / 2;
      return sum + t * length(v);
    };
    const std::vector<double> best(to.begin(), to.end());
    for (uint64_t k = 0; k < 20; ++k) {
      std::vector<double> near = best;
      for (size_t i = 0; i < 9; ++i) near[i] += 1e-3 * Key(k).normal(i);
      CHECK(cost(best) <= cost(near));
    }
  }
}

TEST_CASE("of single weights group lasso is l1; none changes nothing; f32 too") {
  const Tensor w = random_normal({5, 7}, Key(3));
  const std::string one = R"({"l1": {"strength": 0.3}})", group = R"({"group_lasso": {"strength": 0.3}})";
  CHECK(difference(shrunk(one, 1, "unstructured", w), shrunk(group, 1, "unstructured", w)) < 1e-6);
  CHECK(numbers_of(shrunk("\"none\"", 1, "rows", w)) == numbers_of(w));
  CHECK(numbers_of(shrunk(group, 1, "rows", Tensor::zeros({2, 2}))) == std::vector<double>(4));
}
