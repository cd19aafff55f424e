// f16 and bf16 against the definition of their formats, the compiler's own conversions, and the hardware where there is some.
#include "lptrain/number/half.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/random.h"
#include "lptrain/number/rounding.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lp {
namespace {

uint32_t bits_of(float x) { return std::bit_cast<uint32_t>(x); }
bool same_bits(float a, double b) { return std::isnan(a) ? std::isnan(b) : bits_of(a) == bits_of(static_cast<float>(b)); }

// Floats worth trying: random patterns; around every code of a format and every midpoint between two.
template <class Try>
void for_floats(const Format& format, Try&& attempt) {
  for (uint64_t i = 0; i < 1500000; ++i) attempt(std::bit_cast<float>(static_cast<uint32_t>(mix(i))));
  for (uint64_t i = 0; i < 500000; ++i)  // where f16 lives, subnormals included
    attempt(std::bit_cast<float>((static_cast<uint32_t>(mix(i)) & 0x8fffffffu) | 0x30000000u));
  for (int64_t c = format.lo(); c < format.hi(); ++c) {
    const auto code = static_cast<float>(format.value(c));
    const auto middle = static_cast<float>((format.value(c) + format.value(c + 1)) / 2);
    for (float x : {code, middle}) {
      attempt(x);
      attempt(std::nextafter(x, -INFINITY));
      attempt(std::nextafter(x, INFINITY));
    }
  }
}

// Both directions of one 16-bit format agree with Format and Rounding.
void check_definition(const Format& format, uint16_t (*bits)(float), float (*value)(uint16_t)) {
  int wrong_values = 0, wrong_bits = 0, wrong_roundings = 0;
  for (uint32_t h = 0; h < 65536; ++h) {
    const float x = value(static_cast<uint16_t>(h));
    const double expected = format.value(format.from_bits(h));
    wrong_values += !(x == expected || (std::isnan(x) && std::isnan(expected))) || std::signbit(x) != (h >> 15 != 0);
    wrong_bits += std::isnan(x) ? !std::isnan(value(bits(x))) : bits(x) != h;
  }
  for_floats(format, [&](float x) {
    wrong_roundings += !same_bits(value(bits(x)), round_value(format, x, Rounding::nearest_even, Overflow::infinity));
  });
  CHECK(wrong_values == 0);
  CHECK(wrong_bits == 0);
  CHECK(wrong_roundings == 0);
}

}  // namespace

TEST_CASE("every pattern, and millions of floats, as Format and Rounding say") {
  SUBCASE("f16") { check_definition(kF16, f16_bits, f16_value); }
  SUBCASE("bf16") { check_definition(kBf16, bf16_bits, bf16_value); }
}

TEST_CASE("special values") {
  CHECK(f16_bits(65504) == 0x7bff);
  CHECK(f16_bits(65519.996f) == 0x7bff);
  CHECK(f16_bits(65520) == 0x7c00);
  CHECK(f16_bits(-INFINITY) == 0xfc00);
  CHECK(f16_bits(-0.0f) == 0x8000);
  CHECK(f16_bits(0x1p-25f) == 0);  // a tie: to even
  CHECK(f16_bits(0x1.000002p-25f) == 1);
  CHECK(f16_bits(NAN) == 0x7e00);
  CHECK(bf16_bits(INFINITY) == 0x7f80);
  CHECK(bf16_bits(std::bit_cast<float>(0x7f7fffffu)) == 0x7f80);  // the largest float rounds to infinity
  CHECK(bf16_bits(std::bit_cast<float>(0x7f800001u)) == 0x7fc0);  // a NaN whose payload lies below bf16 stays a NaN
  static_assert(round_bf16(1.00390625f) == 1.0f);                 // a tie: to even
  static_assert(round_f16(0.1f) == 0.0999755859375f);
}

#if defined(__FLT16_MANT_DIG__)
TEST_CASE("f16 from doubles rounds once, as the compiler's _Float16 does") {
  int wrong = 0;
  for (uint64_t i = 0; i < 300000; ++i) {  // exponents from below the subnormals to above the overflow
    const double x = std::bit_cast<double>((mix(i) & 0x800fffffffffffffu) | ((990 + mix(~i) % 54) << 52));
    const auto expected = static_cast<float>(static_cast<_Float16>(x));
    wrong += !same_bits(expected, round_value(kF16, x, Rounding::nearest_even, Overflow::infinity));
  }
  CHECK(wrong == 0);
}
#endif

#if defined(__x86_64__)
namespace {
__attribute__((target("f16c"))) uint16_t hardware_f16(float x) {
  return static_cast<uint16_t>(_mm_extract_epi16(_mm_cvtps_ph(_mm_set_ss(x), _MM_FROUND_TO_NEAREST_INT), 0));
}
__attribute__((target("f16c"))) float hardware_f16_value(uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }
__attribute__((target("avx512bf16,avx512vl"))) uint16_t hardware_bf16(float x) {
  const __m128bh y = _mm_cvtneps_pbh(_mm_set1_ps(x));
  uint16_t h;
  __builtin_memcpy(&h, &y, sizeof h);
  return h;
}
}  // namespace

TEST_CASE("f16: the bits of F16C, NaNs included") {
  if (!__builtin_cpu_supports("f16c")) return;
  int wrong = 0;
  for_floats(kF16, [&](float x) { wrong += f16_bits(x) != hardware_f16(x); });
  for (uint32_t h = 0; h < 65536; ++h) {
    const auto half = static_cast<uint16_t>(h);
    wrong += bits_of(f16_value(half)) != bits_of(hardware_f16_value(half));
  }
  CHECK(wrong == 0);
}

TEST_CASE("bf16: the bits of AVX512-BF16 but for subnormals, which that instruction flushes") {
  if (!__builtin_cpu_supports("avx512bf16")) return;
  int wrong = 0, flushed = 0;
  for_floats(kBf16, [&](float x) {
    if (std::fpclassify(x) == FP_SUBNORMAL)
      flushed += (hardware_bf16(x) & 0x7fff) == 0;
    else
      wrong += bf16_bits(x) != hardware_bf16(x);
  });
  CHECK(wrong == 0);
  CHECK(flushed > 0);
}
#endif

}  // namespace lp
