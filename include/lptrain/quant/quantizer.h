// A quantizer: four orthogonal choices (format, scale, rounding, gradient), each a row of its own table. A method of
// quantization-aware training is a combination.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "lptrain/base/fields.h"
#include "lptrain/kernel/quantize.h"
#include "lptrain/number/format.h"
#include "lptrain/number/rounding.h"
#include "lptrain/quant/estimator.h"
#include "lptrain/tensor/value.h"

namespace lp {

// Which elements share a scale.
enum class Per : uint8_t { tensor, channel };
template <>
struct Words<Per> {
  static constexpr std::string_view list[] = {"tensor", "channel"};
};

// The interval of reals, per channel, that the ends of a grid are laid on. Symmetric measurements have low = -high. f32
// [channels] each.
struct Extent {
  Tensor low, high;
};

// The least and greatest real of a grid, in units of the scale.
struct GridEnds {
  double low, high;
  double reach() const { return high > 0 ? high : -low; }  // what an extent is laid on: high, but of int1 (-1, 0) the low end
};

// Where a scale comes from. A rule looks at a tensor and answers with the extent that the grid should cover.
struct Scale {
  enum class Kind {
    measured,  // on the very tensor that is quantized, now: it never clips by definition, so the gradient passes unchanged
    observed,  // from what earlier steps left in the lens; statistics are applied after the optimizer step
    learned,   // a parameter with the gradient ds (LSQ: Esser et al. 2020); measured once to begin with
    fixed,     // given
  };
  virtual ~Scale() = default;
  virtual std::unique_ptr<Scale> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual Kind kind() const = 0;
  // Whether the least and greatest element of each lane tell all that the rule wants to know.
  virtual bool reads_extremes_only() const { return false; }
  // x seen as `lanes`; `is_affine`: low and high may differ in magnitude (a zero point will be set).
  virtual Extent measure(const Tensor& x, const Lanes& lanes, const GridEnds& ends, bool is_affine) const = 0;
  virtual Extent blend(const Extent& old, const Extent& now) const {
    (void)old;
    return now;
  }  // observed: the new state
};
template <>
std::span<const ChoiceRow<Scale>> choices<Scale>();

struct Quantizer {
  Format format = kF32;
  bool narrow = false;  // leave out the lowest code, so that the grid is symmetric (int8: -127..127)
  Choice<Scale> scale;  // nothing chosen: absmax for integers, mean_abs for binary and ternary, 1 for floats and fixed point
  Per per = Per::tensor;
  bool zero_point = false;  // shift the grid so that it covers [low, high] (affine quantization); one scale per tensor
  Rounding rounding = Rounding::nearest_even;
  Estimator gradient;

  static constexpr std::string_view kShorthand = "format";
  void fields(Fields& f);

  bool is_identity() const { return format == kF32 || format == kF64; }
  Format grid() const { return narrow ? format.narrow() : format; }
  GridEnds ends() const;
  const Scale& rule() const;                  // the chosen scale, or the default of the format
  bool operator==(const Quantizer& o) const;  // written alike
};

// A scale and zero point, ready for use: scale f32 [channels].
struct Fit {
  Tensor scale;
  int32_t zero_point = 0;
};

// Lays the grid on an extent: symmetric s = max(|low|, |high|) / reach of the grid; affine s = (high - low) / (number of steps),
// with the zero point round(lo - low / s) and the extent widened to contain 0, which must be on the grid. An empty extent gives
// the largest s of the other channels, or 1.
//   Source: Jacob et al. 2018, section 2.1.
Fit fit(const Extent& extent, const Quantizer& q);

// The lanes of a tensor quantized per tensor or per channel (`axis`).
Lanes lanes_of(const Shape& shape, Per per, int axis);

}  // namespace lp
