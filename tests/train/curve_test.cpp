// Learning curves of ordinary and odd histories.
#include "lptrain/train/curve.h"
#include "support/text.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace lp;
using namespace lp::test;

namespace {

std::vector<EpochScores> history_of(int epochs, int64_t validated = 10) {
  std::vector<EpochScores> history;
  for (int i = 0; i < epochs; ++i) {
    EpochScores e;
    e.phase = i >= 3;
    e.train = {1.0 / (i + 1), 0.5 + 0.01 * i, 100};
    e.validation = {2.0 / (i + 1), 0.4 + 0.01 * i, validated};
    history.push_back(e);
  }
  return history;
}

}  // namespace

TEST_CASE("a point for each epoch, split and panel; a rule between phases") {
  const std::string svg = curve_svg(history_of(5), "a <run>");
  CHECK(count(svg, "<title>epoch 4") == 4);
  CHECK(count(svg, "class=\"rule") == 2);
  CHECK(count(svg, "class=\"path dash\"") == 4);  // with the legend's
  CHECK(svg.find("a &lt;run&gt;") != svg.npos);
  CHECK(svg.starts_with("<svg"));
}

TEST_CASE("histories that are empty, short, long, without validation, or diverged") {
  CHECK(curve_svg({}, "none").find("nan") == std::string::npos);
  CHECK(count(curve_svg(history_of(1), "one"), "<title>epoch 1") == 4);
  CHECK(count(curve_svg(history_of(500), "long"), "<title>epoch") == 0);
  CHECK(curve_svg(history_of(3, 0), "t").find("validation") == std::string::npos);
  auto diverged = history_of(3);
  diverged.back().train.loss = NAN;
  diverged.back().validation.loss = INFINITY;
  const std::string svg = curve_svg(diverged, "t");
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  CHECK(count(svg, "<title>epoch 3") == 2);
}
