// How a real becomes one of its two neighbours in a format: the only place where lptrain says what rounding means.
#pragma once
#include <cstdint>
#include <string_view>

#include "lptrain/base/fields.h"
#include "lptrain/number/format.h"

namespace lp {

// Which neighbour, lower or upper, is taken by an x strictly between them. A real of the format is never changed.
//   nearest_even   the nearer; a tie goes to the even code. For floats this is IEEE 754 round to nearest, ties to even; for
//                  binary, whose code of +1 is 0, it makes 0 a +1; for posits it is the rounding of the standard (Format::tie)
//   nearest_away   the nearer; a tie goes to the larger magnitude (binary: +1)
//   floor, ceil    the lower, the upper
//   zero           the smaller magnitude (binary, whose two are equal: nearest_even)
//   stochastic     the upper if u < (x - lower) / (upper - lower), so that the mean over u in (0, 1) is x
//   pseudo_stochastic  no random numbers: of the s bits that are cut off, the leading ceil(s / 2) are the chance p to be rounded
//                  away from zero, the others, as random as anything, the draw r (with a 0 behind them if s is odd): away if
//                  p > r. With h = ceil(s / 2) and low bits that are uniform, the mean is wrong by at most 2^-(h+1) + 4^-h of a
//                  step, whatever the leading bits. s is known from the unit, a power of two of which x is a whole multiple.
//                  (binary: nearest_even)   Source: Wang et al. 2022 (NITI), section 3.3
enum class Rounding : uint8_t { nearest_even, nearest_away, floor, ceil, zero, stochastic, pseudo_stochastic };

// Whether evaluation, which wants the same result every time, and the nearest, rounds to nearest_even instead.
constexpr bool is_stochastic(Rounding r) { return r == Rounding::stochastic || r == Rounding::pseudo_stochastic; }

// What becomes of an x beyond the last real.
//   saturate   the last real; infinities too
//   infinity   floats as IEEE 754 and OCP casts do: rounded as if the next code were a number, and arriving there is
//              infinity, or NaN without infinities (e4m3); formats with neither, and posits, saturate
//   wrap       int and q keep the low bits of the rounded code, as two's complement does; others, and infinities, saturate;
//              a narrow format takes the code that it lacks to lo()
enum class Overflow : uint8_t { saturate, infinity, wrap };

template <>
struct Words<Rounding> {
  static constexpr std::string_view list[] = {"nearest_even", "nearest_away",     "floor", "ceil", "zero",
                                              "stochastic",   "pseudo_stochastic"};
};
template <>
struct Words<Overflow> {
  static constexpr std::string_view list[] = {"saturate", "infinity", "wrap"};
};

// Whether the format knows this way (saturate: always); where it does not, the functions below saturate.
bool has_overflow(const Format& format, Overflow overflow);

// The code of the neighbour of x that `rounding` takes; saturates. Exact for every double x, without double rounding.
// u: the draw of stochastic, in (0, 1); the unit of pseudo_stochastic; others do not look at it. NaN: nan_code() if there is one,
// else zero_code().
int64_t round_code(const Format& format, double x, Rounding rounding, double u = 0.5);

// The same with a choice of overflow: Overflow::infinity may return the special codes hi() + 1 and lo() - 1.
int64_t round_code(const Format& format, double x, Rounding rounding, Overflow overflow, double u = 0.5);

// value(round_code(...)). Signed floats keep the sign of zero: -1e-9 in f16 is -0.
double round_value(const Format& format, double x, Rounding rounding, Overflow overflow = Overflow::saturate, double u = 0.5);

}  // namespace lp
