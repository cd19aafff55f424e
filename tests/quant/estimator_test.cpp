// Estimators: the slope that backward uses is the derivative of the map that they claim.
#include "lptrain/quant/estimator.h"

#include <doctest/doctest.h>

#include "lptrain/base/error.h"

using namespace lp;

TEST_CASE("slope = dh/du wherever h is smooth") {
  constexpr double kLow = -3, kHigh = 5, kStep = 1e-6;
  for (const EstimatorRow& row : Estimator::rows()) {
    CAPTURE(row.name);
    double varied = 0;
    for (double u = -7.013; u < 9; u += 0.17) {
      const double slope = (row.h(u + kStep, kLow, kHigh) - row.h(u - kStep, kLow, kHigh)) / (2 * kStep);
      CHECK(row.slope(u, kLow, kHigh) == doctest::Approx(slope).epsilon(1e-6));
      varied += slope;
    }
    CHECK(varied > 0);
  }
}

TEST_CASE("clipped passes the ends of the grid, ste everything") {
  const EstimatorRow &clipped = Estimator::parse("clipped").row(), &ste = Estimator::parse("ste").row();
  CHECK(clipped.slope(5, -3, 5) == 1);
  CHECK(clipped.slope(-3, -3, 5) == 1);
  CHECK(clipped.slope(5.001, -3, 5) == 0);
  CHECK(ste.slope(1e9, -3, 5) == 1);
  CHECK(Estimator().name() == "clipped");
  CHECK(Estimator::parse("ste").is_identity());
  CHECK_FALSE(Estimator().is_identity());
}

TEST_CASE("an unknown estimator is named with what there is") {
  try {
    Estimator::parse("cliped");
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("\"clipped\"") != std::string::npos);
  }
}
