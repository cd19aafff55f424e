// The two arithmetics behind all formats: sign and magnitude (Float, PowerOfTwo) and integers times a power of two (the rest).
#include "lptrain/number/format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "lptrain/base/error.h"

namespace lp {
namespace {

using Family = Format::Family;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMantissa64 = 52, kBias64 = 1023;
constexpr Format kE4m3{Family::Float, true, false, 4, 3};
constexpr Format kE8m0{Family::Float, false, false, 8, 0};

constexpr double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<int64_t>(kBias64 + exponent) << kMantissa64);
}

bool has_magnitude(const Format& f) { return f.is_float() || f.family == Family::PowerOfTwo; }

// How many of the magnitudes that fit in the bits are infinity or NaN.
uint64_t special_codes(const Format& f) {
  if (f.has_infinity()) return uint64_t{1} << f.fraction_bits;
  return f == kE4m3 || f == kE8m0 ? 1 : 0;
}

uint64_t pattern_mask(const Format& f) { return ~uint64_t{0} >> (64 - f.bits()); }

// What turns a magnitude, seen as the upper bits of a double, into that double: the difference of the two biases.
int64_t rebias(const Format& f) { return static_cast<int64_t>(kBias64 - f.bias()) << f.fraction_bits; }

double real_of_magnitude(const Format& f, int64_t magnitude) {
  const bool is_subnormal = f.is_signed && magnitude >> f.fraction_bits == 0;
  if (is_subnormal) return std::ldexp(static_cast<double>(magnitude), f.min_exponent() - f.fraction_bits);
  return std::bit_cast<double>((magnitude + rebias(f)) << (kMantissa64 - f.fraction_bits));
}

// The largest magnitude whose real is at most x >= 0; cut off at hi().
int64_t magnitude_below(const Format& f, double x) {
  if (x < power_of_two(f.min_exponent())) return static_cast<int64_t>(std::ldexp(x, f.fraction_bits - f.min_exponent()));
  const int64_t magnitude = (std::bit_cast<int64_t>(x) >> (kMantissa64 - f.fraction_bits)) - rebias(f);
  return std::min(magnitude, f.hi());
}

int64_t floor_of_magnitudes(const Format& f, double x) {
  const int64_t magnitude = magnitude_below(f, std::fabs(x));
  if (x >= 0) return magnitude;
  const bool is_exact = real_of_magnitude(f, magnitude) == -x;
  return std::max(is_exact ? -magnitude : -magnitude - 1, f.lo());
}

}  // namespace

int64_t Format::hi() const {
  const uint64_t top = (uint64_t{1} << (range_bits + fraction_bits)) - 1;
  return static_cast<int64_t>(has_magnitude(*this) ? top - special_codes(*this) : top);
}

int64_t Format::lo() const {
  if (!is_signed) return 0;
  return has_magnitude(*this) || is_narrow ? -hi() : -hi() - 1;
}

double Format::value(int64_t code) const {
  if (family == Family::Binary) return static_cast<double>(2 * code + 1);
  if (!has_magnitude(*this)) return static_cast<double>(code) * power_of_two(-fraction_bits);
  const int64_t magnitude = code < 0 ? -code : code;
  double real = std::numeric_limits<double>::quiet_NaN();
  if (magnitude <= hi())
    real = real_of_magnitude(*this, magnitude);
  else if (has_infinity() && magnitude == hi() + 1)
    real = kInfinity;
  return code < 0 ? -real : real;
}

int64_t Format::floor(double x) const {
  if (has_magnitude(*this)) return is_signed || x > 0 ? floor_of_magnitudes(*this, x) : lo();
  if (family == Family::Binary) return x >= 1 ? 0 : -1;
  const double low = static_cast<double>(lo()), high = static_cast<double>(hi());
  return static_cast<int64_t>(std::clamp(std::floor(x * power_of_two(fraction_bits)), low, high));
}

double Format::smallest() const {
  if (!has_zero()) return std::max(value(zero_code()), min());
  return value(std::min(zero_code() + 1, hi()));
}

double Format::epsilon() const {
  const int64_t one = std::min(floor(1), hi() - 1);
  return value(one + 1) - value(one);
}

bool Format::has_infinity() const { return is_float() && is_signed && range_bits >= 5 && fraction_bits >= 1; }
bool Format::has_nan() const { return special_codes(*this) > 0; }
int64_t Format::nan_code() const { return hi() + 1 + (has_infinity() ? int64_t{1} << (fraction_bits - 1) : 0); }

bool Format::is_identity_in(const Format& compute) const {
  return has_infinity() && range_bits >= compute.range_bits && fraction_bits >= compute.fraction_bits;
}

bool Format::needs_f64() const {
  return has_magnitude(*this) ? range_bits > kF32.range_bits || fraction_bits > kF32.fraction_bits : bits() > 24;
}

int Format::bias() const { return (1 << (family == Family::PowerOfTwo ? range_bits : range_bits - 1)) - 1; }

Format Format::narrow() const {
  if (family != Family::Fixed) return *this;
  require(is_signed, "format \"{0}\" is unsigned and cannot be narrow: leave out \"narrow\", or use a signed format", name());
  require(bits() > 1, "format \"{0}\" cannot be narrow: without its lowest code only 0 is left; use ternary or int2", name());
  Format result = *this;
  result.is_narrow = true;
  return result;
}

uint64_t Format::to_bits(int64_t code) const {
  if (!has_magnitude(*this) || code >= 0) return static_cast<uint64_t>(code) & pattern_mask(*this);
  return static_cast<uint64_t>(-code) | uint64_t{1} << (bits() - 1);
}

int64_t Format::from_bits(uint64_t pattern) const {
  pattern &= pattern_mask(*this);
  if (!is_signed) return static_cast<int64_t>(pattern);
  const uint64_t sign = uint64_t{1} << (bits() - 1);
  if (!has_magnitude(*this)) return static_cast<int64_t>(pattern ^ sign) - static_cast<int64_t>(sign);
  const int64_t magnitude = static_cast<int64_t>(pattern & ~sign);
  return pattern & sign ? -magnitude : magnitude;
}

}  // namespace lp
