// A quantizer: four orthogonal choices (format, scale, rounding, gradient), each a row of its own table. A method of
// quantization-aware training is a combination.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lptrain/base/fields.h"
#include "lptrain/grad/tape.h"
#include "lptrain/kernel/quantize.h"
#include "lptrain/number/format.h"
#include "lptrain/number/rounding.h"
#include "lptrain/quant/estimator.h"
#include "lptrain/quant/per.h"

namespace lp {

struct Quantizer;

// The interval of reals, for each scale, that the ends of a grid are laid on, and the real offset that both are seen from.
// Symmetric measurements have low = -high. f32 [scales] each; the offset is empty if there is none. An observed rule may keep a
// memory of its own beside them: the maxima of the last steps, the number of looks so far.
struct Extent {
  Tensor low, high, offset = {}, memory = {};
};

// The least and greatest real of a grid, in units of the scale.
struct GridEnds {
  double low, high;
  double reach() const { return high > 0 ? high : -low; }  // what an extent is laid on: high, but of int1 (-1, 0) the low end
};

// Where a scale comes from. A rule looks at a tensor and answers with the extent that the grid should cover.
struct Scale {
  enum class Kind {
    measured,  // on the very tensor that is quantized, now
    observed,  // from what earlier steps left in the lens; statistics are applied after the optimizer step
    learned,   // a parameter with the gradient ds (LSQ: Esser et al. 2020); measured once to begin with
    fixed,     // given
    own,       // the rule has a formula of its own (apply): codebooks, TTQ
  };
  virtual ~Scale() = default;
  virtual std::unique_ptr<Scale> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual Kind kind() const = 0;

  // x (less its offset) as `lanes`, one scale each. With a zero point in q, low and high may differ in magnitude.
  virtual Extent measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const = 0;
  // Whether the least and greatest element of x tell all that the rule wants to know (of one scale for all of x).
  virtual bool reads_extremes_only() const { return false; }
  // Why the rule cannot serve that quantizer, and what is possible; "": it can.
  virtual std::string objection(const Quantizer& q) const {
    (void)q;
    return "";
  }
  virtual bool brings_offset() const { return false; }  // measure() gives an offset that nobody asked for
  // observed: the new state; whether it has a memory; and whether x passes as it is until more has been seen.
  virtual Extent blend(const Extent& old, const Extent& now) const {
    (void)old;
    return now;
  }
  virtual bool has_memory() const { return false; }
  virtual bool waits(const Extent& state) const {
    (void)state;
    return false;
  }
  // Elements may lie beyond the extent, where the estimator then clips. A scale measured on the very tensor that it scales covers
  // it: rounding of max/s must not freeze the largest weight.
  virtual bool clips() const { return kind() != Kind::measured; }
  virtual bool shifts(const Quantizer& q) const {  // every scale is a power of two: dividing by it moves bits
    (void)q;
    return false;
  }
  virtual bool learns() const { return kind() == Kind::learned; }
  virtual bool decays() const { return false; }  // learned: weight decay applies
  // learned: ds = sum dy (v - u h'), as in LSQ; else v is replaced by h(u), as in PACT.
  virtual bool learns_from_rounding() const { return true; }
  // learned: what ds is multiplied with; n numbers share a scale, the grid reaches to `reach`.
  virtual double gradient_factor(double n, double reach) const {
    (void)n, (void)reach;
    return 1;
  }
  // measured: dL/dx through the scale, s being a function of x (XNOR-Net); empty: s counts as a constant.
  virtual Tensor pulled_back(const Tensor& ds, const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
    (void)ds, (void)x, (void)lanes, (void)q;
    return {};
  }
  // own: what is learned to begin with (empty: nothing), and the formula itself.
  virtual Tensor start(const Tensor& x, const Quantizer& q) const {
    (void)x, (void)q;
    return {};
  }
  virtual Var apply(const Var& x, const Var& learned, const Quantizer& q) const {
    (void)learned, (void)q;
    return x;
  }
  // own: the narrowest format that holds what apply() makes.
  virtual Format reached(const Tensor& learned, const Quantizer& q) const;
};
template <>
std::span<const ChoiceRow<Scale>> choices<Scale>();

// Where the real offset o of q = s v + o comes from.
struct Offset {
  virtual ~Offset() = default;
  virtual std::unique_ptr<Offset> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual bool learns() const { return false; }  // a parameter with the gradient do (LSQ+); measured once to begin with
  virtual Tensor measure(const Tensor& x, const Lanes& lanes) const = 0;  // f32 [scales]
};
template <>
std::span<const ChoiceRow<Offset>> choices<Offset>();

struct Quantizer {
  Format format = kF32;
  bool narrow = false;  // leave out the lowest code, so that the grid is symmetric (int8: -127..127)
  Choice<Scale> scale;  // nothing chosen: absmax for integers, mean_abs for binary and ternary, 1 for the others
  Per per = Per::tensor;
  Format scale_format = kF32;  // that scales are stored in; an 8-bit one with a sign of reach gets one f32 for the tensor besides
  Choice<Scale> decision;      // what x is divided by, where it is not the scale: r
  bool zero_point = false;     // shift the grid so that it covers [low, high] (affine quantization); one scale per tensor
  Choice<Offset> offset;       // a real that is taken away before and added after
  Rounding rounding = Rounding::nearest_even;
  std::optional<Overflow> overflow;  // nothing: infinity for f16 and bf16, as hardware converts; else saturate
  Estimator gradient;

  static constexpr std::string_view kShorthand = "format";
  void fields(Fields& f);

  bool is_identity() const { return format == kF32 || format == kF64; }
  Format grid() const { return narrow ? format.narrow() : format; }
  GridEnds ends() const;
  const Scale& rule() const;                                              // the chosen scale, or the default of the format
  const Scale& divider() const { return decision ? *decision : rule(); }  // the rule behind r
  Overflow overflows() const;
  double bits_for(const Shape& shape, int axis) const;  // of all codes and scales of a tensor
  bool operator==(const Quantizer& o) const;            // written alike
};

// Scales, decision scales and offsets, ready for use: f32 [scales]; the last two are empty where there are none.
struct Fit {
  Tensor scale;
  int32_t zero_point = 0;
  Tensor offset = {}, decision = {};
};

// Offset and extent of x, as q's rules measure them.
Extent measure(const Tensor& x, const Quantizer& q, int axis);

// Lays the grid on an extent: symmetric s = max(|low|, |high|) / reach of the grid; affine s = (high - low) / (number of steps),
// with the zero point round(lo - low / s) and the extent widened to contain 0, which must be on the grid. An empty extent gives
// the largest s of the others, or 1. Then s is rounded to its own format.
//   Source: Jacob et al. 2018, section 2.1; two levels of scales: NVFP4 (NVIDIA 2025).
Fit fit(const Extent& extent, const Quantizer& q);
// Decision scales of x seen from its offset; empty if q has none.
Tensor decisions(const Tensor& x, const Quantizer& q, int axis, const Tensor& offset);
// All of it, measured on x now.
Fit fit_to(const Tensor& x, const Quantizer& q, int axis);

}  // namespace lp
