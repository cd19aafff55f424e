// The scale rules: what each looks at. Their table is in scale.cpp; each is defined in the file that its group says.
#pragma once
#include <cmath>

#include "lptrain/quant/quantizer.h"
#include "lptrain/tensor/math.h"

namespace lp {

// What is alike in all rows: T is the rule itself.
template <class T, Scale::Kind kKind>
struct ScaleRow : Scale {
  std::unique_ptr<Scale> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
  Kind kind() const override { return kKind; }
};

inline Extent symmetric(const Tensor& high) { return {scaled(high, -1), high, {}}; }
inline Extent symmetric(const Lanes& lanes, double high) { return symmetric(Tensor::full(Shape{lanes.channels}, high)); }

// How many steps of the grid an extent counts for: "2^n - 1" lays the largest real of the grid on its end; "2^n" lays the end one
// step beyond, so that 2^n steps (one of n bits more than there are codes) cover [low, high).
enum class Steps : uint8_t { between_codes, of_codes };
template <>
struct Words<Steps> {
  static constexpr std::string_view list[] = {"2^n - 1", "2^n"};
};

// ---- Magnitudes (scale.cpp)

// Mid-rise: all codes lie evenly over [-max, max], 0 between two of them; mid-tread, else: one of them is 0.
struct AbsMax : ScaleRow<AbsMax, Scale::Kind::measured> {
  Steps steps = Steps::between_codes;
  bool mid_rise = false;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool reads_extremes_only() const override { return !mid_rise; }
  bool brings_offset() const override { return mid_rise; }
};

struct MeanAbs : ScaleRow<MeanAbs, Scale::Kind::measured> {
  double factor = 1;
  bool differentiable = false;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Tensor pulled_back(const Tensor& ds, const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

struct MeanAbove : ScaleRow<MeanAbove, Scale::Kind::measured> {
  double factor = 0.7;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

struct Deviation : ScaleRow<Deviation, Scale::Kind::measured> {
  double factor = 1;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool clips() const override { return true; }
};

// Which power of two becomes the scale of a block whose largest magnitude is m, on a grid that reaches to g:
//   floor   floor(log2 m) - floor(log2 g)       OCP MX 1.0, section 6.3; elements above g saturate
//   ceil    ceil(log2 m) - floor(log2 g)
//   even    floor(log2 m') - floor(log2 g), m' = m rounded to the mantissa of the elements, ties to even
//   reach   ceil(log2(m / g)): the least that saturates nothing
//   nearest round(log2 m) - floor(log2 g) - 1: the ends of the grid lie at the power of two nearest to m (WAGE's Shift)
// Then `shift` is added: on a grid of integers the numbers lose so many bits more, as rounding right shifts take them.
enum class PowerRule : uint8_t { floor, ceil, even, reach, nearest };
template <>
struct Words<PowerRule> {
  static constexpr std::string_view list[] = {"floor", "ceil", "even", "reach", "nearest"};
};
struct PowerOfTwo : ScaleRow<PowerOfTwo, Scale::Kind::measured> {
  PowerRule rule = PowerRule::floor;
  int shift = 0;
  bool shifts(const Quantizer&) const override { return true; }
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool reads_extremes_only() const override { return true; }
};

struct Fixed : ScaleRow<Fixed, Scale::Kind::fixed> {
  double value = 1;
  std::optional<double> high;
  bool shifts(const Quantizer& q) const override;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool reads_extremes_only() const override { return true; }
};

// sqrt(factor / n), n the numbers behind each output: of weights [O, ...] their fan-in.
struct FanIn : ScaleRow<FanIn, Scale::Kind::fixed> {
  double factor = 6;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

// The ends of the grid lie at +-2^round(log2(gain sqrt(3 / fan-in))), the fan-in being the numbers of one output: a power of two
// for each layer that no number moves, and the same for formats of all widths.   Source: Wu et al. 2018 (WAGE), section 3.2
struct LayerShift : ScaleRow<LayerShift, Scale::Kind::fixed> {
  double gain = 2;
  bool shifts(const Quantizer&) const override { return true; }
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

// ---- Learned (scale.cpp)

struct Learned : ScaleRow<Learned, Scale::Kind::learned> {
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  double gradient_factor(double n, double reach) const override { return 1 / std::sqrt(std::max(1.0, n * reach)); }
};

struct Pact : ScaleRow<Pact, Scale::Kind::learned> {
  double alpha = 6;
  bool is_decayed = true;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool decays() const override { return is_decayed; }
  bool learns_from_rounding() const override { return false; }
  // Alpha is s times reach: a step of lr dalpha in alpha is one of lr ds / reach^2 in s.
  double gradient_factor(double, double reach) const override { return 1 / (reach * reach); }
};

// ---- Observed (scale_observed.cpp)

struct Ema : ScaleRow<Ema, Scale::Kind::observed> {
  double decay = 0.99;
  int64_t delay = 0;
  Choice<Scale> of;  // absmax if nothing is chosen
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Extent blend(const Extent& old, const Extent& now) const override;
  std::string objection(const Quantizer& q) const override;
  bool brings_offset() const override { return of && of->brings_offset(); }
  bool has_memory() const override { return delay > 0; }  // the number of looks
  bool waits(const Extent& state) const override;
  bool reads_extremes_only() const override { return !of || of->reads_extremes_only(); }
};

// The maxima of the last steps; the newest stands first.
struct Delayed : ScaleRow<Delayed, Scale::Kind::observed> {
  int64_t history = 16;
  double margin = 0;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Extent blend(const Extent& old, const Extent& now) const override;
  bool has_memory() const override { return true; }
  bool reads_extremes_only() const override { return true; }
};

struct Widest : ScaleRow<Widest, Scale::Kind::observed> {
  Choice<Scale> of;  // absmax if nothing is chosen
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Extent blend(const Extent& old, const Extent& now) const override;
  bool reads_extremes_only() const override { return !of || of->reads_extremes_only(); }
};

struct OverflowRate : ScaleRow<OverflowRate, Scale::Kind::observed> {
  double rate = 0.0001;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Extent blend(const Extent& old, const Extent& now) const override;
};

// ---- Searched (scale_searched.cpp): they look at the numbers of each lane one by one, and may leave some beyond the grid

struct Percentile : ScaleRow<Percentile, Scale::Kind::measured> {
  double percent = 99.9;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool clips() const override { return true; }
};

struct LeastError : ScaleRow<LeastError, Scale::Kind::measured> {
  int candidates = 100;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool clips() const override { return true; }
};

// The widest step of the grid whose mean squared error does not exceed `error`; where none is so fine, the finest that covers x.
// By bisection between that and the largest magnitude: errors of steps grow with them but for small waves.
struct WithinError : ScaleRow<WithinError, Scale::Kind::measured> {
  double error = 1e-4;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

struct Divergence : ScaleRow<Divergence, Scale::Kind::measured> {
  int bins = 2048;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool clips() const override { return true; }
};

struct LeastSquares : ScaleRow<LeastSquares, Scale::Kind::measured> {
  int iterations = 30;
  double tolerance = 0.01;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
};

// The magnitude that a share of |x| does not exceed: the ceil(share n)-th smallest, per lane. NaN if there is one.
Tensor quantile_of_magnitudes(const Tensor& x, const Lanes& lanes, double share);
// The numbers of a lane.
std::vector<double> lane_of(const Tensor& x, const Lanes& lanes, int64_t lane);

// ---- With a formula of their own (codebook.cpp, two_levels.cpp, dorefa.cpp, learned_bits.cpp, errata.cpp)

struct KMeans : ScaleRow<KMeans, Scale::Kind::own> {
  int iterations = 50;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool learns() const override { return true; }
  Tensor start(const Tensor& x, const Quantizer& q) const override;
  Var apply(const Var& x, const Var& learned, const Quantizer& q) const override;
};

// q = wp where x > D, -wn where x < -D, else 0;  D = threshold max |x|.
//   dx = dy {wp, wn, 1},  dwp = sum dy over x > D,  dwn = -sum dy over x < -D
//   Source: Zhu, Han, Mao & Dally 2017 (TTQ), eqs. 7 and 8; learned is [wp, wn].
struct TwoLevels : ScaleRow<TwoLevels, Scale::Kind::own> {
  double threshold = 0.05;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool learns() const override { return true; }
  Tensor start(const Tensor& x, const Quantizer& q) const override;
  Var apply(const Var& x, const Var& learned, const Quantizer& q) const override;
};

// q = 2 round((2^k - 1) (t / 2 + 1/2)) / (2^k - 1) - 1,  t = tanh(x) / max |tanh(x)|; round passes the gradient, max has one.
//   Source: Zhou et al. 2016 (DoReFa-Net), eq. 9
struct Dorefa : ScaleRow<Dorefa, Scale::Kind::own> {
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Var apply(const Var& x, const Var& learned, const Quantizer& q) const override;
};

// q = d clamp(round(x / d), -n, n), n = round(m / d), at most the greatest code of the format. Step d and range m are learned as
// log2 d and log2 m, so that they stay positive; the width is what n needs.
//   dx = dy within the range, else 0;  dd = sum dy (v - u) within;  dm = sum dy sign(x) beyond
//   and, for the penalty p log2(m / d + 1) on the loss: +p r/(r+1) along log2 m and -p r/(r+1) along log2 d, r = m / d
//   Source: Uhlich et al. 2020, "Mixed precision DNNs", section 2 (the parametrization by step and range), with the range on the
//   grid
struct LearnedBits : ScaleRow<LearnedBits, Scale::Kind::own> {
  int64_t bits = 8, least = 2;
  double penalty = 0.01;
  void fields(Fields& f) override;
  std::string objection(const Quantizer& q) const override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  bool learns() const override { return true; }
  Tensor start(const Tensor& x, const Quantizer& q) const override;
  Var apply(const Var& x, const Var& learned, const Quantizer& q) const override;
  Format reached(const Tensor& learned, const Quantizer& q) const override;
};

enum class Erratum : uint8_t { farther_neighbour, unrounded_32_bits, times_2n };
template <>
struct Words<Erratum> {
  static constexpr std::string_view list[] = {"farther_neighbour", "unrounded_32_bits", "times_2n"};
};
struct Errata : ScaleRow<Errata, Scale::Kind::own> {
  Erratum rule = Erratum::farther_neighbour;
  double step = 0.5;
  void fields(Fields& f) override;
  Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const override;
  Var apply(const Var& x, const Var& learned, const Quantizer& q) const override;
  Format reached(const Tensor& learned, const Quantizer& q) const override;  // f32 if nothing is rounded
};

}  // namespace lp
