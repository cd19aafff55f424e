// Statistics of a few repetitions: what can be said of a mean, and of a difference, from runs with several seeds.
#pragma once
#include <cstdint>
#include <span>

namespace lp {

double mean(std::span<const double> x);  // NaN of nothing
// sqrt(sum (x - mean)^2 / (n - 1)): of a sample, not of a population. NaN below two numbers.
double sample_deviation(std::span<const double> x);

// Student's t with `degrees` > 0 degrees of freedom: P(T <= t), and the t with P(T <= t) = p, 0 < p < 1.
//   Source: Abramowitz & Stegun 1964, 26.7.1 (by the incomplete beta function, 26.5.8).
double t_probability(double t, double degrees);
double t_quantile(double p, double degrees);

// A mean with its two-sided confidence interval, mean +- t s / sqrt(n) with n - 1 degrees of freedom. With one number the
// deviation and both ends are NaN: nothing is known of them.
struct Estimate {
  int64_t count = 0;
  double mean = 0, deviation = 0, low = 0, high = 0;
};
Estimate estimate(std::span<const double> x, double level = 0.95);
// Of a[i] - b[i]: what a and b have in common (the seed) cancels. Both have the same length.
Estimate paired_difference(std::span<const double> a, std::span<const double> b, double level = 0.95);

// The least number of pairs with which a true difference of `size` > 0 is found, at the two-sided level, with probability
// `power`, if single differences have the deviation given: n >= ((t_{(1 + level) / 2} + t_power) deviation / size)^2, n - 1
// degrees of freedom; at least 2, at most kMostSeeds. 0: the deviation is not known (NaN).
//   Source: Cohen 1988, "Statistical power analysis", chapter 2 (by the usual approximation with central t).
inline constexpr int64_t kMostSeeds = 1'000'000'000;
int64_t seeds_needed(double deviation, double size, double level = 0.95, double power = 0.8);

}  // namespace lp
