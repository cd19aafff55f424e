// Counting what quantizers do.
#include "lptrain/quant/tally.h"

#include <cmath>
#include <limits>
#include <vector>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// From where on a number, in units of the scale, is beyond the grid: half a step outside of its ends.
GridEnds limits_of(const Quantizer& q, int32_t zero_point) {
  const Format g = q.grid();
  const double low = 2 * g.min() - g.tie(g.lo()), high = 2 * g.max() - g.tie(g.hi() - 1);
  const double shift = g.is_integer_grid() ? std::ldexp(zero_point, -g.fraction_bits) : 0;
  return {low - shift, high - shift};
}

// What one element is held against.
struct Place {
  GridEnds limits;
  int64_t Tally::*beyond;  // which count is that of numbers beyond the grid
  const float *divider, *offset;
  Lanes lanes;
  int64_t row, whole_row;  // elements of a row, and of one that is filled up to whole blocks

  bool is_beyond(double x, int64_t i) const {
    if (!divider) return false;
    const int64_t at = row == whole_row ? i : i / row * whole_row + i % row, c = at / lanes.inner % lanes.channels;
    const double u = (x - (offset ? static_cast<double>(offset[c]) : 0)) / static_cast<double>(divider[c]);
    return u <= limits.low || u >= limits.high;
  }
};

Place place_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  const Quantizer& q = *how.quantizer;
  Place p{{0, 0}, q.overflows() == Overflow::saturate ? &Tally::saturated : &Tally::overflows, nullptr, nullptr, {}, 1, 1};
  if (!scale) return p;
  p.limits = limits_of(q, how.zero_point);
  p.divider = (how.decision.value ? how.decision.tensor() : scale).data<float>().data();
  if (how.offset.value) p.offset = how.offset.tensor().data<float>().data();
  const int64_t missing = missing_in_blocks(x.shape(), q.per);
  if (x.shape().rank() > 0) {
    p.row = std::max<int64_t>(1, x.shape().back());
    p.lanes = lanes_of(missing ? x.shape().with(-1, x.shape().back() + missing) : x.shape(), q.per, how.axis);
  }
  p.whole_row = p.row + missing;
  return p;
}

void count(Tally& t, const Place& place, double x, double y, int64_t i) {
  t.zeros += x == 0;
  t.nans += !std::isfinite(x);
  if (!std::isfinite(x)) return;
  if (place.is_beyond(x, i))
    ++(t.*place.beyond);
  else
    t.underflows += x != 0 && y == 0;
  if (!std::isfinite(y)) return;
  t.signal += x * x;
  t.noise += (y - x) * (y - x);
}

}  // namespace

void Tally::fields(Fields& f) {
  const Range counts{0, 1e18};
  f("numbers", numbers, "how many were looked at", counts);
  f("zeros", zeros, "were 0 before", counts);
  f("underflows", underflows, "were not 0, and became 0", counts);
  f("saturated", saturated, "lay beyond the grid, and were moved to its end", counts);
  f("overflows", overflows, "lay beyond the grid, and became infinite or wrapped around", counts);
  f("nans", nans, "were infinite or NaN before", counts);
  f("signal", signal, "sum of x^2");
  f("noise", noise, "sum of (q - x)^2");
}

Tally& Tally::operator+=(const Tally& o) {
  for (int64_t Tally::*count :
       {&Tally::numbers, &Tally::zeros, &Tally::underflows, &Tally::saturated, &Tally::overflows, &Tally::nans})
    this->*count += o.*count;
  signal += o.signal;
  noise += o.noise;
  return *this;
}

double Tally::share(int64_t Tally::*count) const {
  const int64_t all = count == &Tally::underflows ? numbers - zeros : numbers;
  return all > 0 ? static_cast<double>(this->*count) / static_cast<double>(all) : 0;
}

double Tally::sqnr_db() const {
  if (noise > 0) return signal > 0 ? 10 * std::log10(signal / noise) : 0;
  return signal > 0 ? std::numeric_limits<double>::infinity() : 0;
}

Tally tally(const Tensor& x, const Tensor& y, const Tensor& scale, const QuantizeHow& how) {
  require(x.shape() == y.shape() && x.dtype() == y.dtype(), "tally: {} {} and {} {}", name_of(x.dtype()), x.shape().text(),
          name_of(y.dtype()), y.shape().text());
  const Place place = place_of(x, scale, how);
  std::vector<Tally> parts(static_cast<size_t>((x.size() + kGrain - 1) / kGrain));
  visit_real(x.dtype(), [&]<class T>() {
    const T *a = x.data<T>().data(), *b = y.data<T>().data();
    parallel_chunks(x.size(), kGrain, [&](int64_t begin, int64_t end) {
      Tally& part = parts[static_cast<size_t>(begin / kGrain)];
      for (int64_t i = begin; i < end; ++i) count(part, place, static_cast<double>(a[i]), static_cast<double>(b[i]), i);
    });
  });
  Tally all;
  for (const Tally& part : parts) all += part;
  all.numbers = x.size();
  return all;
}

Tally tally(const Tensor& x, const Tensor& y, const Quantizer& q, int axis) {
  const Fit f = fit_to(x, q, axis);
  QuantizeHow how{&q, axis, f.zero_point};
  if (f.decision) how.decision = Var(f.decision);
  if (f.offset) how.offset = Var(f.offset);
  return tally(x, y, f.scale, how);
}

}  // namespace lp
