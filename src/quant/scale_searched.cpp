// Scale rules that search: for a quantile, for the least squared error, for the least divergence, for a least-squares fit.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "scales.h"

namespace lp {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The ceil(share n)-th smallest.
double order_statistic(std::vector<double>& numbers, double share) {
  if (numbers.empty()) return 0;
  if (std::ranges::any_of(numbers, [](double v) { return std::isnan(v); })) return static_cast<double>(kNan);
  const double rank = std::ceil(share * static_cast<double>(numbers.size()) - 1e-9);  // 0.999 * 1000 is a little above 999
  const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, static_cast<double>(numbers.size()))) - 1;
  std::ranges::nth_element(numbers, at);
  return *at;
}

// f(numbers of a lane) -> a number for each lane.
template <class F>
Tensor for_lanes(const Tensor& x, const Lanes& lanes, F f) {
  Tensor y(Shape{lanes.channels});
  float* out = y.data<float>().data();
  parallel_for(lanes.channels, kGrain / std::max<int64_t>(1, lanes.outer * lanes.inner) + 1,
               [&](int64_t c) { out[c] = static_cast<float>(f(lane_of(x, lanes, c))); });
  return y;
}

std::vector<double> magnitudes(std::vector<double> numbers) {
  for (double& v : numbers) v = std::abs(v);
  return numbers;
}

// Q seen through q's grid, rounding and overflow with given scales (f32 [lanes]).
Tensor seen(const Tensor& x, const Lanes& lanes, const Quantizer& q, const Tensor& scale, int32_t zero_point = 0) {
  QuantizeKey key{q.grid(), is_stochastic(q.rounding) ? Rounding::nearest_even : q.rounding, q.overflows()};
  key.lanes = lanes;
  key.zero_point = zero_point;
  Tensor y(x.shape(), x.dtype());
  quantize_values(key, x.dtype(), x.raw(), scale.data<float>().data(), y.raw());
  return y;
}

Tensor squared_errors(const Tensor& x, const Tensor& y, const Lanes& lanes) {
  const Tensor d = zip(x, y, [](auto a, auto b) { return (a - b) * (a - b); });
  Tensor e(Shape{lanes.channels});
  mean_abs(lanes, d.dtype(), d.raw(), e.data<float>().data());
  return e;
}

// ---- Kullback-Leibler, as TensorRT calibrates (S. Migacz, "8-bit inference with TensorRT", GTC 2017)

std::vector<double> histogram(const std::vector<double>& numbers, double most, int bins) {
  std::vector<double> counts(static_cast<size_t>(bins));
  for (const double v : numbers) ++counts[static_cast<size_t>(std::min<double>(bins - 1, std::floor(v / most * bins)))];
  return counts;
}

// The divergence of the first n bins, whose last one takes in everything beyond, from themselves in `levels` equal parts, each
// spread over its bins that are not empty.
double divergence(const std::vector<double>& counts, size_t n, size_t levels) {
  std::vector<double> p(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(n));
  p.back() += std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(n), counts.end(), 0.0);
  std::vector<double> q(n);
  for (size_t level = 0; level < levels; ++level) {
    const size_t begin = level * n / levels, end = (level + 1) * n / levels;
    double sum = 0, filled = 0;
    for (size_t i = begin; i < end; ++i) sum += counts[i], filled += counts[i] > 0;
    for (size_t i = begin; i < end; ++i) q[i] = counts[i] > 0 ? sum / filled : 0;
  }
  const double p_total = std::accumulate(p.begin(), p.end(), 0.0), q_total = std::accumulate(q.begin(), q.end(), 0.0);
  double total = 0;
  for (size_t i = 0; i < n; ++i)
    if (p[i] > 0) total += p[i] / p_total * std::log(p[i] / p_total / std::max(q[i] / q_total, 1e-12));
  return total;
}

double least_divergent(const std::vector<double>& numbers, int bins, size_t levels) {
  double most = 0;
  for (const double v : numbers) most = std::isnan(v) ? v : std::max(most, v);
  if (!(most > 0) || std::isinf(most)) return most;
  const std::vector<double> counts = histogram(numbers, most, bins);
  double best = std::numeric_limits<double>::infinity();
  size_t at = counts.size();
  for (size_t n = levels; n <= counts.size(); ++n)
    if (const double d = divergence(counts, n, levels); d < best) best = d, at = n;
  return most * static_cast<double>(at) / static_cast<double>(bins);
}

// ---- Least squares

struct Line {
  double offset, scale;
};

// x ~ offset + scale v; without an offset if !is_free.
Line fitted(const std::vector<double>& x, const std::vector<double>& v, bool is_free, Line before) {
  const auto n = static_cast<double>(x.size());
  double sx = 0, sv = 0, vv = 0, xv = 0;
  for (size_t i = 0; i < x.size(); ++i) sx += x[i], sv += v[i], vv += v[i] * v[i], xv += x[i] * v[i];
  const double spread = is_free ? vv - sv * sv / n : vv, joint = is_free ? xv - sx * sv / n : xv;
  if (!(spread > 0) || !(joint > 0)) return before;
  const double scale = joint / spread;
  return {is_free ? (sx - scale * sv) / n : 0, scale};
}

// v = the real of the grid nearest to (x - offset) / scale. On integer grids an addition rounds whose last place is 1.
void nearest_codes(const Format& grid, const std::vector<double>& x, Line line, std::vector<double>& v) {
  if (!grid.is_integer_grid()) {
    for (size_t k = 0; k < x.size(); ++k) v[k] = round_value(grid, (x[k] - line.offset) / line.scale, Rounding::nearest_even);
    return;
  }
  constexpr double kOne = 0x1.8p52;
  const double unit = std::ldexp(1.0, -grid.fraction_bits), low = grid.min(), high = grid.max(), inverse = 1 / line.scale;
  for (size_t k = 0; k < x.size(); ++k)
    v[k] = (std::clamp((x[k] - line.offset) * inverse, low, high) / unit + kOne - kOne) * unit;
}

double squared_error(const std::vector<double>& x, const std::vector<double>& v, Line line) {
  double sum = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    const double miss = line.offset + line.scale * v[k] - x[k];
    sum += miss * miss;
  }
  return sum;
}

// Codes and line by turns: neither step can make the squared error larger.
Line alternated(const std::vector<double>& x, const LeastSquares& how, const Quantizer& q, bool is_free) {
  const Format grid = q.grid();
  double most = 0;
  for (const double v : x) most = std::max(most, std::abs(v));
  Line line{0, most > 0 ? most / q.ends().reach() : 1};
  double error = std::numeric_limits<double>::infinity();
  std::vector<double> v(x.size());
  for (int i = 0; i < how.iterations; ++i) {
    nearest_codes(grid, x, line, v);
    const double now = squared_error(x, v, line);
    if (now >= error * (1 - how.tolerance)) break;
    error = now;
    line = fitted(x, v, is_free, line);
  }
  return line;
}

}  // namespace

std::vector<double> lane_of(const Tensor& x, const Lanes& lanes, int64_t lane) {
  std::vector<double> numbers;
  numbers.reserve(static_cast<size_t>(lanes.outer * lanes.inner));
  visit_real(x.dtype(), [&]<class T>() {
    const T* p = x.data<T>().data();
    for (int64_t o = 0; o < lanes.outer; ++o)
      for (int64_t i = 0; i < lanes.inner; ++i)
        numbers.push_back(static_cast<double>(p[(o * lanes.channels + lane) * lanes.inner + i]));
  });
  return numbers;
}

Tensor quantile_of_magnitudes(const Tensor& x, const Lanes& lanes, double share) {
  return for_lanes(x, lanes, [=](std::vector<double> numbers) {
    std::vector<double> sizes = magnitudes(std::move(numbers));
    return order_statistic(sizes, share);
  });
}

void Percentile::fields(Fields& f) { f("percent", percent, "of the numbers that are to lie within", {0, 100}); }

Extent Percentile::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  if (!q.zero_point) return symmetric(quantile_of_magnitudes(x, lanes, percent / 100));
  const auto at = [&](double share) {
    return for_lanes(x, lanes, [=](std::vector<double> numbers) { return order_statistic(numbers, share); });
  };
  return {at(1 - percent / 100), at(percent / 100), {}};
}

void LeastError::fields(Fields& f) { f("candidates", candidates, "extents to try, even parts of the largest", {1, 10000}); }

Extent LeastError::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const Extent all = AbsMax().measure(x, lanes, q);
  Extent best{all.low.clone(), all.high.clone(), {}};
  Tensor least;
  for (int i = candidates; i >= 1; --i) {
    const double share = static_cast<double>(i) / candidates;
    const Extent part{scaled(all.low, share), scaled(all.high, share), {}};
    const Fit f = fit(part, q);
    const Tensor error = squared_errors(x, seen(x, lanes, q, f.scale, f.zero_point), lanes);
    if (!least) least = error.clone();
    for (size_t c = 0; c < static_cast<size_t>(lanes.channels); ++c) {
      if (!(error.data<float>()[c] < least.data<float>()[c])) continue;
      least.data<float>()[c] = error.data<float>()[c];
      best.low.data<float>()[c] = part.low.data<float>()[c];
      best.high.data<float>()[c] = part.high.data<float>()[c];
    }
  }
  return best;
}

void WithinError::fields(Fields& f) { f("error", error, "mean squared, that is allowed", {0, 1e30}); }

Extent WithinError::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  constexpr int kHalvings = 24;
  const double reach = q.ends().reach();
  const Tensor largest = AbsMax().measure(x, lanes, q).high;
  Tensor fine = scaled(largest, 1 / reach), wide = largest.clone();
  for (int i = 0; i < kHalvings; ++i) {
    const Tensor middle = zip(fine, wide, [](auto a, auto b) { return std::sqrt(a * b); });
    const Tensor found = squared_errors(x, seen(x, lanes, q, map(middle, [](auto s) { return s > 0 ? s : 1; })), lanes);
    for (size_t c = 0; c < static_cast<size_t>(lanes.channels); ++c) {
      const bool is_within = static_cast<double>(found.data<float>()[c]) <= error;
      (is_within ? fine : wide).data<float>()[c] = middle.data<float>()[c];
    }
  }
  return symmetric(scaled(fine, reach));
}

void Divergence::fields(Fields& f) { f("bins", bins, "of the histogram of magnitudes", {16, 65536}); }

Extent Divergence::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const Format grid = q.grid();
  const int64_t levels = std::clamp<int64_t>(grid.hi() - std::max<int64_t>(grid.zero_code(), 0) + 1, 1, bins);
  return symmetric(for_lanes(x, lanes, [&](std::vector<double> numbers) {
    return least_divergent(magnitudes(std::move(numbers)), bins, static_cast<size_t>(levels));
  }));
}

void LeastSquares::fields(Fields& f) {
  f("iterations", iterations, "at most", {1, 10000});
  f("tolerance", tolerance, "stop when the squared error falls by less than this share", {0, 1});
}

Extent LeastSquares::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  Tensor offset(Shape{lanes.channels}), high(Shape{lanes.channels});
  const bool is_free = bool(q.offset);
  parallel_for(lanes.channels, 1, [&](int64_t c) {
    const Line line = alternated(lane_of(x, lanes, c), *this, q, is_free);
    offset.data<float>()[static_cast<size_t>(c)] = static_cast<float>(line.offset);
    high.data<float>()[static_cast<size_t>(c)] = static_cast<float>(line.scale * q.ends().reach());
  });
  Extent e = symmetric(high);
  if (is_free) e.offset = offset;
  return e;
}

}  // namespace lp
