// The table of scale rules, and how a grid is laid on what they measure.
#include <algorithm>
#include <cmath>

#include "lptrain/quant/quantizer.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

Tensor channels(const Lanes& lanes) { return Tensor(Shape{lanes.channels}); }
Tensor negative(const Tensor& t) { return scaled(t, -1); }

// Extents from the largest magnitude, or from both ends.
Extent full_extent(const Tensor& x, const Lanes& lanes, bool is_affine) {
  Extent e{channels(lanes), channels(lanes)};
  float *low = e.low.data<float>().data(), *high = e.high.data<float>().data();
  if (is_affine) {
    minmax(lanes, x.dtype(), x.raw(), low, high);
  } else {
    absmax(lanes, x.dtype(), x.raw(), high);
    e.low = negative(e.high);
  }
  return e;
}

// factor * mean |x|, in both directions.
Extent mean_extent(const Tensor& x, const Lanes& lanes, double factor) {
  Tensor m = channels(lanes);
  mean_abs(lanes, x.dtype(), x.raw(), m.data<float>().data());
  const Tensor high = scaled(m, factor);
  return {negative(high), high};
}

struct AbsMax : Scale {
  std::unique_ptr<Scale> clone() const override { return std::make_unique<AbsMax>(*this); }
  Kind kind() const override { return Kind::measured; }
  bool reads_extremes_only() const override { return true; }
  Extent measure(const Tensor& x, const Lanes& lanes, const GridEnds&, bool is_affine) const override {
    return full_extent(x, lanes, is_affine);
  }
};

struct MeanAbs : Scale {
  double factor = 1;
  std::unique_ptr<Scale> clone() const override { return std::make_unique<MeanAbs>(*this); }
  void fields(Fields& f) override { f("factor", factor, "scale = factor * mean |x|", {1e-6, 1e6}); }
  Kind kind() const override { return Kind::measured; }
  Extent measure(const Tensor& x, const Lanes& lanes, const GridEnds& ends, bool) const override {
    return mean_extent(x, lanes, factor * ends.reach());
  }
};

struct Ema : Scale {
  double decay = 0.99;
  std::unique_ptr<Scale> clone() const override { return std::make_unique<Ema>(*this); }
  void fields(Fields& f) override { f("decay", decay, "share of the old range that a step keeps", {0, 1}); }
  Kind kind() const override { return Kind::observed; }
  bool reads_extremes_only() const override { return true; }
  Extent measure(const Tensor& x, const Lanes& lanes, const GridEnds&, bool is_affine) const override {
    return full_extent(x, lanes, is_affine);
  }
  Extent blend(const Extent& old, const Extent& now) const override {
    const float keep = static_cast<float>(decay);
    auto mix = [keep](auto a, auto b) { return keep * a + (1 - keep) * b; };
    return {zip(old.low, now.low, mix), zip(old.high, now.high, mix)};
  }
};

struct Fixed : Scale {
  double value = 1;
  std::unique_ptr<Scale> clone() const override { return std::make_unique<Fixed>(*this); }
  void fields(Fields& f) override { f("value", value, "the scale: the real that 1 on the grid stands for", {1e-30, 1e30}); }
  Kind kind() const override { return Kind::fixed; }
  bool reads_extremes_only() const override { return true; }
  Extent measure(const Tensor&, const Lanes& lanes, const GridEnds& ends, bool) const override {
    return {Tensor::full(Shape{lanes.channels}, -value * ends.reach()),
            Tensor::full(Shape{lanes.channels}, value * ends.reach())};
  }
};

// Starts at s = 2 mean|x| / sqrt(Q), Q the greatest of the grid.   Source: Esser et al. 2020, section 2.1.
struct Learned : Scale {
  std::unique_ptr<Scale> clone() const override { return std::make_unique<Learned>(*this); }
  Kind kind() const override { return Kind::learned; }
  Extent measure(const Tensor& x, const Lanes& lanes, const GridEnds& ends, bool) const override {
    return mean_extent(x, lanes, 2 * std::sqrt(std::max(ends.reach(), 1.0)));
  }
};

constexpr ChoiceRow<Scale> kRows[] = {
    choice_row<Scale, AbsMax>("absmax", "largest magnitude of this very tensor"),
    choice_row<Scale, Ema>("ema", "moving average of the largest magnitude over the steps so far"),
    choice_row<Scale, Fixed>("fixed", "a given number"),
    choice_row<Scale, Learned>("learned", "a trained parameter (LSQ, Esser et al. 2020)"),
    choice_row<Scale, MeanAbs>("mean_abs", "mean magnitude of this very tensor (XNOR-Net, Rastegari et al. 2016)"),
};

bool is_usable(float s) { return s > 0 || std::isnan(s); }

// Channels without an extent hold nothing but zeros: any scale serves. The largest of the others keeps them from standing out.
void fill_empty(std::span<float> scale) {
  float largest = 0;
  for (float s : scale) largest = std::max(largest, s);
  for (float& s : scale)
    if (!is_usable(s)) s = largest > 0 ? largest : 1;
}

Fit affine_fit(double low, double high, const GridEnds& ends) {
  Fit result{Tensor(Shape{1}), 0};
  auto scale = result.scale.data<float>();
  const double bottom = std::min(low, 0.0), top = std::max(high, 0.0);
  scale[0] = static_cast<float>((top - bottom) / (ends.high - ends.low));
  fill_empty(scale);
  const double z = std::nearbyint(ends.low - bottom / static_cast<double>(scale[0]));
  result.zero_point = static_cast<int32_t>(std::isnan(z) ? 0.0 : std::clamp(z, ends.low, ends.high));
  return result;
}

}  // namespace

template <>
std::span<const ChoiceRow<Scale>> choices<Scale>() {
  return kRows;
}

const Scale& Quantizer::rule() const {
  static const AbsMax kAbsMax;
  static const MeanAbs kMeanAbs;
  static const Fixed kOne;
  if (scale) return *scale;
  if (format.family == Format::Family::Binary || format.family == Format::Family::Ternary) return kMeanAbs;
  const bool is_integer = format.is_integer_grid() && format.fraction_bits == 0;
  return is_integer ? static_cast<const Scale&>(kAbsMax) : kOne;
}

GridEnds Quantizer::ends() const {
  const Format g = grid();
  return {g.min(), g.max()};
}

Fit fit(const Extent& extent, const Quantizer& q) {
  const GridEnds ends = q.ends();
  const auto low = extent.low.data<float>(), high = extent.high.data<float>();
  if (q.zero_point) return affine_fit(static_cast<double>(low[0]), static_cast<double>(high[0]), ends);
  Fit result{Tensor(extent.high.shape()), 0};
  auto scale = result.scale.data<float>();
  for (size_t c = 0; c < scale.size(); ++c) {
    const float most = std::isnan(low[c]) ? low[c] : std::max(std::abs(high[c]), std::abs(low[c]));
    scale[c] = static_cast<float>(static_cast<double>(most) / ends.reach());
  }
  fill_empty(scale);
  return result;
}

Lanes lanes_of(const Shape& shape, Per per, int axis) {
  if (per == Per::tensor) return {1, 1, shape.size()};
  const int a = axis < 0 ? axis + shape.rank() : axis;
  return {shape.before(a), shape[a], shape.after(a)};
}

}  // namespace lp
