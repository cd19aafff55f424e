// The arithmetics behind all formats: sign and magnitude (Float, PowerOfTwo), posits, and integers times a power of two (the
// rest).
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
bool is_linear(const Format& f) { return f.family == Family::Fixed || f.family == Family::Ternary; }

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

// ---- Posits: of a positive one, the `width` bits below the sign are k in unary, then exponent and fraction as far as they fit

int posit_exponent_bits(const Format& f) { return f.range_bits - 2; }

double real_of_posit(uint64_t pattern, int width, int exponent_bits) {
  if (pattern == 0) return 0;
  const uint64_t aligned = pattern << (64 - width);
  const bool is_large = aligned >> 63;
  const int run = is_large ? std::countl_one(aligned) : std::countl_zero(aligned);
  const uint64_t rest = aligned << (run + 1);
  const int exponent = exponent_bits > 0 ? static_cast<int>(rest >> (64 - exponent_bits)) : 0;
  const double fraction = std::ldexp(static_cast<double>((rest << exponent_bits) >> 11), -53);
  return std::ldexp(1 + fraction, ((is_large ? run - 1 : -run) << exponent_bits) + exponent);
}

// The largest pattern whose real is at most x >= 0: what is cut off makes a posit smaller.
int64_t posit_below(const Format& f, double x) {
  const int width = f.bits() - 1, es = posit_exponent_bits(f);
  if (x < f.smallest()) return 0;
  if (x >= f.max()) return f.hi();
  const int exponent = std::ilogb(x), k = exponent >> es;
  const int64_t body = (std::bit_cast<int64_t>(x) & ((int64_t{1} << kMantissa64) - 1)) |
                       static_cast<int64_t>(exponent & ((1 << es) - 1)) << kMantissa64;
  const int64_t regime = k >= 0 ? (int64_t{2} << (k + 1)) - 2 : 1;
  const int left = width - (k >= 0 ? k + 2 : 1 - k);
  return regime << left | body >> (kMantissa64 + es - left);
}

int64_t floor_of_posits(const Format& f, double x) {
  const int64_t magnitude = posit_below(f, std::fabs(x));
  if (x >= 0) return magnitude;
  return std::max(f.value(magnitude) == -x ? -magnitude : -magnitude - 1, f.lo());
}

}  // namespace

int64_t Format::hi() const {
  const uint64_t top = (uint64_t{1} << (range_bits + fraction_bits)) - 1;
  return static_cast<int64_t>(has_magnitude(*this) ? top - special_codes(*this) : top);
}

int64_t Format::lo() const {
  if (!is_signed) return 0;
  return has_magnitude(*this) || is_narrow || family == Family::Posit ? -hi() : -hi() - 1;
}

double Format::value(int64_t code) const {
  if (family == Family::Binary) return static_cast<double>(2 * code + 1);
  if (is_linear(*this)) return static_cast<double>(code) * power_of_two(-fraction_bits);
  const int64_t magnitude = code < 0 ? -code : code;
  double real = std::numeric_limits<double>::quiet_NaN();
  if (magnitude <= hi() && family == Family::Posit)
    real = real_of_posit(static_cast<uint64_t>(magnitude), bits() - 1, posit_exponent_bits(*this));
  else if (magnitude <= hi())
    real = real_of_magnitude(*this, magnitude);
  else if (has_infinity() && magnitude == hi() + 1)
    real = kInfinity;
  return code < 0 ? -real : real;
}

int64_t Format::floor(double x) const {
  if (has_magnitude(*this)) return is_signed || x > 0 ? floor_of_magnitudes(*this, x) : lo();
  if (family == Family::Posit) return floor_of_posits(*this, x);
  if (family == Family::Binary) return x >= 1 ? 0 : -1;
  const double low = static_cast<double>(lo()), high = static_cast<double>(hi());
  return static_cast<int64_t>(std::clamp(std::floor(x * power_of_two(fraction_bits)), low, high));
}

double Format::tie(int64_t code) const {
  if (family != Family::Posit) return value(code) + (value(code + 1) - value(code)) / 2;
  if (code < 0) return -tie(-code - 1);
  return code == 0 ? 0 : real_of_posit(static_cast<uint64_t>(2 * code + 1), bits(), posit_exponent_bits(*this));
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
bool Format::has_nan() const { return family == Family::Posit || special_codes(*this) > 0; }
int64_t Format::nan_code() const {
  if (family == Family::Posit) return lo() - 1;
  return hi() + 1 + (has_infinity() ? int64_t{1} << (fraction_bits - 1) : 0);
}

bool Format::is_identity_in(const Format& compute) const {
  return has_infinity() && range_bits >= compute.range_bits && fraction_bits >= compute.fraction_bits;
}

bool Format::needs_f64() const {
  if (family == Family::Posit) return max() > 0x1p126 || fraction_bits > kF32.fraction_bits;
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
