// The table of scale rules, and those of them that look at magnitudes.
#include <algorithm>
#include <limits>

#include "scales.h"

namespace lp {
namespace {

Tensor per_lane(const Lanes& lanes) { return Tensor(Shape{lanes.channels}); }

Tensor largest_of(const Tensor& x, const Lanes& lanes) {
  Tensor most = per_lane(lanes);
  absmax(lanes, x.dtype(), x.raw(), most.data<float>().data());
  return most;
}
Tensor mean_of(const Tensor& x, const Lanes& lanes) {
  Tensor mean = per_lane(lanes);
  mean_abs(lanes, x.dtype(), x.raw(), mean.data<float>().data());
  return mean;
}

bool is_integer(const Format& f) { return f.is_integer_grid() && f.fraction_bits == 0; }

// One step of an integer grid, in units of the scale; 0 of others, whose steps differ.
double step_of(const Quantizer& q) { return q.format.is_integer_grid() ? std::ldexp(1.0, -q.format.fraction_bits) : 0; }

int floor_log2(double x) { return std::ilogb(x); }
int ceil_log2(double x) { return std::ilogb(x) + (std::ldexp(1.0, std::ilogb(x)) < x); }
// round(log2 x), from x^2: the largest k with x^2 >= 2^(2k - 1).
int round_log2_root(double square) { return (std::ilogb(square) + 1) >> 1; }

int exponent_of(PowerRule rule, double most, double reach, int mantissa_bits) {
  switch (rule) {
    case PowerRule::floor: return floor_log2(most) - floor_log2(reach);
    case PowerRule::ceil: return ceil_log2(most) - floor_log2(reach);
    case PowerRule::reach: return ceil_log2(most / reach);
    case PowerRule::nearest: return round_log2_root(most * most) - floor_log2(reach) - 1;
    case PowerRule::even: break;
  }
  const double last_place = std::ldexp(1.0, floor_log2(most) - mantissa_bits);
  return floor_log2(std::nearbyint(most / last_place) * last_place) - floor_log2(reach);
}

constexpr ChoiceRow<Scale> kRows[] = {
    choice_row<Scale, AbsMax>("absmax", "largest magnitude of this very tensor"),
    choice_row<Scale, PowerOfTwo>("pow2", "a power of two near the largest magnitude: block floating point, OCP MX"),
    choice_row<Scale, MeanAbs>("mean_abs", "mean magnitude of this very tensor (XNOR-Net, Rastegari et al. 2016)"),
    choice_row<Scale, MeanAbove>("mean_above", "mean of the magnitudes above factor times their mean (TWN, Li & Liu 2016)"),
    choice_row<Scale, Deviation>("deviation", "standard deviation of this very tensor"),
    choice_row<Scale, Percentile>("percentile", "the magnitude that so many percent do not exceed"),
    choice_row<Scale, LeastError>("mse", "the extent with the least squared error, among even parts of the largest magnitude"),
    choice_row<Scale, WithinError>("within_error", "the widest step whose mean squared error does not exceed a number"),
    choice_row<Scale, Divergence>("kl", "the extent with the least Kullback-Leibler divergence of histograms (Migacz 2017)"),
    choice_row<Scale, LeastSquares>("least_squares",
                                    "scale (and offset mean) fitted to the codes by turns, until neither changes"),
    choice_row<Scale, Ema>("ema", "moving average over the steps so far of another rule's extent (absmax)"),
    choice_row<Scale, Delayed>("delayed",
                               "largest magnitude of the last steps: delayed scaling of fp8 (Micikevicius et al. 2022)"),
    choice_row<Scale, Widest>("widest", "the widest extent of another rule (absmax) so far: the min-max observer"),
    choice_row<Scale, OverflowRate>("overflow_rate",
                                    "dynamic fixed point: a power of two that moves by the share of numbers that "
                                    "overflow (Courbariaux et al. 2015)"),
    choice_row<Scale, Fixed>("fixed", "a given number, by default 1"),
    choice_row<Scale, FanIn>("fan_in", "sqrt(factor / fan-in) of weights: with 6 the bound that they are drawn from"),
    choice_row<Scale, LayerShift>(
        "layer_shift", "a power of two for each layer, from the number of its inputs: of weights (WAGE, Wu et al. 2018)"),
    choice_row<Scale, Learned>("learned", "a trained parameter (LSQ, Esser et al. 2020)"),
    choice_row<Scale, Pact>("pact", "a trained clipping level (PACT, Choi et al. 2018)"),
    choice_row<Scale, KMeans>("kmeans", "a trained codebook of 2^bits numbers (Deep Compression, Han et al. 2016)"),
    choice_row<Scale, TwoLevels>("ttq",
                                 "two trained numbers for ternary: q = wp where x > D, -wn where x < -D, else 0, D = threshold "
                                 "max |x|; dx = dy times wp, wn or 1 (TTQ, Zhu et al. 2017)"),
    choice_row<Scale, Dorefa>(
        "dorefa",
        "an even grid over [-1, 1]: q = 2 round((2^k - 1) (t / 2 + 1/2)) / (2^k - 1) - 1, t = tanh(x) / max "
        "|tanh(x)|, differentiated through tanh and max (DoReFa-Net, Zhou et al. 2016)"),
    choice_row<Scale, LearnedBits>(
        "learned_bits",
        "q = d clamp(round(x / d), -n, n), n = round(m / d): step d and range m are trained, and so "
        "is the width that n needs; dx = dy within the range, dd = sum dy (v - x / d) there, dm = sum dy "
        "sign(x) beyond (Uhlich et al. 2020)"),
    choice_row<Scale, Errata>("errata", "printed rules that are wrong, to see how they fail"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Scale>> choices<Scale>() {
  return kRows;
}

Format Scale::reached(const Tensor&, const Quantizer& q) const { return q.format; }

const Scale& Quantizer::rule() const {
  static const AbsMax kAbsMax;
  static const MeanAbs kMeanAbs;
  static const Fixed kOne;
  if (scale) return *scale;
  if (format.family == Format::Family::Binary || format.family == Format::Family::Ternary) return kMeanAbs;
  return is_integer(format) ? static_cast<const Scale&>(kAbsMax) : kOne;
}

void AbsMax::fields(Fields& f) {
  f("steps", steps, "that the extent counts for: \"2^n - 1\" (between codes) or \"2^n\" (integer grids; the end itself clips)");
  f("mid_rise", mid_rise,
    "all codes lie evenly over [-max, max], 0 between two of them (gradients in DoReFa-Net, Zhou et al. 2016, eq. 12)");
}

std::string AbsMax::objection(const Quantizer& q) const {
  const bool is_free = !q.zero_point && !q.offset && steps == Steps::between_codes && !q.decision;
  return !mid_rise || (is_free && is_integer(q.format))
             ? ""
             : "\"mid_rise\" needs an integer format, without \"zero_point\", \"offset\", \"decision\" or \"steps\"";
}

// The offset takes -max to the lowest code, 2 max are shared out among all steps.
static Extent all_codes_over(const Tensor& most, const GridEnds& ends) {
  Extent e = symmetric(scaled(most, 2 * ends.reach() / (ends.high - ends.low)));
  e.offset = scaled(most, -(ends.high + ends.low) / (ends.high - ends.low));
  return e;
}

Extent AbsMax::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  if (mid_rise) return all_codes_over(largest_of(x, lanes), q.ends());
  const double reach = q.ends().reach(), share = steps == Steps::of_codes ? reach / (reach + step_of(q)) : 1;
  if (!q.zero_point) return symmetric(scaled(largest_of(x, lanes), share));
  Extent e{per_lane(lanes), per_lane(lanes), {}};
  minmax(lanes, x.dtype(), x.raw(), e.low.data<float>().data(), e.high.data<float>().data());
  return {scaled(e.low, share), scaled(e.high, share), {}};
}

void MeanAbs::fields(Fields& f) {
  f("factor", factor, "scale = factor * mean |x|", {1e-6, 1e6});
  f("differentiable", differentiable, "the scale's gradient flows on into x, as XNOR-Net derives it");
}

std::string MeanAbs::objection(const Quantizer& q) const {
  const bool is_known = q.per.kind != Per::Kind::network && !q.zero_point && !q.offset;
  return !differentiable || is_known ? ""
                                     : "the gradient through \"mean_abs\" is that of the tensor itself: leave out \"offset\" and "
                                       "\"zero_point\", and say \"per\": \"tensor\" or \"channel\"";
}

Extent MeanAbs::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  return symmetric(scaled(mean_of(x, lanes), factor * q.ends().reach()));
}

// ds/dx = factor sign(x) / n
Tensor MeanAbs::pulled_back(const Tensor& ds, const Tensor& x, const Lanes& lanes, const Quantizer&) const {
  if (!differentiable) return {};
  const double share = factor / static_cast<double>(lanes.outer * lanes.inner);
  const float* d = ds.data<float>().data();
  Tensor dx(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    T* out = dx.data<T>().data();
    parallel_for(x.size(), kGrain, [&](int64_t i) {
      const T slope = static_cast<T>(share * static_cast<double>(d[i / lanes.inner % lanes.channels]));
      out[i] = a[i] > 0 ? slope : a[i] < 0 ? -slope : T(0);
    });
  });
  return dx;
}

void MeanAbove::fields(Fields& f) { f("factor", factor, "of the mean magnitude, from which on numbers count", {0, 10}); }

Extent MeanAbove::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  Tensor high = mean_of(x, lanes);
  for (int64_t c = 0; c < lanes.channels; ++c) {
    float& mean = high.data<float>()[static_cast<size_t>(c)];
    double sum = 0, count = 0;
    for (const double v : lane_of(x, lanes, c))
      if (std::abs(v) > factor * static_cast<double>(mean)) sum += std::abs(v), ++count;
    if (count > 0) mean = static_cast<float>(sum / count);
  }
  return symmetric(scaled(high, q.ends().reach()));
}

void Deviation::fields(Fields& f) { f("factor", factor, "scale = factor * standard deviation of x", {1e-6, 1e6}); }

Extent Deviation::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  Tensor high = per_lane(lanes);
  for (int64_t c = 0; c < lanes.channels; ++c) {
    const std::vector<double> numbers = lane_of(x, lanes, c);
    double mean = 0, square = 0;
    for (const double v : numbers) mean += v / static_cast<double>(numbers.size());
    for (const double v : numbers) square += (v - mean) * (v - mean) / static_cast<double>(numbers.size());
    high.data<float>()[static_cast<size_t>(c)] = static_cast<float>(factor * std::sqrt(square) * q.ends().reach());
  }
  return symmetric(high);
}

void PowerOfTwo::fields(Fields& f) {
  f("rule", rule, "floor (OCP MX), ceil, even, reach (saturates nothing) or nearest (WAGE)");
  f("shift", shift, "bits that are dropped besides: the power of two is 2^shift times what the rule says", {-30, 30});
}

Extent PowerOfTwo::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const double reach = q.ends().reach();
  return symmetric(map(largest_of(x, lanes), [&](auto most) -> decltype(most) {
    if (most == 0 || !std::isfinite(most)) return most;
    return static_cast<decltype(most)>(
        std::ldexp(reach, exponent_of(rule, static_cast<double>(most), reach, q.format.fraction_bits) + shift));
  }));
}

void Fixed::fields(Fields& f) {
  f("value", value, "the scale: the real that 1 on the grid stands for", {1e-30, 1e30});
  f("high", high, "in its place: the real that the far end of the grid stands for", {1e-30, 1e30});
}

bool Fixed::shifts(const Quantizer& q) const {
  const double scale = high ? *high / q.ends().reach() : value;
  return std::ldexp(1.0, std::ilogb(scale)) == scale;
}

Extent Fixed::measure(const Tensor&, const Lanes& lanes, const Quantizer& q) const {
  return symmetric(lanes, high.value_or(value * q.ends().reach()));
}

void FanIn::fields(Fields& f) { f("factor", factor, "scale = sqrt(factor / fan-in)", {1e-6, 1e6}); }

// Signs of weights times this are what BinaryConnect's authors multiply the rates of +-1 weights for: a step moves as large a
// share of the way from -1 to 1.   Source: Courbariaux, Bengio & David 2015, section 2.5
Extent FanIn::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const double fan_in = x.shape().rank() == 0 ? 1 : static_cast<double>(x.shape().after(0));
  return symmetric(lanes, std::sqrt(factor / std::max(fan_in, 1.0)) * q.ends().reach());
}

void LayerShift::fields(Fields& f) {
  f("gain", gain, "of the range: 1.414 is what a relu needs, more leaves room to grow", {1e-3, 1e3});
}

Extent LayerShift::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const double reach = q.ends().reach(), fan_in = static_cast<double>(x.shape().rank() > 1 ? x.shape().after(0) : x.size());
  const double end = std::ldexp(1.0, round_log2_root(3 * gain * gain / std::max(1.0, fan_in)));
  return symmetric(lanes, end * reach / std::ldexp(1.0, floor_log2(reach) + 1));
}

// Starts at s = 2 mean|x| / sqrt(Q), Q the greatest of the grid.   Source: Esser et al. 2020, section 2.1.
Extent Learned::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  return symmetric(scaled(mean_of(x, lanes), 2 * std::sqrt(std::max(q.ends().reach(), 1.0))));
}

void Pact::fields(Fields& f) {
  f("alpha", alpha, "the clipping level to begin with", {1e-6, 1e6});
  f("decays", is_decayed, "the optimizer's weight decay holds it small, as the paper's regularization does");
}

std::string Pact::objection(const Quantizer& q) const {
  return q.ends().low == 0
             ? ""
             : fmt::format("\"pact\" clips to [0, alpha]: it needs a grid without negative numbers, say uint4, found {}",
                           q.format.name());
}

Extent Pact::measure(const Tensor&, const Lanes& lanes, const Quantizer&) const { return symmetric(lanes, alpha); }

}  // namespace lp
