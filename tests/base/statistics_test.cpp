// Statistics against printed tables and closed forms.
#include "lptrain/base/statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "lptrain/base/error.h"

using namespace lp;

namespace {

const double kEps = 1e-12;

bool near(double a, double b, double relative) { return std::abs(a - b) <= relative * std::abs(b); }

}  // namespace

TEST_CASE("mean and deviation of a sample divide by n and by n - 1") {
  const std::vector<double> x{2, 4, 4, 4, 5, 5, 7, 9};
  CHECK(mean(x) == 5);
  CHECK(sample_deviation(x) == doctest::Approx(std::sqrt(32.0 / 7)).epsilon(kEps));
  CHECK(std::isnan(mean({})));
  CHECK(std::isnan(sample_deviation(std::vector<double>{3})));
  CHECK(sample_deviation(std::vector<double>{3, 3}) == 0);
}

TEST_CASE("quantiles of Student's t are those of printed tables") {
  struct Row {
    double degrees, t90, t95, t975, t995;
  };
  // Abramowitz & Stegun 1964, table 26.10.
  for (const Row& r : {Row{1, 3.078, 6.314, 12.706, 63.657}, Row{2, 1.886, 2.920, 4.303, 9.925},
                       Row{3, 1.638, 2.353, 3.182, 5.841}, Row{4, 1.533, 2.132, 2.776, 4.604}, Row{9, 1.383, 1.833, 2.262, 3.250},
                       Row{29, 1.311, 1.699, 2.045, 2.756}, Row{120, 1.289, 1.658, 1.980, 2.617}}) {
    CAPTURE(r.degrees);
    CHECK(std::abs(t_quantile(0.9, r.degrees) - r.t90) < 6e-4);
    CHECK(std::abs(t_quantile(0.95, r.degrees) - r.t95) < 6e-4);
    CHECK(std::abs(t_quantile(0.975, r.degrees) - r.t975) < 6e-4);
    CHECK(std::abs(t_quantile(0.995, r.degrees) - r.t995) < 6e-4);
  }
  CHECK(near(t_quantile(0.975, 1e7), 1.959963984540054, 1e-6));  // the normal distribution
}

TEST_CASE("one and two degrees of freedom have closed forms") {
  for (const double p : {0.001, 0.025, 0.3, 0.5, 0.75, 0.975, 0.9999}) {
    CAPTURE(p);
    const double cauchy = std::tan(std::numbers::pi * (p - 0.5)), two = (2 * p - 1) / std::sqrt(2 * p * (1 - p));
    CHECK(std::abs(t_quantile(p, 1) - cauchy) <= 1e-9 * (1 + std::abs(cauchy)));
    CHECK(std::abs(t_quantile(p, 2) - two) <= 1e-9 * (1 + std::abs(two)));
    for (const double degrees : {1.0, 2.0, 5.5, 40.0, 1000.0})
      CHECK(std::abs(t_probability(t_quantile(p, degrees), degrees) - p) < 1e-12);
  }
  CHECK_THROWS_AS((void)t_quantile(1, 3), Error);
  CHECK_THROWS_AS((void)t_probability(1, 0), Error);
}

TEST_CASE("a confidence interval of three runs is more than twice as wide as 1.96 would make it") {
  const std::vector<double> x{98.87, 98.90, 98.96};
  const Estimate e = estimate(x);
  CHECK(e.count == 3);
  CHECK(e.mean == doctest::Approx(98.91).epsilon(kEps));
  CHECK(e.deviation == doctest::Approx(0.0458257569).epsilon(1e-8));
  CHECK(e.high - e.mean == doctest::Approx(4.302652730 * 0.0458257569 / std::sqrt(3.0)).epsilon(1e-8));
  CHECK(e.mean - e.low == doctest::Approx(e.high - e.mean).epsilon(1e-8));
  const Estimate one = estimate(std::vector<double>{5});
  CHECK(one.mean == 5);
  CHECK(std::isnan(one.deviation));
  CHECK(std::isnan(one.low));
  CHECK(estimate({}).count == 0);
}

TEST_CASE("pairing cancels what both have in common") {
  const std::vector<double> a{10.1, 20.2, 30.3}, b{10, 20, 30};
  const Estimate paired = paired_difference(a, b);
  CHECK(paired.mean == doctest::Approx(0.2));
  CHECK(paired.deviation == doctest::Approx(0.1));
  CHECK(sample_deviation(a) > 10);
  CHECK_THROWS_AS((void)paired_difference(a, std::vector<double>{1}), Error);
}

TEST_CASE("the seeds that a difference needs") {
  // Cohen's d 0.2, 0.5, 0.8, 1 in a paired t test at 5 %, power 80 %: 199, 34, 15, 10 pairs.
  CHECK(seeds_needed(5, 1) == 199);
  CHECK(seeds_needed(2, 1) == 34);
  CHECK(seeds_needed(1, 0.8) == 15);
  CHECK(seeds_needed(1, 1) == 10);
  CHECK(seeds_needed(0, 0.1) == 2);
  CHECK(seeds_needed(1e9, 1e-9) == kMostSeeds);
  CHECK(seeds_needed(std::nan(""), 0.1) == 0);
  CHECK(seeds_needed(1, 0.5, 0.99) > seeds_needed(1, 0.5, 0.95));
  CHECK_THROWS_AS((void)seeds_needed(1, 0), Error);
}
