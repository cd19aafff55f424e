// Posits: what their bits mean by the text of the standard, and its rounding of bit strings.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lptrain/base/random.h"
#include "lptrain/number/rounding.h"
#include "number/small_formats.h"

namespace lp {
namespace {

using R = Rounding;

// Read bit by bit, as the standard explains it: sign (two's complement), regime, exponent (missing bits are 0), fraction.
double textbook_posit(uint64_t pattern, int n, int es) {
  const uint64_t sign = uint64_t{1} << (n - 1);
  if (pattern == 0) return 0;
  if (pattern & sign) return -textbook_posit((~pattern + 1) & (2 * sign - 1), n, es);
  int at = n - 2;
  const auto bit = [&](int i) { return i >= 0 ? static_cast<int>(pattern >> i & 1) : 0; };
  const int first = bit(at);
  int k = first ? -1 : 0;
  for (; at >= 0 && bit(at) == first; --at) k += first ? 1 : -1;
  --at;  // the bit that ends the regime
  int exponent = 0;
  for (int i = 0; i < es; ++i, --at) exponent = 2 * exponent + bit(at);
  double fraction = 1, place = 0.5;
  for (; at >= 0; --at, place /= 2) fraction += bit(at) * place;
  return std::pow(2.0, k * (1 << es) + exponent) * fraction;
}

// The rounding of the standard (2022), section 4.1, by search: u < x < w; v is u with a 1 after its last bit.
int64_t standard_code(const Format& f, double x) {
  const int n = f.bits(), es = f.range_bits - 2;
  if (x == 0) return 0;
  if (x < 0) return -standard_code(f, -x);
  if (x >= f.max()) return f.hi();
  if (x <= f.smallest()) return 1;
  int64_t u = 1;
  for (int64_t step = int64_t{1} << (n - 2); step > 0; step /= 2)
    if (u + step <= f.hi() && textbook_posit(static_cast<uint64_t>(u + step), n, es) <= x) u += step;
  if (textbook_posit(static_cast<uint64_t>(u), n, es) == x) return u;
  const double v = textbook_posit(static_cast<uint64_t>(2 * u + 1), n + 1, es);
  return x < v || (x == v && u % 2 == 0) ? u : u + 1;
}

}  // namespace

TEST_CASE("every posit of at most 16 bits means what the standard says its bits mean") {
  for (const std::string& name : small_posit_names()) {
    const Format f = Format::parse(name);
    int64_t wrong = 0;
    for (int64_t c = f.lo(); c <= f.hi(); ++c) wrong += f.value(c) != textbook_posit(f.to_bits(c), f.bits(), f.range_bits - 2);
    CHECK_MESSAGE(wrong == 0, name);
    CHECK(std::isnan(f.value(f.nan_code())));
    CHECK(f.to_bits(f.nan_code()) == uint64_t{1} << (f.bits() - 1));
  }
}

TEST_CASE("published posits") {
  const auto pattern = [](const char* name, double x) {
    const Format f = Format::parse(name);
    return f.to_bits(round_code(f, x, R::nearest_even));
  };
  CHECK(pattern("posit8_2", 1) == 0x40);
  CHECK(pattern("posit8_0", -1) == 0xc0);
  CHECK(pattern("posit16_1", 3.14159265358979) == 0x5922);
  CHECK(Format::parse("posit16_1").value(0x5922) == 3.1416015625);
  CHECK(Format::parse("posit16_3").value(0b0000110111011101) == 477.0 / 134217728);  // Gustafson & Yonemoto 2017, figure 5
}

TEST_CASE("nearest_even is the rounding of the standard: on codes, ties and their neighbours, and at random") {
  for (const char* name : {"posit5_2", "posit6_1", "posit8_0", "posit8_2", "posit10_3", "posit12_1", "posit12_4", "posit16_2"}) {
    const Format f = Format::parse(name);
    int wrong = 0;
    const auto check = [&](double x) { wrong += round_code(f, x, R::nearest_even) != standard_code(f, x); };
    for (int64_t c = f.lo(); c < f.hi(); c += 1 + f.hi() / 2000) {
      for (double at : {f.value(c), f.tie(c), f.value(c) + (f.value(c + 1) - f.value(c)) / 2})
        for (double x : {std::nextafter(at, -1e300), at, std::nextafter(at, 1e300)}) check(x);
    }
    for (uint64_t i = 0; i < 20000; ++i) check(std::ldexp(Key(1).normal(i), static_cast<int>(i % 160) - 80));
    CHECK_MESSAGE(wrong == 0, name);
  }
}

TEST_CASE("posits neither overflow nor vanish; the other roundings look at the reals") {
  const Format f = Format::parse("posit8_2");
  for (double x : {f.max() * 1e10, std::numeric_limits<double>::infinity()}) {
    CHECK(round_code(f, x, R::nearest_even, Overflow::infinity) == f.hi());
    CHECK(round_code(f, -x, R::nearest_away, Overflow::wrap) == f.lo());
  }
  CHECK(round_code(f, 1e-300, R::nearest_even) == 1);
  CHECK(round_code(f, -1e-300, R::nearest_away) == -1);
  CHECK(round_code(f, f.smallest() / 2, R::floor) == 0);
  CHECK(round_code(f, -f.smallest() / 2, R::zero) == 0);
  CHECK(round_code(f, f.smallest() / 4, R::stochastic, 0.24) == 1);
  CHECK(round_code(f, f.smallest() / 4, R::stochastic, 0.26) == 0);
  CHECK(std::isnan(round_value(f, std::nan(""), R::nearest_even)));
}

}  // namespace lp
