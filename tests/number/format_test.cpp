// The laws of formats, on every code of every format of at most 16 bits, and published figures.
#include "lptrain/number/format.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "lptrain/base/error.h"
#include "lptrain/base/random.h"
#include "number/fp8_golden.h"
#include "number/small_formats.h"

namespace lp {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double any_double(uint64_t i) { return std::bit_cast<double>(mix(i)); }  // of any magnitude, subnormals included

// The number of codes that break a law of the grid; each code is compared with the one above it.
int64_t broken_codes(const Format& f) {
  int64_t broken = 0;
  for (int64_t c = f.lo(); c <= f.hi(); ++c) {
    const double v = f.value(c);
    bool holds = f.floor(v) == c && f.from_bits(f.to_bits(c)) == c && f.to_bits(c) >> f.bits() == 0;
    if (c < f.hi()) {
      const double above = f.value(c + 1);
      holds = holds && v < above && f.floor(v + (above - v) / 2) == c && f.floor(std::nextafter(above, -kInf)) == c;
    }
    broken += !holds;
  }
  return broken;
}

// What the pattern of a float means, as textbooks write it.
double textbook_float(uint64_t pattern, int exponent_bits, int mantissa_bits, int bias) {
  const auto mantissa = static_cast<double>(pattern & ((1u << mantissa_bits) - 1)) / std::pow(2.0, mantissa_bits);
  const int exponent = static_cast<int>(pattern >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double sign = pattern >> (exponent_bits + mantissa_bits) ? -1 : 1;
  return sign * (exponent == 0 ? mantissa * std::pow(2.0, 1 - bias) : (1 + mantissa) * std::pow(2.0, exponent - bias));
}

}  // namespace

TEST_CASE("every code of every small float: increasing, found again by floor and by its bits") {
  for (const std::string& name : small_float_names()) CHECK_MESSAGE(broken_codes(Format::parse(name)) == 0, name);
}

TEST_CASE("every code of every small fixed-point format, ternary and binary: the same laws") {
  for (const std::string& name : small_fixed_names()) CHECK_MESSAGE(broken_codes(Format::parse(name)) == 0, name);
}

TEST_CASE("every code of every small posit: the same laws") {
  for (const std::string& name : small_posit_names()) CHECK_MESSAGE(broken_codes(Format::parse(name)) == 0, name);
}

TEST_CASE("every small float means what its bits mean in textbooks") {
  for (const std::string& name : small_float_names()) {
    const Format f = Format::parse(name);
    if (!f.is_float() || !f.is_signed) continue;
    const int bias = (1 << (f.range_bits - 1)) - 1;
    int64_t wrong = 0;
    for (int64_t c = f.lo(); c <= f.hi(); ++c)
      wrong += f.value(c) != textbook_float(f.to_bits(c), f.range_bits, f.fraction_bits, bias);
    CHECK_MESSAGE(wrong == 0, name);
  }
}

TEST_CASE("floor agrees with searching the list of reals, for doubles of any magnitude") {
  for (const char* name : {"e4m3", "e5m2", "e3m2", "e2m1", "e1m2", "e3m0", "e8m0", "int4", "uint3", "q2.3", "int5_narrow",
                           "pow2_5", "ternary", "binary", "posit8_2", "posit9_0", "posit7_4"}) {
    const Format f = Format::parse(name);
    std::vector<double> reals;
    for (int64_t c = f.lo(); c <= f.hi(); ++c) reals.push_back(f.value(c));
    int wrong = 0;
    for (uint64_t i = 0; i < 40000; ++i) {
      const double x = i % 2 ? any_double(i) : f.min() + (f.max() - f.min()) * (static_cast<double>(i) / 30000 - 0.1);
      if (std::isnan(x)) continue;
      const auto above = std::upper_bound(reals.begin(), reals.end(), x) - reals.begin();
      wrong += f.floor(x) != f.lo() + std::max<int64_t>(above - 1, 0);
    }
    CHECK_MESSAGE(wrong == 0, name);
  }
}

TEST_CASE("published figures") {
  struct Row {
    const char* name;
    int bits;
    double max, min, smallest, epsilon;
  };
  const Row rows[] = {
      {"f64", 64, std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 0x1p-1074, 0x1p-52},
      {"f32", 32, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(), 0x1p-149, 0x1p-23},
      {"f16", 16, 65504, -65504, 0x1p-24, 0x1p-10},
      {"bf16", 16, 0x1.fep127, -0x1.fep127, 0x1p-133, 0x1p-7},
      {"e4m3", 8, 448, -448, 0x1p-9, 0.125},
      {"e5m2", 8, 57344, -57344, 0x1p-16, 0.25},
      {"e3m2", 6, 28, -28, 0.0625, 0.25},
      {"e2m3", 6, 7.5, -7.5, 0.125, 0.125},
      {"e2m1", 4, 6, -6, 0.5, 0.5},
      {"e3m4", 8, 31, -31, 0x1p-6, 0x1p-4},
      {"e3m0", 4, 16, -16, 0.25, 1},
      {"e8m0", 8, 0x1p127, 0x1p-127, 0x1p-127, 1},
      {"e8m10", 19, 0x1.ffcp127, -0x1.ffcp127, 0x1p-136, 0x1p-10},  // TF32
      {"e6m9", 16, 0x1.ff8p31, -0x1.ff8p31, 0x1p-39, 0x1p-9},
      {"int8", 8, 127, -128, 1, 1},
      {"int8_narrow", 8, 127, -127, 1, 1},
      {"int1", 1, 0, -1, 0, 1},
      {"uint1", 1, 1, 0, 1, 1},
      {"int32", 32, 2147483647.0, -2147483648.0, 1, 1},
      {"uint32", 32, 4294967295.0, 0, 1, 1},
      {"q7.8", 16, 128 - 0x1p-8, -128, 0x1p-8, 0x1p-8},
      {"q0.7", 8, 1 - 0x1p-7, -1, 0x1p-7, 0x1p-7},
      {"q0.31", 32, 1 - 0x1p-31, -1, 0x1p-31, 0x1p-31},
      {"uq0.8", 8, 1 - 0x1p-8, 0, 0x1p-8, 0x1p-8},
      {"pow2_4", 4, 1, -1, 0x1p-6, 0.5},
      {"pow2_8", 8, 1, -1, 0x1p-126, 0.5},
      {"posit8_0", 8, 64, -64, 0x1p-6, 0x1p-5},
      {"posit8_2", 8, 0x1p24, -0x1p24, 0x1p-24, 0.125},
      {"posit16_1", 16, 0x1p28, -0x1p28, 0x1p-28, 0x1p-12},
      {"posit16_2", 16, 0x1p56, -0x1p56, 0x1p-56, 0x1p-11},
      {"posit32_2", 32, 0x1p120, -0x1p120, 0x1p-120, 0x1p-27},
      {"ternary", 2, 1, -1, 1, 1},
      {"binary", 1, 1, -1, 1, 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Format f = Format::parse(row.name);
    CHECK(f.bits() == row.bits);
    CHECK(f.max() == row.max);
    CHECK(f.min() == row.min);
    CHECK(f.smallest() == row.smallest);
    CHECK(f.epsilon() == row.epsilon);
  }
}

TEST_CASE("FP8 patterns are those of the golden tables, special values included") {
  const Format e4m3 = Format::parse("e4m3"), e5m2 = Format::parse("e5m2");
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  for (uint64_t pattern = 0; pattern < 128; ++pattern) {
    CAPTURE(pattern);
    CHECK(same(e4m3.value(e4m3.from_bits(pattern)), kGoldenE4m3[pattern]));
    CHECK(same(e5m2.value(e5m2.from_bits(pattern)), kGoldenE5m2[pattern]));
    CHECK(same(e4m3.value(e4m3.from_bits(pattern | 128)), -kGoldenE4m3[pattern]));
    CHECK(same(e5m2.value(e5m2.from_bits(pattern | 128)), -kGoldenE5m2[pattern]));
  }
}

TEST_CASE("FP4 and the small power-of-two format, written out") {
  const auto reals_of = [](const char* name) {
    const Format f = Format::parse(name);
    std::vector<double> reals;
    for (int64_t c = f.lo(); c <= f.hi(); ++c) reals.push_back(f.value(c));
    return reals;
  };
  CHECK(reals_of("e2m1") == std::vector<double>{-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6});
  CHECK(reals_of("pow2_3") == std::vector<double>{-1, -0.5, -0.25, 0, 0.25, 0.5, 1});
  CHECK(reals_of("q1.1") == std::vector<double>{-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5});
  CHECK(reals_of("ternary") == std::vector<double>{-1, 0, 1});
  CHECK(reals_of("binary") == std::vector<double>{-1, 1});
}

TEST_CASE("infinity and NaN exist exactly where the rule says") {
  struct Row {
    const char* name;
    bool infinity, nan;
    uint64_t nan_bits;
  };
  const Row rows[] = {
      {"f64", true, true, 0x7ff8000000000000},
      {"f32", true, true, 0x7fc00000},
      {"f16", true, true, 0x7e00},
      {"bf16", true, true, 0x7fc0},
      {"e5m2", true, true, 0x7e},
      {"e4m3", false, true, 0x7f},
      {"e8m0", false, true, 0xff},
      {"e3m2", false, false, 0},
      {"e5m0", false, false, 0},
      {"int8", false, false, 0},
      {"pow2_4", false, false, 0},
      {"posit8_2", false, true, 0x80},
      {"binary", false, false, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Format f = Format::parse(row.name);
    CHECK(f.has_infinity() == row.infinity);
    CHECK(f.has_nan() == row.nan);
    if (row.infinity) CHECK(f.value(f.hi() + 1) == kInf);
    if (row.infinity) CHECK(f.value(f.lo() - 1) == -kInf);
    if (!row.nan) continue;
    CHECK(std::isnan(f.value(f.nan_code())));
    CHECK(f.to_bits(f.nan_code()) == row.nan_bits);
    CHECK(f.from_bits(row.nan_bits) == f.nan_code());
  }
}

TEST_CASE("f64 and f32: codes are the bits of the C++ types, floor is exact") {
  int wrong = 0;
  for (uint64_t i = 0; i < 200000; ++i) {
    const double x = any_double(i);
    if (!std::isfinite(x) || x == 0) continue;
    const int64_t c = kF64.floor(x);
    const auto pattern = std::bit_cast<uint64_t>(x);
    wrong += kF64.value(c) != x || kF64.to_bits(c) != pattern || kF64.from_bits(pattern) != c;
    const auto bits = static_cast<uint32_t>(mix(i));
    const float y = std::bit_cast<float>(bits);
    if (!std::isnan(y)) wrong += kF32.value(kF32.from_bits(bits)) != static_cast<double>(y);
    if (std::isfinite(y) && y != 0) wrong += kF32.to_bits(kF32.floor(y)) != bits;
  }
  CHECK(wrong == 0);
  CHECK(kF64.floor(kInf) == kF64.hi());
  CHECK(kF64.floor(-kInf) == kF64.lo());
}

TEST_CASE("wide integers: the ends, and halfway points that f32 could not hold") {
  for (const char* name : {"int32", "uint32", "int25", "q15.16", "uq16.16", "int32_narrow"}) {
    CAPTURE(name);
    const Format f = Format::parse(name);
    for (int64_t c : {f.lo(), f.lo() + 1, f.zero_code(), f.hi() / 3, f.hi() - 1, f.hi()}) {
      CHECK(f.floor(f.value(c)) == c);
      CHECK(f.from_bits(f.to_bits(c)) == c);
    }
    CHECK(f.floor(f.value(f.hi() - 1) + f.epsilon() / 2) == f.hi() - 1);
    CHECK(f.floor(1e300) == f.hi());
    CHECK(f.floor(-1e300) == f.lo());
  }
}

TEST_CASE("what formats say about themselves") {
  CHECK(kF32.is_identity_in(kF32));
  CHECK(kF64.is_identity_in(kF32));
  CHECK(kF64.is_identity_in(kF64));
  CHECK_FALSE(kF32.is_identity_in(kF64));
  CHECK_FALSE(kBf16.is_identity_in(kF32));
  CHECK_FALSE(Format::parse("int32").is_identity_in(kF32));
  for (const char* name : {"f64", "e9m3", "int25", "uint32", "q12.12", "posit32_2", "posit16_4"})
    CHECK_MESSAGE(Format::parse(name).needs_f64(), name);
  for (const char* name : {"f32", "e8m10", "int24", "q8.15", "pow2_8", "e8m0", "posit16_2", "posit28_2"})
    CHECK_FALSE(Format::parse(name).needs_f64());
  CHECK(Format::parse("q3.4").is_integer_grid());
  CHECK(Format::parse("ternary").is_integer_grid());
  CHECK_FALSE(Format::parse("binary").is_integer_grid());
  CHECK_FALSE(Format::parse("binary").has_zero());
  CHECK_FALSE(Format::parse("e8m0").has_zero());
  CHECK(Format::parse("binary").value(Format::parse("binary").zero_code()) == 1);
}

TEST_CASE("narrow drops the lowest code and nothing else") {
  const Format int8 = Format::parse("int8"), narrow = int8.narrow();
  CHECK(narrow.lo() == -127);
  CHECK(narrow.hi() == 127);
  CHECK(narrow.bits() == 8);
  CHECK(narrow != int8);
  CHECK(narrow.narrow() == narrow);
  CHECK(narrow.floor(-1000) == -127);
  CHECK(narrow.from_bits(0x80) == -128);  // a pattern that names nothing lies outside
  for (const char* name : {"f16", "ternary", "binary", "pow2_4"}) CHECK(Format::parse(name).narrow() == Format::parse(name));
  CHECK_THROWS_AS(Format::parse("uint8").narrow(), Error);
  CHECK_THROWS_AS(Format::parse("int1").narrow(), Error);
}

}  // namespace lp
