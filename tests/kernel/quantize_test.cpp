// Quantization: vector rows equal the scalar reference bit for bit, the reference equals its definition, statistics are exact.
#include "lptrain/kernel/quantize.h"

#include <algorithm>

#include "elements.h"
#include "lptrain/number/half.h"

namespace lp {
namespace {

using namespace lp::test;

constexpr Rounding kRoundings[] = {Rounding::nearest_even, Rounding::nearest_away, Rounding::floor,
                                   Rounding::ceil,         Rounding::zero,         Rounding::stochastic};
constexpr Overflow kOverflows[] = {Overflow::saturate, Overflow::infinity, Overflow::wrap};
constexpr DType kCodeTypes[] = {DType::i8, DType::u8, DType::i16, DType::i32, DType::f16, DType::bf16};

QuantizeKey key_of(const char* format, Rounding rounding, Lanes lanes) {
  QuantizeKey key{Format::parse(format), rounding};
  key.lanes = lanes;
  key.noise = Key(7);
  return key;
}

// Whether the family takes these codes at all.
bool fits(const QuantizeKey& key, DType codes) {
  float none = 0;
  QuantizeKey empty = key;
  empty.lanes = {1, 1, 0};
  try {
    quantize(empty, DType::f32, &none, nullptr, codes, &none);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Odd<float> scales(int64_t n) {
  Odd<float> s(n);
  for (int64_t c = 0; c < n; ++c) s[c] = c % 3 == 2 ? 0.25f : 0.1f + 0.37f * static_cast<float>(c % 11);
  return s;
}

// Codes of any type, packed into as much memory as the widest need.
Odd<int32_t> codes_of(const QuantizeKey& key, const Odd<float>& x, const float* scale, DType type) {
  Odd<int32_t> codes(x.size(), 0x55555555);
  quantize(key, DType::f32, x.data(), scale, type, codes.data());
  return codes;
}
Odd<float> values_of(const QuantizeKey& key, const Odd<float>& x, const float* scale) {
  Odd<float> y(x.size());
  quantize_values(key, DType::f32, x.data(), scale, y.data());
  return y;
}
Odd<float> decoded(const QuantizeKey& key, const Odd<int32_t>& codes, const float* scale, DType type) {
  Odd<float> y(key.lanes.size());
  dequantize(key, type, codes.data(), scale, DType::f32, y.data());
  return y;
}

// Every row against the reference, in all three directions.
void check_rows(const QuantizeKey& key, const Odd<float>& x, const float* scale) {
  CAPTURE(key.format.name());
  CAPTURE(static_cast<int>(key.rounding));
  CAPTURE(static_cast<int>(key.overflow));
  CAPTURE(key.lanes.size());
  Odd<float> wanted(0);
  on_reference([&] { wanted = values_of(key, x, scale); });
  for_isas([&] { check_same(values_of(key, x, scale), wanted); });
  for (const DType type : kCodeTypes) {
    if (!fits(key, type)) continue;
    CAPTURE(name_of(type));
    Odd<int32_t> codes(0);
    on_reference([&] { codes = codes_of(key, x, scale, type), wanted = decoded(key, codes, scale, type); });
    for_isas([&] {
      check_same(codes_of(key, x, scale, type), codes);
      check_same(decoded(key, codes, scale, type), wanted);
    });
  }
}

constexpr const char* kFormats[] = {"int8",  "uint8", "int8_narrow", "int4",   "uint1",   "int1",   "int16", "uint16", "int20",
                                    "int32", "q3.4",  "q7.8",        "uq0.8",  "ternary", "binary", "f16",   "bf16",   "e4m3",
                                    "e5m2",  "e2m1",  "e3m2",        "e2m3",   "e6m9",    "e7m12",  "e8m3",  "e8m15",  "e1m4",
                                    "e5m0",  "f32",   "e8m0",        "pow2_2", "pow2_4",  "pow2_8"};

TEST_CASE("every row quantizes every format with every rounding and overflow like the reference") {
  const Odd<float> x = hostile<float>(700, 1);
  const float scale = 0.3f;
  for (const char* format : kFormats)
    for (const Rounding rounding : kRoundings)
      for (const Overflow overflow : kOverflows) {
        QuantizeKey key = key_of(format, rounding, {1, 1, x.size()});
        key.overflow = overflow;
        check_rows(key, x, overflow == Overflow::wrap ? &scale : nullptr);
      }
}

TEST_CASE("every row agrees on every length and kind of lanes") {
  for (const char* format : {"int8", "e4m3", "binary"})
    for (const int64_t n : lengths()) {
      const Odd<float> x = hostile<float>(n, static_cast<uint64_t>(n)), s = scales(n + 5);
      check_rows(key_of(format, Rounding::stochastic, {1, 1, n}), x, s.data());
      if (n % 5 == 0) check_rows(key_of(format, Rounding::nearest_even, {n / 5, 5, 1}), x, s.data());
      if (n % 6 == 0) check_rows(key_of(format, Rounding::stochastic, {n / 6, 2, 3}), x, s.data());
      if (n % 4 == 0) check_rows(key_of(format, Rounding::nearest_even, {1, n, 1}), x, s.data());
    }
}

TEST_CASE("blocks of every length have their scales, offsets and noise") {
  for (const int64_t inner : {2, 16, 32, 250, 255, 256, 1000})
    for (const char* format : {"e2m1", "q1.6", "posit8_2"}) {
      const int64_t blocks = 3000 / inner + 2;
      const Odd<float> x = hostile<float>(2 * blocks * inner, 21), s = scales(blocks), offset = ordinary<float>(blocks, 22);
      QuantizeKey key = key_of(format, Rounding::stochastic, {2, blocks, inner});
      check_rows(key, x, s.data());
      key.offset = offset.data();
      key.decision = s.data();
      check_rows(key, x, nullptr);
    }
}

TEST_CASE("a decision scale divides, the scale multiplies") {
  const Odd<float> x = hostile<float>(40 * 33, 31), s = scales(33), r = scales(34);
  for (const Lanes lanes : {Lanes{40, 33, 1}, Lanes{2, 33, 20}, Lanes{1, 1, 1320}})
    for (const char* format : {"ternary", "binary", "int8", "e4m3", "bf16"}) {
      QuantizeKey key = key_of(format, Rounding::nearest_even, lanes);
      key.decision = r.data() + 1;
      check_rows(key, x, s.data());
      check_rows(key, x, nullptr);
    }
  const float one[] = {0.4f, -1.1f, 0.6f}, scale = 2, decision = 0.5f;
  QuantizeKey key = key_of("ternary", Rounding::nearest_even, {1, 1, 3});
  key.decision = &decision;
  float y[3];
  quantize_values(key, DType::f32, one, &scale, y);
  CHECK(y[0] == 2);
  CHECK(y[1] == -2);
  CHECK(y[2] == 2);
}

TEST_CASE("zero points, narrow bounds and offsets") {
  const Odd<float> x = hostile<float>(40 * 33, 3), s = scales(33), offset = ordinary<float>(33, 4);
  for (const Lanes lanes : {Lanes{40, 33, 1}, Lanes{2, 33, 20}, Lanes{1, 1, 1320}})
    for (const Rounding rounding : kRoundings) {
      QuantizeKey key = key_of("uint8", rounding, lanes);
      key.zero_point = 131;
      check_rows(key, x, s.data());
      key.lo = 3, key.hi = 200;
      check_rows(key, x, s.data());
      key.offset = offset.data();
      check_rows(key, x, s.data());
      check_rows(key, x, nullptr);
    }
}

TEST_CASE("stochastic rounding is the reference's at every place in the index space, on any number of threads") {
  const Odd<float> x = ordinary<float>(20'000, 5), offset = ordinary<float>(50, 6);
  const float scale = 0.02f;
  for (const uint64_t first : {uint64_t{0}, (uint64_t{1} << 32) - 777, (uint64_t{5} << 32) + 3, ~uint64_t{0} - 60'000})
    for (const char* format : {"int8", "e5m2", "binary"}) {
      QuantizeKey key = key_of(format, Rounding::stochastic, {1, 1, x.size()});
      key.first = first;
      CAPTURE(first);
      check_rows(key, x, &scale);
      Odd<float> one(0), three(0);
      with_threads(1, [&] { one = values_of(key, x, &scale); });
      with_threads(3, [&] { three = values_of(key, x, &scale); });
      check_same(one, three);
      key.lanes = {x.size() / 50, 50, 1};
      key.offset = offset.data();
      with_threads(3, [&] { check_rows(key, x, scales(50).data()); });
    }
}

TEST_CASE("stochastic rounding at the edge: x's fraction equals u, or is its neighbour") {
  const Key noise(7);
  Odd<float> x(6 * 4096);
  for (int64_t i = 0; i < x.size(); ++i) {
    const float u = noise.uniform(static_cast<uint64_t>(i)), at = i % 2 ? u : u - 1;
    x[i] = i % 3 == 0 ? at : std::nextafter(at, i % 3 == 1 ? -2.f : 2.f);
    if (i % 6 == 4) x[i] = 2 * u - 1;  // where binary decides
  }
  for (const char* format : {"int8", "e4m3", "pow2_4", "binary", "bf16"})
    check_rows(key_of(format, Rounding::stochastic, {1, 1, x.size()}), x, nullptr);
}

TEST_CASE("stochastic rounding keeps what is on the grid, and the mean of what is not") {
  Odd<float> x(1 << 16, 2.f), y(x);
  quantize_values(key_of("int8", Rounding::stochastic, {1, 1, x.size()}), DType::f32, x.data(), nullptr, y.data());
  check_same(y, x);
  for (const float v : {2.25f, -0.1f, -3.75f}) {
    Odd<float> z(1 << 16, v);
    quantize_values(key_of("int8", Rounding::stochastic, {1, 1, z.size()}), DType::f32, z.data(), nullptr, z.data());
    double total = 0;
    for (int64_t i = 0; i < z.size(); ++i) total += z[i];
    CHECK(total / static_cast<double>(z.size()) == doctest::Approx(v).epsilon(0.02));
  }
}

TEST_CASE("pseudo_stochastic: every row compares the halves of what is cut off like the reference") {
  for (const int cut : {0, 1, 2, 5, 8, 13, 24, 29, 30})
    for (const char* format : {"int8", "uint8", "int4", "int16", "int20", "q3.4", "q7.8", "uq0.8", "ternary", "int8_narrow"}) {
      Odd<float> x = hostile<float>(3000, static_cast<uint64_t>(cut));
      for (int64_t i = 0; i < x.size(); i += 2)  // multiples of the unit, of both signs
        x[i] = std::ldexp(static_cast<float>(static_cast<int64_t>(Key(3).below(static_cast<uint64_t>(i), 1 << 24)) - (1 << 23)),
                          -std::min(cut, 22));
      QuantizeKey key = key_of(format, Rounding::pseudo_stochastic, {1, 1, x.size()});
      const float scale = 0.5f;
      for (key.cut = cut; key.overflow != Overflow::infinity;
           key.overflow = key.overflow == Overflow::saturate ? Overflow::wrap : Overflow::infinity) {
        check_rows(key, x, nullptr);
        check_rows(key, x, &scale);
      }
    }
  const float x[] = {2.375f, -2.375f, 2.6875f};  // .0110: 01 against 10; .1011: 10 against 11
  float y[3];
  QuantizeKey key = key_of("int8", Rounding::pseudo_stochastic, {1, 1, 3});
  key.cut = 4;
  for_isas([&] {
    quantize_values(key, DType::f32, x, nullptr, y);
    CHECK(std::equal(y, y + 3, std::initializer_list<float>{2, -2, 2}.begin()));
  });
  const auto refused = [&] {
    quantize_values(key, DType::f32, x, nullptr, y);
    return "";
  };
  key.cut = kMostCut + 1;
  CHECK_THROWS_AS(refused(), Error);
  key = key_of("e4m3", Rounding::pseudo_stochastic, {1, 1, 3});
  CHECK_THROWS_AS(refused(), Error);
}

TEST_CASE("the exponent that all numbers share") {
  const auto common = [](auto list) {
    using T = typename decltype(list)::value_type;
    return common_exponent(sizeof(T) == 8 ? DType::f64 : DType::f32, std::ssize(list), list.data());
  };
  CHECK(common(std::vector<float>{}) == 0);
  CHECK(common(std::vector<float>{0, -0.f}) == 0);
  CHECK(common(std::vector<float>{0, 12, -40}) == 2);
  CHECK(common(std::vector<float>{0.75f, 64, std::nanf(""), INFINITY}) == -2);
  CHECK(common(std::vector<float>{0x1p-149f}) == -149);
  CHECK(common(std::vector<float>{0x1.8p-130f}) == -131);
  CHECK(common(std::vector<float>{0x1.000002p0f}) == -23);
  CHECK(common(std::vector<double>{0x1.0000000000001p0, 4}) == -52);
  CHECK(common(std::vector<double>{0x1p-1074, 4}) == -1074);
  std::vector<float> many(100'000, 96);
  many[77'777] = 8;
  for (const int threads : {1, 3}) with_threads(threads, [&] { CHECK(common(many) == 3); });
}

TEST_CASE("codes follow their definition") {
  const float x[] = {0.5f, 1.5f, -2.5f, 300, -300, 0.26f, std::nanf("")};
  const int8_t even[] = {0, 2, -2, 127, -128, 0, 0}, away[] = {1, 2, -3, 127, -128, 0, 0}, up[] = {1, 2, -2, 127, -128, 1, 0};
  const auto check = [&](Rounding rounding, const int8_t* wanted) {
    int8_t codes[7];
    for_isas([&] {
      quantize(key_of("int8", rounding, {1, 1, 7}), DType::f32, x, nullptr, DType::i8, codes);
      CHECK(std::equal(codes, codes + 7, wanted));
    });
  };
  check(Rounding::nearest_even, even);
  check(Rounding::nearest_away, away);
  check(Rounding::ceil, up);
}

TEST_CASE("f16 and bf16 patterns are the plain conversions") {
  const Odd<float> x = hostile<float>(20'000, 8);
  const auto check = [&](const char* format, DType type, auto bits, auto value) {
    QuantizeKey key = key_of(format, Rounding::nearest_even, {1, 1, x.size()});
    key.overflow = Overflow::infinity;
    Odd<uint16_t> found(x.size()), wanted(x.size());
    for (int64_t i = 0; i < x.size(); ++i) wanted[i] = bits(std::isnan(x[i]) ? std::nanf("") : x[i]);
    for_isas([&] {
      quantize(key, DType::f32, x.data(), nullptr, type, found.data());
      check_same(found, wanted);
      Odd<float> y(x.size()), back(x.size());
      dequantize(key, type, found.data(), nullptr, DType::f32, y.data());
      for (int64_t i = 0; i < x.size(); ++i) back[i] = value(wanted[i]);
      check_same(y, back);
    });
  };
  check("f16", DType::f16, f16_bits, f16_value);
  check("bf16", DType::bf16, bf16_bits, bf16_value);
}

TEST_CASE("f64 in, f64 out, in place") {
  for (const char* format : {"int8", "e4m3", "f16", "f32", "e11m20"}) {
    Odd<double> x = hostile<double>(500, 9);
    const QuantizeKey key = key_of(format, Rounding::nearest_even, {1, 1, x.size()});
    const Odd<double> before = x;
    quantize_values(key, DType::f64, x.data(), nullptr, x.data());
    for (int64_t i = 0; i < x.size(); ++i)
      if (!(std::isnan(before[i]) && key.format.is_integer_grid()))
        CHECK(same(x[i], round_value(key.format, before[i], key.rounding)));
  }
}

TEST_CASE("codes that do not fit are refused") {
  float x = 0;
  CHECK_THROWS_AS(quantize(key_of("uint8", Rounding::floor, {}), DType::f32, &x, nullptr, DType::i8, &x), Error);
  CHECK_THROWS_AS(quantize(key_of("int16", Rounding::floor, {}), DType::f32, &x, nullptr, DType::f16, &x), Error);
  CHECK_THROWS_AS(quantize(key_of("int8", Rounding::floor, {}), DType::i8, &x, nullptr, DType::i8, &x), Error);
  QuantizeKey wrapping = key_of("int8", Rounding::floor, {});
  wrapping.overflow = Overflow::wrap, wrapping.zero_point = 1;
  CHECK_THROWS_AS(quantize(wrapping, DType::f32, &x, nullptr, DType::i8, &x), Error);
  CHECK_THROWS_AS(dequantize(key_of("int9", Rounding::floor, {}), DType::i8, &x, nullptr, DType::f32, &x), Error);
}

template <class T>
void check_statistics(const Lanes& lanes, const Odd<T>& x, DType type) {
  const auto C = static_cast<size_t>(lanes.channels);
  std::vector<T> low(C, std::numeric_limits<T>::infinity()), high(C, -std::numeric_limits<T>::infinity());
  std::vector<double> total(C, 0);
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<size_t>(i / lanes.inner % lanes.channels);
    low[c] = std::isnan(low[c]) || x[i] >= low[c] ? low[c] : x[i];
    high[c] = std::isnan(high[c]) || x[i] <= high[c] ? high[c] : x[i];
    total[c] += std::fabs(static_cast<double>(x[i]));
  }
  std::vector<float> found(C), least(C), greatest(C), mean(C);
  for_isas([&] {
    absmax(lanes, type, x.data(), found.data());
    minmax(lanes, type, x.data(), least.data(), greatest.data());
    mean_abs(lanes, type, x.data(), mean.data());
    for (size_t c = 0; c < C; ++c) {
      CAPTURE(c);
      const bool is_empty = x.size() == 0, is_nan = std::isnan(low[c]) || std::isnan(high[c]);
      const T wanted = is_empty ? 0 : is_nan ? low[c] + high[c] : std::max(std::fabs(low[c]), std::fabs(high[c]));
      CHECK((is_nan ? std::isnan(found[c]) : found[c] == static_cast<float>(wanted)));
      CHECK((is_nan ? std::isnan(least[c]) : least[c] == static_cast<float>(is_empty ? 0 : low[c])));
      CHECK((is_nan ? std::isnan(greatest[c]) : greatest[c] == static_cast<float>(is_empty ? 0 : high[c])));
      const double average = is_empty ? 0 : total[c] / static_cast<double>(lanes.outer * lanes.inner);
      CHECK((std::isfinite(average) ? mean[c] == doctest::Approx(average).epsilon(1e-6)
                                    : std::isnan(average) == std::isnan(mean[c])));
    }
  });
}

TEST_CASE("absmax, minmax and mean_abs on every row, length and kind of lanes") {
  for (const int64_t n : lengths()) {
    CAPTURE(n);
    check_statistics({1, 1, n}, ordinary<float>(n, 11), DType::f32);
    check_statistics({1, 1, n}, hostile<double>(n, 12), DType::f64);
    check_statistics({n, 1, 3}, ordinary<double>(3 * n, 13), DType::f64);
    check_statistics({n, 7, 1}, hostile<float>(7 * n, 14), DType::f32);
    check_statistics({3, 5, n}, ordinary<float>(15 * n, 15), DType::f32);
  }
  check_statistics({1, 1, 200'003}, ordinary<float>(200'003, 16), DType::f32);
  check_statistics({20'001, 9, 1}, ordinary<float>(9 * 20'001, 17), DType::f32);
}

TEST_CASE("mean_abs has the same bits on every row and number of threads") {
  const Odd<float> x = ordinary<float>(200'003, 18);
  float wanted = 0, found = 1;
  with_threads(1, [&] { mean_abs({1, 1, x.size()}, DType::f32, x.data(), &wanted); });
  for_isas([&] {
    with_threads(3, [&] { mean_abs({1, 1, x.size()}, DType::f32, x.data(), &found); });
    CHECK(found == wanted);
  });
}

}  // namespace
}  // namespace lp
