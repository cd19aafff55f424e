// Seven rules that pick one of two neighbours, and three that say what lies beyond the last one.
#include "lptrain/number/rounding.h"

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

// Where x lies between two neighbouring reals: lower = mid - step / 2, upper = mid + step / 2. Mid and step are exact for every
// format; beyond the last real of a wide one, upper itself would be infinite. The tie is mid but for posits (Format::tie).
struct Gap {
  double x, mid, step, tie;
  bool is_lower_even;
};

bool nearest_even(const Gap& g, double) { return g.x == g.tie ? !g.is_lower_even : g.x > g.tie; }
bool nearest_away(const Gap& g, double) { return g.x == g.tie ? g.tie >= 0 : g.x > g.tie; }
bool down(const Gap&, double) { return false; }
bool up(const Gap&, double) { return true; }
bool toward_zero(const Gap& g, double u) { return g.mid == 0 ? nearest_even(g, u) : g.mid < 0; }
bool stochastic(const Gap& g, double u) { return u < 0.5 + (g.x - g.mid) / g.step; }
bool pseudo_stochastic(const Gap& g, double unit) {
  if (g.mid == 0) return nearest_even(g, unit);
  constexpr int kMost = 52;  // bits that an integer is made of below
  const int cut = std::clamp(std::ilogb(g.step / unit), 0, kMost), low = cut / 2;
  const double share = 0.5 + (std::abs(g.x) - std::abs(g.mid)) / g.step;  // of the step, from the neighbour nearer to zero
  const auto bits = static_cast<int64_t>(std::ldexp(share, cut));
  const int64_t chance = bits >> low, draw = (bits & ((int64_t{1} << low) - 1)) << (cut & 1);
  return (chance > draw) == (g.mid > 0);
}

// In the order of Rounding: whether the upper neighbour is taken.
constexpr bool (*kTakesUpper[])(const Gap&, double u) = {nearest_even, nearest_away,     down, up, toward_zero,
                                                         stochastic,   pseudo_stochastic};

bool takes_upper(const Gap& gap, Rounding rounding, double u) { return kTakesUpper[static_cast<size_t>(rounding)](gap, u); }

bool is_even(int64_t code) { return (code & 1) == 0; }

// What the last place of x is worth.
double last_place(const Format& f, double x) { return std::ldexp(1.0, std::ilogb(x) - f.fraction_bits); }

int64_t code_inside(const Format& f, double x, Rounding rounding, double u) {
  const int64_t below = f.floor(x);
  const double lower = f.value(below);
  if (below == f.hi() || x <= lower) return below;
  const double step = f.value(below + 1) - lower;
  return below + takes_upper({x, lower + step / 2, step, f.tie(below), is_even(below)}, rounding, u);
}

// x is beyond the last real of a format with infinity or NaN.
int64_t code_beyond(const Format& f, double x, Rounding rounding, double u) {
  const int64_t last = x > 0 ? f.hi() : f.lo(), next = x > 0 ? last + 1 : last - 1;
  if (std::isinf(x)) return next;
  const double step = last_place(f, f.value(last)), mid = f.value(last) + std::copysign(step / 2, x);
  const bool is_lower_even = is_even(x > 0 ? last : next);
  return takes_upper({x, mid, step, mid, is_lower_even}, rounding, u) == (x > 0) ? next : last;
}

// The remainder is exact, and an even number of codes is taken away, so rounding goes the same way with it as with x.
int64_t code_wrapped(const Format& f, double x, Rounding rounding, double u) {
  const double code = std::ldexp(std::fmod(x, std::ldexp(1.0, f.bits() - f.fraction_bits)), f.fraction_bits);
  const auto below = static_cast<int64_t>(std::floor(code));
  const auto lower = static_cast<double>(below);
  const bool is_up = code > lower && takes_upper({code, lower + 0.5, 1, lower + 0.5, is_even(below)}, rounding, u);
  return std::max(f.from_bits(static_cast<uint64_t>(below + is_up)), f.lo());
}

}  // namespace

bool has_overflow(const Format& format, Overflow overflow) {
  if (overflow == Overflow::infinity) return format.is_float() && format.has_nan();
  return overflow == Overflow::saturate || format.family == Format::Family::Fixed;
}

int64_t round_code(const Format& format, double x, Rounding rounding, double u) {
  if (std::isnan(x)) return format.has_nan() ? format.nan_code() : format.zero_code();
  return code_inside(format, x, rounding, u);
}

int64_t round_code(const Format& format, double x, Rounding rounding, Overflow overflow, double u) {
  const bool is_inside = x >= format.min() && x <= format.max();  // NaN is not
  if (is_inside || std::isnan(x) || !has_overflow(format, overflow)) return round_code(format, x, rounding, u);
  if (overflow == Overflow::infinity && (format.is_signed || x > 0)) return code_beyond(format, x, rounding, u);
  if (overflow == Overflow::wrap && std::isfinite(x)) return code_wrapped(format, x, rounding, u);
  return round_code(format, x, rounding, u);
}

double round_value(const Format& format, double x, Rounding rounding, Overflow overflow, double u) {
  const double value = format.value(round_code(format, x, rounding, overflow, u));
  return value == 0 && format.is_float() ? std::copysign(0.0, x) : value;
}

}  // namespace lp
