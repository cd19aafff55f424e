// Modelled accumulators against their arithmetic spelled out here, in long doubles and wide integers.
#include "lptrain/kernel/accumulator.h"

#include <functional>

#include "elements.h"
#include "operands.h"

using namespace lp;
using test::Operand;

namespace {

Accumulator in(std::string_view format, int64_t chunk = 0, std::optional<Overflow> overflow = {}) {
  Accumulator a;
  a.format = Format::parse(format);
  a.chunk = chunk;
  a.overflow = overflow;
  return a;
}

Operand numbers(DType type, const std::vector<double>& list) {
  Operand o(type, std::ssize(list));
  for (int64_t i = 0; i < o.size(); ++i) o.set(i, list[static_cast<size_t>(i)]);
  return o;
}

// sum_k a_k b_k, as the row that matmul() chooses and as the reference row make it: they must agree.
double summed(const Operand& a, const Operand& b, DType result, const Accumulator& accumulator) {
  const MatmulKey key{1, 1, a.size(), a.type(), b.type(), result, false, false, false, accumulator};
  Operand y(result, 1), z(result, 1);
  matmul(key, a.data(), b.data(), y.data());
  matmul_rows().back().run(key, a.data(), b.data(), z.data());
  CHECK(y.at(0) == z.at(0));
  return y.at(0);
}
double sum_of_ones(int64_t n, const Accumulator& accumulator) {
  const Operand ones = numbers(DType::f32, std::vector<double>(static_cast<size_t>(n), 1));
  return summed(ones, ones, DType::f32, accumulator);
}

// To the nearest multiple of its last place, ties to even; `bits` after the point, exponents from `least` on, up to `most`.
struct Grid {
  const char* format;
  int bits, least;
  long double most;
  bool to_infinity;
  long double rounded(long double x) const {
    if (x == 0) return 0;
    const long double place = std::ldexp(1.0L, std::max(std::ilogb(x), least) - bits), y = std::nearbyint(x / place) * place;
    if (std::abs(y) <= most) return y;
    return std::copysign(to_infinity ? std::numeric_limits<long double>::infinity() : most, x);
  }
};
constexpr Grid kGrids[] = {{"f16", 10, -14, 65504, true},
                           {"bf16", 7, -126, 3.3895313892515355e38L, true},
                           {"e6m9", 9, -30, 4290772992.0L, false},
                           {"e5m2", 2, -14, 57344, false},
                           {"e4m3", 3, -6, 448, false},
                           {"q7.8", 0, -8, 128 - 1.0L / 256, false}};

long double spelled(const Grid& g, const Operand& a, const Operand& b, int64_t chunk) {
  const bool is_fixed = g.format[0] == 'q';
  const auto round = [&](long double x) {
    return is_fixed ? std::clamp(std::nearbyint(x * 256) / 256, -128.0L, g.most) : g.rounded(x);
  };
  long double inner = 0, outer = 0;
  for (int64_t k = 0; k < a.size(); ++k) {
    inner = round(inner + static_cast<long double>(a.at(k)) * static_cast<long double>(b.at(k)));
    if (chunk == 0 || (k + 1) % chunk != 0) continue;
    outer = round(outer + inner);
    inner = 0;
  }
  return chunk == 0 ? inner : a.size() % chunk == 0 ? outer : round(outer + inner);
}

}  // namespace

TEST_CASE("ones summed in f16 stop at 2048; chunks cure it") {
  CHECK(sum_of_ones(2000, in("f16")) == 2000);
  CHECK(sum_of_ones(5000, in("f16")) == 2048);
  CHECK(sum_of_ones(4096, in("f16", 64)) == 4096);
  CHECK(sum_of_ones(4096, in("bf16")) == 256);
  Accumulator wide_outside = in("e4m3", 8);
  wide_outside.outer = kF32;
  CHECK(sum_of_ones(5001, wide_outside) == 5001);
}

TEST_CASE("floats and fixed point: every sum is rounded once, to nearest even") {
  for (const Grid& g : kGrids)
    for (const DType type : {DType::f32, DType::f16, DType::bf16})
      for (const int64_t chunk : {0, 1, 7, 64})
        for (uint64_t seed = 1; seed < 20; ++seed) {
          const Operand a = test::random_operand(type, 150, static_cast<int>(seed)),
                        b = test::random_operand(type, 150, static_cast<int>(seed + 50));
          CAPTURE(g.format);
          CAPTURE(name_of(type));
          CAPTURE(chunk);
          CAPTURE(seed);
          CHECK(summed(a, b, DType::f32, in(g.format, chunk)) == static_cast<double>(spelled(g, a, b, chunk)));
        }
}

TEST_CASE("a sum is never rounded twice") {
  // 1 + 2^-10 + 2^-11 (1 - 2^-46) lies below the tie, by less than a double beside 1 can tell.
  const Operand a = numbers(DType::f32, {1, 0x1p-10, 0x1p-11 * (1 + 0x1p-23)}), b = numbers(DType::f32, {1, 1, 1 - 0x1p-23});
  CHECK(summed(a, b, DType::f32, in("f16")) == 1 + 0x1p-10);
}

TEST_CASE("beyond the ends of f16 lies infinity; saturation is a choice") {
  const Operand a = numbers(DType::f32, {60000, 60000, -60000}), ones = numbers(DType::f32, {1, 1, 1});
  CHECK(std::isinf(summed(a, ones, DType::f32, in("f16"))));
  CHECK(summed(a, ones, DType::f32, in("f16", 0, Overflow::saturate)) ==
        round_value(kF16, 65504 - 60000, Rounding::nearest_even));
}

TEST_CASE("int accumulators count products of codes: wrapped, or saturated on the way") {
  for (const auto& types : {std::pair{DType::u8, DType::i8}, {DType::i8, DType::i8}, {DType::i16, DType::i16}})
    for (const int bits : {16, 20, 24, 32})
      for (int seed = 1; seed < 20; ++seed) {
        const auto a_type = types.first, b_type = types.second;
        const DType result = a_type == DType::i16 ? DType::f64 : DType::i32;
        const Operand a = test::random_integers(a_type, 400, seed), b = test::random_integers(b_type, 400, seed + 50);
        int64_t exact = 0, held = 0;
        const int64_t end = int64_t{1} << (bits - 1);
        for (int64_t k = 0; k < 400; ++k) {
          const auto product = static_cast<int64_t>(a.at(k) * b.at(k));
          exact += product;
          held = std::clamp(held + product, -end, end - 1);
        }
        const int64_t wrapped = ((exact + end) % (2 * end) + 2 * end) % (2 * end) - end;
        const std::string format = fmt::format("int{}", bits);
        CAPTURE(format);
        CAPTURE(name_of(a_type));
        CAPTURE(seed);
        CHECK(summed(a, b, result, in(format, 0, Overflow::wrap)) == static_cast<double>(wrapped));
        CHECK(summed(a, b, result, in(format)) == static_cast<double>(held));
      }
}

TEST_CASE("a register that no sum can leave is every row's") {
  CHECK(in("int32").holds_all(DType::u8, DType::i8, 65793));
  CHECK_FALSE(in("int32").holds_all(DType::u8, DType::i8, 65794));
  CHECK_FALSE(in("int16").holds_all(DType::i8, DType::i8, 2));
  CHECK_FALSE(in("f16").holds_all(DType::i8, DType::i8, 1));
  const MatmulKey key{33, 17, 600, DType::u8, DType::i8, DType::i32, false, true, false, in("int32")};
  CHECK_FALSE(key.is_modelled());
  const Operand a = test::random_integers(DType::u8, 33 * 600, 1), b = test::random_integers(DType::i8, 17 * 600, 2);
  Operand wanted(DType::i32, 33 * 17);
  matmul_rows().back().run(key, a.data(), b.data(), wanted.data());  // the model
  for (const MatmulRow& row : matmul_rows()) {
    if (!why_not(row, key).empty()) continue;
    Operand c(DType::i32, 33 * 17);
    row.run(key, a.data(), b.data(), c.data());
    CHECK_MESSAGE(c == wanted, row.name);
  }
}

TEST_CASE("convolutions sum in the order that their formulas name; padding does not count") {
  constexpr ConvShape s{.N = 2, .H = 5, .W = 4, .C = 3, .O = 4, .KH = 3, .KW = 2, .stride_h = 2, .pad_h = 1, .pad_w = 1};
  const int64_t OH = s.OH(), OW = s.OW();
  const Operand x = test::random_integers(DType::i8, s.N * s.H * s.W * s.C, 1),
                w = test::random_integers(DType::i8, s.O * s.KH * s.KW * s.C, 2),
                e = test::random_integers(DType::i8, s.N * OH * OW * s.O, 3);
  constexpr int64_t kChunk = 5, kEnd = 1 << 14;
  const Accumulator how = in("int15", kChunk);
  const auto ends = [](int64_t v) { return std::clamp(v, -kEnd, kEnd - 1); };
  std::vector<std::array<int64_t, 3>> sums[3];  // of each result: inner, outer, count
  sums[0].resize(static_cast<size_t>(e.size())), sums[1].resize(static_cast<size_t>(x.size())),
      sums[2].resize(static_cast<size_t>(w.size()));
  const auto add = [&](std::array<int64_t, 3>& sum, double a, double b) {
    sum[0] = ends(sum[0] + static_cast<int64_t>(a * b));
    if (++sum[2] % kChunk == 0) sum[1] = ends(sum[1] + sum[0]), sum[0] = 0;
  };
  // All (output, input, weight) triples, in an order that sorts the terms of each result as its formula does.
  const auto each = [&](const std::function<void(int64_t y, int64_t x, int64_t w)>& f, bool by_image) {
    const auto terms = [&](int64_t n, int64_t i, int64_t j, int64_t u, int64_t v) {
      const int64_t h = i * s.stride_h + u - s.pad_h, l = j + v - s.pad_w;
      if (h < 0 || h >= s.H || l < 0 || l >= s.W) return;
      for (int64_t o = 0; o < s.O; ++o)
        for (int64_t c = 0; c < s.C; ++c)
          f(((n * OH + i) * OW + j) * s.O + o, ((n * s.H + h) * s.W + l) * s.C + c, ((o * s.KH + u) * s.KW + v) * s.C + c);
    };
    for (int64_t a = 0; a < (by_image ? s.N * OH * OW : s.KH * s.KW); ++a)
      for (int64_t b = 0; b < (by_image ? s.KH * s.KW : s.N * OH * OW); ++b) {
        const int64_t y = by_image ? a : b, k = by_image ? b : a;
        terms(y / (OH * OW), y / OW % OH, y % OW, k / s.KW, k % s.KW);
      }
  };
  each([&](int64_t y, int64_t i, int64_t k) { add(sums[0][static_cast<size_t>(y)], x.at(i), w.at(k)); }, false);
  each([&](int64_t y, int64_t i, int64_t k) { add(sums[1][static_cast<size_t>(i)], e.at(y), w.at(k)); }, false);
  each([&](int64_t y, int64_t i, int64_t k) { add(sums[2][static_cast<size_t>(k)], x.at(i), e.at(y)); }, true);
  const std::pair<const Operand*, const Operand*> operands[] = {{&x, &w}, {&e, &w}, {&x, &e}};
  for (size_t pass = 0; pass < 3; ++pass) {
    const ConvKey key{static_cast<ConvPass>(pass), s, DType::i8, DType::i8, DType::i32, how};
    CHECK(key.is_modelled());
    Operand c(DType::i32, std::ssize(sums[pass]));
    conv2d(key, operands[pass].first->data(), operands[pass].second->data(), c.data());
    for (int64_t i = 0; i < c.size(); ++i) {
      const auto& [inner, outer, count] = sums[pass][static_cast<size_t>(i)];
      CAPTURE(pass);
      CAPTURE(i);
      CHECK(c.at(i) == static_cast<double>(count % kChunk == 0 ? outer : ends(outer + inner)));
    }
  }
}

TEST_CASE("stochastic sums repeat themselves, and are right on average") {
  Accumulator a = in("e5m2");
  a.rounding = Rounding::stochastic;
  double mean = 0;
  constexpr int kTimes = 2000;
  for (uint64_t i = 0; i < kTimes; ++i) {
    const double once = sum_of_ones(20, a.of_pass(i));
    CHECK(once == sum_of_ones(20, a.of_pass(i)));
    mean += once / kTimes;
  }
  CHECK(sum_of_ones(20, in("e5m2")) == 8);
  CHECK(mean == doctest::Approx(20).epsilon(0.03));  // the deviation of one sum is below 5; of the mean, 0.11
}

namespace {

SumCounts counted(const Operand& a, const Operand& b, DType result, Accumulator accumulator) {
  SumCounts counts;
  accumulator.counts = &counts;
  Operand y(result, 1);
  matmul({1, 1, a.size(), a.type(), b.type(), result, false, false, false, accumulator}, a.data(), b.data(), y.data());
  return counts;
}

}  // namespace

TEST_CASE("additions are counted: rounded, lost, held at the end, infinite, wrapped around") {
  const Operand ones = numbers(DType::f32, std::vector<double>(5000, 1));
  SumCounts c = counted(ones, ones, DType::f32, in("f16"));
  CHECK(c.sums == 1);
  CHECK(c.additions == 5000);
  CHECK(c.rounded == 5000 - 2048);
  CHECK(c.lost == 5000 - 2048);
  CHECK(c.saturated + c.overflows == 0);
  c = counted(ones, ones, DType::f32, in("f16", 100));
  CHECK(c.additions == 5000 + 50);
  CHECK(c.rounded + c.lost == 0);  // multiples of 100 are on the grid, whose steps are 4 in the end
  const Operand halves = numbers(DType::f32, {1, 0x1p-11, 0x1p-10, 0});
  c = counted(halves, numbers(DType::f32, {1, 1, 1, 1}), DType::f32, in("f16"));
  CHECK(c.rounded == 1);  // 1 + 2^-11 is a tie, and becomes 1
  CHECK(c.lost == 1);
  const Operand far = numbers(DType::f32, {60000, 60000, 1, -60000});
  c = counted(far, numbers(DType::f32, {1, 1, 1, 1}), DType::f32, in("f16"));
  CHECK(c.overflows == 1);  // what is added to infinity is not told again
  CHECK(c.lost == 0);
  c = counted(far, numbers(DType::f32, {1, 1, 1, 1}), DType::f32, in("f16", 0, Overflow::saturate));
  CHECK(c.saturated == 2);  // adding 1 to the last real, too
  CHECK(c.lost == 0);
  const Operand bytes = numbers(DType::i8, {100, 100, 100, -100, 100});
  c = counted(bytes, bytes, DType::i32, in("int16", 0, Overflow::wrap));
  CHECK(c.overflows == 1);  // 10000, 20000, 30000, 40000 - 65536
  c = counted(bytes, numbers(DType::i8, {100, 100, 100, 100, 100}), DType::i32, in("int15", 0, Overflow::saturate));
  CHECK(c.saturated == 2);  // 10000, 16383, 16383, 6383, 16383
  CHECK(c.rounded + c.lost == 0);
}

TEST_CASE("counting changes no sum, and does not depend on threads") {
  const Operand a = Operand(DType::f32, 40 * 30), b = Operand(DType::f32, 30 * 20);
  SumCounts one, three;
  for (SumCounts* counts : {&one, &three}) {
    Operand x = a, w = b, y(DType::f32, 40 * 20), z(DType::f32, 40 * 20);
    for (int64_t i = 0; i < x.size(); ++i) x.set(i, Key(1).normal(static_cast<uint64_t>(i)));
    for (int64_t i = 0; i < w.size(); ++i) w.set(i, 100 * Key(2).normal(static_cast<uint64_t>(i)));
    MatmulKey key{40, 20, 30, DType::f32, DType::f32, DType::f32, false, false, false, in("e5m2", 7)};
    matmul(key, x.data(), w.data(), y.data());
    key.accumulator.counts = counts;
    test::with_threads(counts == &one ? 1 : 3, [&] { matmul(key, x.data(), w.data(), z.data()); });
    for (int64_t i = 0; i < y.size(); ++i) CHECK(y.at(i) == z.at(i));
  }
  CHECK(one.sums == 40 * 20);
  CHECK(one.additions == 40 * 20 * (30 + 5));
  CHECK(one.rounded > 0);
  CHECK(one.rounded == three.rounded);
  CHECK(one.lost == three.lost);
  SumCounts array[3];
  Accumulator second = in("f16");
  second.counts = array;
  CHECK(second.of_pass(2).counts == array + 2);
}
