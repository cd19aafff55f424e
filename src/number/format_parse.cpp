// The grammar of format names: text to Format, Format to text, and errors that teach.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "lptrain/base/error.h"
#include "lptrain/base/text.h"
#include "lptrain/number/format.h"

namespace lp {
namespace {

using Family = Format::Family;

constexpr std::string_view kNarrow = "_narrow";

// The formats that have a name of their own; it is their canonical one.
struct NamedFormat {
  std::string_view name;
  Format format;
};
constexpr NamedFormat kNamed[] = {
    {"f64", kF64},
    {"f32", kF32},
    {"f16", kF16},
    {"bf16", kBf16},
    {"ternary", {Family::Ternary, true, true, 1, 0}},
    {"binary", {Family::Binary, true, false, 0, 0}},
};

// What other libraries call our formats, for suggestions only: one format, one spelling.
struct Foreign {
  std::string_view word, ours;
};
constexpr Foreign kForeign[] = {
    {"double", "f64"},
    {"float64", "f64"},
    {"fp64", "f64"},
    {"float", "f32"},
    {"float32", "f32"},
    {"fp32", "f32"},
    {"half", "f16"},
    {"float16", "f16"},
    {"fp16", "f16"},
    {"bfloat16", "bf16"},
    {"fp8", "e4m3 or e5m2"},
    {"fp6", "e3m2 or e2m3"},
    {"posit8", "posit8_2 (or posit8_0 as before the standard)"},
    {"posit16", "posit16_2"},
    {"posit32", "posit32_2"},
    {"fp4", "e2m1"},
    {"bool", "binary"},
    {"bit", "binary"},
    {"sign", "binary"},
};

[[noreturn]] void impossible(std::string_view text, std::string_view why) {
  fail(ErrorKind::usage, "format \"{}\": {}", text, why);
}

// ---- The families that are spelled with numbers: each checks what is possible

Format make_float(std::string_view text, int exponent, int mantissa) {
  if (exponent == 8 && mantissa == 0) return {Family::Float, false, false, 8, 0};  // OCP's scales have no sign
  if (exponent < 1) impossible(text, "a float has at least 1 exponent bit; without one it is fixed point, say q0.7");
  if (exponent > 11) impossible(text, "a float has at most 11 exponent bits, as many as f64");
  if (exponent == 11 && mantissa == 0) impossible(text, "it would reach 2^1024, beyond f64; try e10m0");
  const bool is_f64 = exponent == kF64.range_bits && mantissa == kF64.fraction_bits;
  if (1 + exponent + mantissa > 32 && !is_f64)
    impossible(text, fmt::format("sign, exponent and mantissa make {} bits; at most 32 are possible, and e11m52, which is f64",
                                 1 + exponent + mantissa));
  return {Family::Float, true, false, static_cast<uint8_t>(exponent), static_cast<uint8_t>(mantissa)};
}

Format make_fixed(std::string_view text, bool is_signed, int whole, int fraction) {
  const int bits = whole + fraction + is_signed;
  if (whole + fraction < 1) impossible(text, fmt::format("it has no bits; the smallest is {}", is_signed ? "q0.1" : "uq0.1"));
  if (bits > 32) impossible(text, fmt::format("that makes {} bits; at most 32 are possible", bits));
  return {Family::Fixed, is_signed, false, static_cast<uint8_t>(whole), static_cast<uint8_t>(fraction)};
}

Format make_integer(std::string_view text, bool is_signed, int bits) {
  if (bits < 1 || bits > 32) impossible(text, "integers have 1 to 32 bits");
  return {Family::Fixed, is_signed, false, static_cast<uint8_t>(bits - is_signed), 0};
}

Format make_pow2(std::string_view text, int bits) {
  if (bits < 2) impossible(text, "powers of two need 2 bits, one for the sign and one for the exponent codes");
  if (bits > 8) impossible(text, "at most 8 bits: pow2_8 already reaches 2^-126, the edge of f32");
  return {Family::PowerOfTwo, true, false, static_cast<uint8_t>(bits - 1), 0};
}

Format make_posit(std::string_view text, int bits, int exponent) {
  if (exponent > 4) impossible(text, "a posit has at most 4 exponent bits here, of which the standard uses 2; say posit16_2");
  if (bits > 32) impossible(text, "a posit has at most 32 bits");
  if (bits < exponent + 3)
    impossible(text, fmt::format("sign, shortest regime and {} exponent bits need {} bits; say posit{}_{}", exponent,
                                 exponent + 3, exponent + 3, exponent));
  return {Family::Posit, true, false, static_cast<uint8_t>(2 + exponent), static_cast<uint8_t>(bits - 3 - exponent)};
}

struct Spelling {
  std::string_view before, between;  // "e" 4 "m" 3; nothing between: one number
  Format (*make)(std::string_view text, int first, int second);
};
constexpr Spelling kSpellings[] = {
    {"e", "m", make_float},
    {"int", "", [](std::string_view t, int n, int) { return make_integer(t, true, n); }},
    {"uint", "", [](std::string_view t, int n, int) { return make_integer(t, false, n); }},
    {"q", ".", [](std::string_view t, int i, int f) { return make_fixed(t, true, i, f); }},
    {"uq", ".", [](std::string_view t, int i, int f) { return make_fixed(t, false, i, f); }},
    {"pow2_", "", [](std::string_view t, int n, int) { return make_pow2(t, n); }},
    {"posit", "_", make_posit},
};

// ---- Scanning

bool skip(std::string_view& rest, std::string_view word) {
  if (!rest.starts_with(word)) return false;
  rest.remove_prefix(word.size());
  return true;
}

// A number without sign or leading zeros. Anything above three digits is equally impossible and reads as 999.
std::optional<int> scan_number(std::string_view& rest) {
  const size_t length = std::min(rest.find_first_not_of("0123456789"), rest.size());
  if (length == 0 || (length > 1 && rest[0] == '0')) return std::nullopt;
  int number = 999;
  if (length <= 3) std::from_chars(rest.data(), rest.data() + length, number);
  rest.remove_prefix(length);
  return number;
}

std::optional<Format> scan_spelling(const Spelling& spelling, std::string_view text) {
  std::string_view rest = text;
  if (!skip(rest, spelling.before)) return std::nullopt;
  const std::optional<int> first = scan_number(rest);
  std::optional<int> second = 0;
  if (!spelling.between.empty()) second = skip(rest, spelling.between) ? scan_number(rest) : std::nullopt;
  if (!first || !second || !rest.empty()) return std::nullopt;
  return spelling.make(text, *first, *second);
}

std::optional<Format> scan(std::string_view text) {
  for (const NamedFormat& row : kNamed)
    if (row.name == text) return row.format;
  for (const Spelling& spelling : kSpellings)
    if (const auto format = scan_spelling(spelling, text)) return format;
  return std::nullopt;
}

[[noreturn]] void unknown(std::string_view text) {
  std::string lower(text.substr(0, 40));
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Foreign& row : kForeign)
    if (row.word == lower) fail(ErrorKind::usage, "format \"{}\" is spelled {} here", text, row.ours);
  fail(ErrorKind::usage,
       "unknown format \"{}\"{} (grammar: f64 f32 f16 bf16 e<E>m<M> int<N> uint<N> q<I>.<F> uq<I>.<F> pow2_<N> posit<N>_<ES> "
       "ternary binary)",
       text.size() > 40 ? lower + "..." : std::string(text), suggestion(lower, Format::known()));
}

}  // namespace

Format Format::parse(std::string_view text) {
  const bool is_narrow = text.ends_with(kNarrow);
  const std::optional<Format> format = scan(text.substr(0, text.size() - (is_narrow ? kNarrow.size() : 0)));
  if (!format) unknown(text);
  if (!is_narrow) return *format;
  if (format->family != Family::Fixed) impossible(text, "only int and q have a lowest code to leave out");
  return format->narrow();
}

std::string Format::name() const {
  for (const NamedFormat& row : kNamed)
    if (row.format == *this) return std::string(row.name);
  if (is_float()) return fmt::format("e{}m{}", range_bits, fraction_bits);
  if (family == Family::PowerOfTwo) return fmt::format("pow2_{}", bits());
  if (family == Family::Posit) return fmt::format("posit{}_{}", bits(), range_bits - 2);
  const std::string_view sign = is_signed ? "" : "u", suffix = is_narrow ? kNarrow : "";
  if (fraction_bits == 0) return fmt::format("{}int{}{}", sign, bits(), suffix);
  return fmt::format("{}q{}.{}{}", sign, range_bits, fraction_bits, suffix);
}

std::vector<std::string> Format::known() {
  return {"f64",  "f32",   "f16",   "bf16",      "e5m2",     "e4m3",   "e3m2",    "e2m3",  "e2m1",
          "e8m0", "int16", "int8",  "int4",      "int2",     "uint16", "uint8",   "uint4", "uint2",
          "q7.8", "q3.4",  "uq0.8", "posit16_2", "posit8_2", "pow2_4", "ternary", "binary"};
}

}  // namespace lp
