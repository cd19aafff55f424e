// Means, deviations, Student's t.
#include "lptrain/base/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "lptrain/base/error.h"

namespace lp {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The continued fraction of the incomplete beta function, evaluated from the front by Lentz's method; it converges fast for
// x < (a + 1) / (a + b + 2).   Source: Abramowitz & Stegun 1964, 26.5.8.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300, kEnough = 1e-15;
  constexpr int kMostTerms = 10'000;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double step = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      value *= step = d * c;
    }
    if (std::abs(step - 1) < kEnough) break;
  }
  return value;
}

// I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

bool is_enough(int64_t n, double ratio, double level, double power) {
  const double degrees = static_cast<double>(n - 1);
  const double t = t_quantile((1 + level) / 2, degrees) + t_quantile(power, degrees);
  return t * ratio <= std::sqrt(static_cast<double>(n));
}

}  // namespace

double mean(std::span<const double> x) {
  return x.empty() ? kUnknown : std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double sample_deviation(std::span<const double> x) {
  if (x.size() < 2) return kUnknown;
  const double m = mean(x);
  double squares = 0;
  for (double v : x) squares += (v - m) * (v - m);
  return std::sqrt(squares / static_cast<double>(x.size() - 1));
}

double t_probability(double t, double degrees) {
  require(degrees > 0, "Student's t with {} degrees of freedom", degrees);
  const double tail = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
  return t < 0 ? tail : 1 - tail;
}

// By bisection: slow enough to be obvious, fast enough for tables.
double t_quantile(double p, double degrees) {
  require(p > 0 && p < 1, "the quantile of probability {}, wanted one between 0 and 1", p);
  if (p < 0.5) return -t_quantile(1 - p, degrees);
  double low = 0, high = 1;
  while (t_probability(high, degrees) < p && high < 1e300) high *= 2;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    (t_probability(middle, degrees) < p ? low : high) = middle;
  }
}

Estimate estimate(std::span<const double> x, double level) {
  Estimate e{static_cast<int64_t>(x.size()), mean(x), sample_deviation(x), kUnknown, kUnknown};
  if (x.size() < 2) return e;
  const double n = static_cast<double>(x.size()), half = t_quantile((1 + level) / 2, n - 1) * e.deviation / std::sqrt(n);
  e.low = e.mean - half;
  e.high = e.mean + half;
  return e;
}

Estimate paired_difference(std::span<const double> a, std::span<const double> b, double level) {
  require(a.size() == b.size(), "pairs of {} and {} numbers", a.size(), b.size());
  std::vector<double> differences;
  for (size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  return estimate(differences, level);
}

int64_t seeds_needed(double deviation, double size, double level, double power) {
  require(size > 0, "the seeds for a difference of {}, wanted one above 0", size);
  if (std::isnan(deviation)) return 0;
  int64_t enough = 2, few = 1;
  while (enough < kMostSeeds && !is_enough(enough, deviation / size, level, power))
    few = enough, enough = std::min(2 * enough, kMostSeeds);
  while (enough - few > 1) {
    const int64_t middle = few + (enough - few) / 2;
    (is_enough(middle, deviation / size, level, power) ? enough : few) = middle;
  }
  return enough;
}

}  // namespace lp
