// The strategy of a search against networks that are formulas.
#include "lptrain/app/search_path.h"

#include <doctest/doctest.h>

#include <map>
#include <numeric>

#include "lptrain/base/random.h"

using namespace lp;

namespace {

// Lowering layer l to rung r loses loss[l] * r^2; the sum may not exceed 1.
struct Additive {
  std::vector<double> loss;
  std::map<Rungs, bool> asked = {};

  double lost(const Rungs& rungs) const {
    double sum = 0;
    for (size_t l = 0; l < rungs.size(); ++l) sum += loss[l] * static_cast<double>(rungs[l] * rungs[l]);
    return sum;
  }
  Meets meets() {
    return [this](const Rungs& r) { return asked[r] = lost(r) <= 1; };
  }
  Harm harm() const {
    return [this](const Rungs& r) {
      std::vector<double> h;
      for (size_t l = 0; l < r.size(); ++l) h.push_back(loss[l] * static_cast<double>(2 * r[l] + 1));
      return h;
    };
  }
};

}  // namespace

TEST_CASE("the narrowest uniform rung is found by halving") {
  for (size_t formats = 1; formats <= 9; ++formats)
    for (size_t last = 0; last < formats; ++last) {
      int questions = 0;
      const auto found = narrowest_uniform(3, formats, [&](const Rungs& r) { return ++questions, r[0] <= last; });
      REQUIRE(found);
      CHECK(*found == Rungs(3, last));
      CHECK(questions <= 5);
    }
  CHECK_FALSE(narrowest_uniform(3, 4, [](const Rungs&) { return false; }));
}

TEST_CASE("by layer nothing is left that could be lowered alone, and everything accepted meets the requirement") {
  const Key key(5);
  for (uint64_t trial = 0; trial < 200; ++trial) {
    const size_t layers = 1 + key.with(trial).below(0, 7), formats = 2 + key.with(trial).below(1, 5);
    Additive net{{}};
    for (size_t l = 0; l < layers; ++l)
      net.loss.push_back(0.5 * key.with(trial).uniform64(l) * key.with(trial).uniform64(l + 50));
    const auto start = narrowest_uniform(layers, formats, net.meets());
    REQUIRE(start);
    const Rungs found = narrowest_by_layer(*start, formats, net.meets(), net.harm());
    CHECK(net.lost(found) <= 1);
    for (size_t l = 0; l < layers; ++l) {
      CHECK(found[l] >= (*start)[l]);
      Rungs lower = found;
      CHECK((++lower[l] >= formats || net.lost(lower) > 1));
    }
    CHECK(net.asked.size() <= most_questions(layers, formats));
  }
}

TEST_CASE("layers that do no harm go all the way; those that do stay") {
  Additive net{{0, 10, 0, 10}};
  const Rungs found = narrowest_by_layer(Rungs(4, 0), 5, net.meets(), net.harm());
  CHECK(found == Rungs{4, 0, 4, 0});
  CHECK(net.asked.size() < 20);
}

TEST_CASE("without layers, or without narrower formats, nothing is asked by layer") {
  const Meets never = [](const Rungs&) -> bool { throw 1; };
  CHECK(narrowest_by_layer({}, 4, never, [](const Rungs&) { return std::vector<double>{}; }).empty());
  CHECK(narrowest_by_layer(Rungs(2, 3), 4, never, [](const Rungs&) { return std::vector<double>(2); }) == Rungs(2, 3));
}

TEST_CASE("a search that may ask no more keeps what it has") {
  Additive net{{0.1, 0.1, 0.1}};
  int left = 3;
  const Meets meets = [&](const Rungs& r) { return left-- > 0 && net.lost(r) <= 1; };
  const Rungs found = narrowest_by_layer(Rungs(3, 0), 6, meets, net.harm());
  CHECK(net.lost(found) <= 1);
}
