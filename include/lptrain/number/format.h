// A number format: which reals exist. Everything else (rounding, quantizers, kernels) asks only the questions answered here.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// A format is an increasing list of reals addressed by consecutive integer codes lo()..hi().
// It says nothing about bytes in memory (that is DType).
//
//   spelled          reals                                                       code
//   f64 f32 f16 bf16 IEEE 754 and bfloat16                                       bit pattern, negative ones mirrored
//   e<E>m<M>         sign, E exponent bits (bias 2^(E-1) - 1), M mantissa bits,  the same
//                    subnormals; e5m10 is f16, e8m7 bf16, e8m23 f32, e11m52 f64
//   int<N> uint<N>   integers of N = 1..32 bits                                  the integer
//   q<I>.<F>         signed fixed point: I integer bits without the sign         real * 2^F
//   uq<I>.<F>        unsigned fixed point; q7.0 is int8, uq8.0 is uint8          real * 2^F
//   pow2_<N>         0 and +-2^-k, k = 0 .. 2^(N-1) - 2, N = 2..8                ..., -1: -smallest, 0: 0, 1: smallest, ...
//   posit<N>_<ES>    0 and +-2^(k 2^ES + e) (1 + fraction), k in unary           two's complement pattern
//   ternary          -1, 0, 1                                                    the integer
//   binary           -1, 1                                                       the sign bit: -1 is -1, 0 is +1
//   <name>_narrow    a signed int or q without its lowest code, so lo() = -hi()
//
// Special values of e<E>m<M>, one rule and two published exceptions:
//   E >= 5 and M >= 1   as IEEE 754: the top exponent holds infinity (mantissa 0) and NaN (the rest); e5m2 is OCP FP8
//   otherwise           no infinity, no NaN: the top exponent holds numbers, as OCP MX has it in e3m2, e2m3, e2m1
//   e4m3                OCP FP8: no infinity, only the pattern of all ones is NaN, so max() is 448
//   e8m0                OCP MX scale: no sign, no zero: 2^(code - 127), code 255 is NaN
// Posits have one special value, NaR (not a real), which counts as NaN: the code below lo().
// Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats (MX) Specification 1.0;
// Standard for Posit Arithmetic (2022), whose posits are posit<N>_2.
//
// No format but f64 has more than 32 bits. Made by parse(); the default is f32.
struct Format {
  enum class Family : uint8_t { Float, Fixed, Ternary, Binary, PowerOfTwo, Posit };

  Family family = Family::Float;
  bool is_signed = true;
  bool is_narrow = false;
  // How far it reaches: exponent bits (Float, PowerOfTwo), integer bits without the sign (Fixed), 2 + ES (Posit: the shortest
  // regime and the exponent).
  uint8_t range_bits = 8;
  uint8_t fraction_bits = 23;  // how fine it is: mantissa bits (Float), fraction bits (Fixed), the most of them (Posit)

  auto operator<=>(const Format&) const = default;  // == is what it means; < is some order, for maps

  static Format parse(std::string_view text);  // throws Error(usage): what was found, why it cannot be, what can
  std::string name() const;                    // canonical: parse(name()) == *this, parse("e5m10").name() == "f16"
  static std::vector<std::string> known();     // examples, widest first: for suggestions and help

  // The same grid without its lowest code (int8: -127..127); itself if it is symmetric already. Throws Error(usage) for
  // unsigned formats and int1.
  Format narrow() const;

  int bits() const { return range_bits + fraction_bits + is_signed; }
  int64_t lo() const;
  int64_t hi() const;
  // The real of a code, strictly increasing over lo()..hi(). In a Float the codes beyond hi() (and, mirrored, below lo())
  // are its special values in the order of their bit patterns: first infinity, if there is one, then NaNs.
  double value(int64_t code) const;
  // The largest code with value(code) <= x, clamped to lo()..hi(). Exact for every double x; x must not be NaN.
  int64_t floor(double x) const;
  // Where nearest rounding changes from code to code + 1: halfway between their reals. Of a posit, the real of the posit with one
  // more bit that lies between them (the standard rounds patterns, not reals), and 0 beside 0: no posit rounds to 0.
  double tie(int64_t code) const;

  double max() const { return value(hi()); }
  double min() const { return value(lo()); }  // the lowest, not the smallest
  double smallest() const;                    // the smallest positive real, subnormals included; 0 if none is positive
  double epsilon() const;                     // the step of the grid just above 1, or just below where it ends at 1 or before

  bool has_zero() const { return value(zero_code()) == 0; }
  int64_t zero_code() const { return 0; }  // the code of 0; without a zero, of what stands for it: binary +1, e8m0 2^-127
  bool has_infinity() const;
  bool has_nan() const;
  int64_t nan_code() const;  // of the quiet NaN without payload; only if has_nan()

  bool is_float() const { return family == Family::Float; }
  // value(code) == code * 2^-fraction_bits: products of codes are products of reals.
  bool is_integer_grid() const { return family == Family::Fixed || family == Family::Ternary; }
  bool counts() const { return is_integer_grid() && fraction_bits == 0; }  // value(code) == code
  // Rounding reals of `compute` to this format changes nothing (f32 in f32, f64 in both).
  bool is_identity_in(const Format& compute) const;
  // More than 8 exponent bits or 24 significant bits: f32 arithmetic could not tell its reals apart.
  bool needs_f64() const;

  // Float and PowerOfTwo: real = +-2^(e - bias()) * (1 + m / 2^fraction_bits); subnormals below 2^min_exponent().
  int bias() const;
  int min_exponent() const { return is_signed ? 1 - bias() : -bias(); }

  // The pattern of bits() bits that hardware or a file holds: sign and magnitude (Float, PowerOfTwo), else two's complement.
  // from_bits(to_bits(code)) == code, special values included; a minus zero reads as code 0. A pattern that names nothing
  // (-128 of int8_narrow, 10 of ternary) reads as a code outside lo()..hi().
  uint64_t to_bits(int64_t code) const;
  int64_t from_bits(uint64_t pattern) const;
};

inline constexpr Format kF64{Format::Family::Float, true, false, 11, 52};
inline constexpr Format kF32{};
inline constexpr Format kF16{Format::Family::Float, true, false, 5, 10};
inline constexpr Format kBf16{Format::Family::Float, true, false, 8, 7};

}  // namespace lp
