// How a grid is laid on what a scale rule measured.
#include <algorithm>
#include <cmath>

#include "lptrain/quant/quantizer.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

bool is_usable(float s) { return s > 0 || std::isnan(s); }

// Lanes without an extent hold nothing but zeros: any scale serves. The largest of the others keeps them from standing out.
void fill_empty(std::span<float> scale) {
  float largest = 0;
  for (float s : scale) largest = std::max(largest, s);
  for (float& s : scale)
    if (!is_usable(s)) s = largest > 0 ? largest : 1;
}

// Scales as their format has them. One of 8 bits that does not reach as far as f32 (e4m3) is relative to one f32 for the tensor,
// with which the largest scale becomes its largest real. A scale never becomes 0.
void store_in(const Format& format, std::span<float> scale) {
  if (format == kF32) return;
  const bool is_relative = format.bits() <= 8 && format.range_bits < 8;
  const double most = static_cast<double>(*std::ranges::max_element(scale));
  const float unit = is_relative ? static_cast<float>(most / format.max()) : 1.0f;
  for (float& s : scale) {
    const double stored = round_value(format, static_cast<double>(s) / static_cast<double>(unit), Rounding::nearest_even);
    s = static_cast<float>(stored < format.smallest() ? format.smallest() : stored) * unit;
  }
}

Fit affine_fit(double low, double high, const Quantizer& q) {
  const GridEnds ends = q.ends();
  Fit result{Tensor(Shape{1}), 0, {}, {}};
  auto scale = result.scale.data<float>();
  const double bottom = std::min(low, 0.0), top = std::max(high, 0.0);
  scale[0] = static_cast<float>((top - bottom) / (ends.high - ends.low));
  fill_empty(scale);
  store_in(q.scale_format, scale);
  const double z = std::nearbyint(ends.low - bottom / static_cast<double>(scale[0]));
  result.zero_point = static_cast<int32_t>(std::isnan(z) ? 0.0 : std::clamp(z, ends.low, ends.high));
  return result;
}

// x less its offset.
Tensor centred(const Tensor& x, const Lanes& lanes, const Tensor& offset) {
  if (!offset) return x;
  const float* o = offset.data<float>().data();
  Tensor y(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    T* b = y.data<T>().data();
    parallel_for(x.size(), kGrain, [&](int64_t i) { b[i] = a[i] - static_cast<T>(o[i / lanes.inner % lanes.channels]); });
  });
  return y;
}

}  // namespace

GridEnds Quantizer::ends() const {
  const Format g = grid();
  return {g.min(), g.max()};
}

Extent measure(const Tensor& given, const Quantizer& q, int axis) {
  const Tensor x = whole_blocks(given, q.per);
  const Lanes lanes = lanes_of(x.shape(), q.per, axis);
  if (!q.offset) return q.rule().measure(x, lanes, q);
  const Tensor offset = q.offset->measure(x, lanes);
  Extent e = q.rule().measure(centred(x, lanes, offset), lanes, q);
  e.offset = e.offset ? add(e.offset, offset) : offset;
  return e;
}

Fit fit(const Extent& extent, const Quantizer& q) {
  const GridEnds ends = q.ends();
  const auto low = extent.low.data<float>(), high = extent.high.data<float>();
  if (q.zero_point) return affine_fit(static_cast<double>(low[0]), static_cast<double>(high[0]), q);
  Fit result{Tensor(extent.high.shape()), 0, extent.offset, {}};
  auto scale = result.scale.data<float>();
  for (size_t c = 0; c < scale.size(); ++c) {
    const float most = std::isnan(low[c]) ? low[c] : std::max(std::abs(high[c]), std::abs(low[c]));
    scale[c] = static_cast<float>(static_cast<double>(most) / ends.reach());
  }
  fill_empty(scale);
  if (!scale.empty()) store_in(q.scale_format, scale);
  return result;
}

Tensor decisions(const Tensor& given, const Quantizer& q, int axis, const Tensor& offset) {
  if (!q.decision) return {};
  const Tensor x = whole_blocks(given, q.per);
  const Lanes lanes = lanes_of(x.shape(), q.per, axis);
  Quantizer divider = q;
  divider.zero_point = false;
  divider.scale_format = kF32;
  return fit(q.decision->measure(centred(x, lanes, offset), lanes, divider), divider).scale;
}

Fit fit_to(const Tensor& x, const Quantizer& q, int axis) {
  Fit f = fit(measure(x, q, axis), q);
  f.decision = decisions(x, q, axis, f.offset);
  return f;
}

}  // namespace lp
