// Every row of the matrix product against the reference, and the reference against sums done here.
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "operands.h"

using namespace lp;
using test::Operand;

namespace {

constexpr std::array<int64_t, 3> kSizes[] = {{1, 1, 1},    {1, 7, 3},     {3, 1, 17},   {7, 17, 33},   {17, 33, 7}, {33, 130, 64},
                                             {64, 64, 64}, {130, 3, 131}, {5, 97, 257}, {1, 130, 600}, {2, 16, 520}};

std::string told(const MatmulKey& key, std::string_view row) {
  return fmt::format("{} {}x{}x{} {}{} {}{}{}", row, key.m, key.n, key.k, name_of(key.a), key.transpose_a ? "'" : "",
                     name_of(key.b), key.transpose_b ? "'" : "", key.accumulate ? " +" : "");
}

Operand run(const MatmulRow& row, const MatmulKey& key, const Operand& a, const Operand& b, Operand c) {
  row.run(key, a.data(), b.data(), c.data());
  return c;
}

// sum |a||b| (+ |c|), what roundings are measured by.
Operand scale_of(MatmulKey key, const Operand& a, const Operand& b, const Operand& c) {
  key.a = key.b = key.c = DType::f64;
  Operand scale = key.accumulate ? test::magnitudes(c) : Operand(DType::f64, key.m * key.n);
  const Operand x = test::magnitudes(a), y = test::magnitudes(b);
  matmul_rows().back().run(key, x.data(), y.data(), scale.data());
  return scale;
}

// Every row that takes the key equals the reference. What c holds must not matter, unless it is added to.
int compare_rows(const MatmulKey& key, const Operand& a, const Operand& b) {
  const bool exact = test::is_integer(key.a);
  const Operand c = key.accumulate
                        ? exact ? test::random_integers(key.c, key.m * key.n, 3) : test::random_operand(key.c, key.m * key.n, 3)
                        : test::constant_operand(key.c, key.m * key.n, key.c == DType::i32 ? 77 : NAN);
  const Operand wanted = run(matmul_rows().back(), key, a, b, c), scale = exact ? wanted : scale_of(key, a, b, c);
  int rows = 0;
  for (const MatmulRow& row : matmul_rows()) {
    if (!why_not(row, key).empty()) continue;
    ++rows;
    const std::string wrong = test::difference(run(row, key, a, b, c), wanted, scale, key.k, exact);
    CHECK_MESSAGE(wrong.empty(), told(key, row.name), ": ", wrong);
  }
  return rows;
}

}  // namespace

TEST_CASE("the reference is the definition") {
  for (const auto& t : test::kTypes)
    for (int flags = 0; flags < 8; ++flags) {
      const MatmulKey key{3, 4, 5, t.a, t.b, t.c, bool(flags & 1), bool(flags & 2), bool(flags & 4)};
      const Operand a = test::random_operand(t.a, 15, 1), b = test::random_operand(t.b, 20, 2),
                    before = test::random_operand(t.c, 12, 3);
      const Operand c = run(matmul_rows().back(), key, a, b, before);
      for (int64_t m = 0; m < 3; ++m)
        for (int64_t n = 0; n < 4; ++n) {
          double sum = key.accumulate ? before.at(m * 4 + n) : 0;
          for (int64_t k = 0; k < 5; ++k)
            sum += a.at(key.transpose_a ? k * 3 + m : m * 5 + k) * b.at(key.transpose_b ? n * 5 + k : k * 4 + n);
          CHECK(c.at(m * 4 + n) == (t.c == DType::f32 ? static_cast<float>(sum) : sum));
        }
    }
}

TEST_CASE("every row equals the reference: sizes, transposes, accumulation, types") {
  for (const auto& t : test::kTypes) {
    int rows = 0;
    for (const auto& [m, n, k] : kSizes)
      for (int flags = 0; flags < 8; ++flags)
        rows += compare_rows({m, n, k, t.a, t.b, t.c, bool(flags & 1), bool(flags & 2), bool(flags & 4)},
                             test::random_operand(t.a, m * k, 1), test::random_operand(t.b, k * n, 2));
    const int cases = 8 * static_cast<int>(std::size(kSizes));
    if (backend_cap() > Backend::reference) CHECK(rows > cases);  // not only the reference with itself
  }
}

TEST_CASE("extreme integers do not saturate, up to the longest exact sum") {
  for (const auto& t : test::kTypes) {
    if (!test::is_integer(t.a)) continue;
    for (const int64_t k : {2, 64, 1029, 65793, 70001}) {
      if (t.a == DType::i16 && k > 2000) continue;
      for (const double x : {test::lowest(t.a), test::highest(t.a)})
        for (const double y : {test::lowest(t.b), test::highest(t.b)})
          compare_rows({2, 9, k, t.a, t.b, t.c, false, true}, test::constant_operand(t.a, 2 * k, x),
                       test::constant_operand(t.b, 9 * k, y));
    }
  }
  const int64_t k = 65793;
  const Operand a = test::constant_operand(DType::u8, k, 255), b = test::constant_operand(DType::i8, k, -128);
  Operand c(DType::i32, 1);
  matmul({1, 1, k, DType::u8, DType::i8, DType::i32}, a.data(), b.data(), c.data());
  CHECK(c.at(0) == -255.0 * 128 * k);
}

TEST_CASE("16-bit sums are exact integers") {
  const int64_t k = 3000;
  const Operand a = test::random_operand(DType::i16, k, 5), b = test::random_operand(DType::i16, k, 6);
  int64_t wanted = 0;
  for (int64_t i = 0; i < k; ++i) wanted += static_cast<int64_t>(a.at(i)) * static_cast<int64_t>(b.at(i));
  Operand c(DType::f64, 1);
  matmul({1, 1, k, DType::i16, DType::i16, DType::f64}, a.data(), b.data(), c.data());
  CHECK(c.at(0) == static_cast<double>(wanted));
}

TEST_CASE("NaN and infinity reach the elements that read them, and no others") {
  for (const auto& t : test::kTypes) {
    if (test::is_integer(t.a)) continue;
    Operand a = test::random_operand(t.a, 9 * 40, 1), b = test::random_operand(t.b, 40 * 20, 2);
    for (int64_t i = 0; i < b.size(); ++i)
      if (b.at(i) == 0) b.set(i, 1);  // infinity times zero has a test of its own
    a.set(2 * 40 + 7, NAN);
    a.set(4 * 40 + 39, INFINITY);
    a.set(5 * 40, -INFINITY);
    compare_rows({9, 20, 40, t.a, t.b, t.c}, a, b);
    b.set(0, 0);
    compare_rows({9, 20, 40, t.a, t.b, t.c}, a, b);
  }
}

TEST_CASE("whatever is capped, the chosen row is allowed and right") {
  const test::Caps restore;
  for (const auto& t : test::kTypes) {
    const MatmulKey key{19, 35, 66, t.a, t.b, t.c, true, false};
    const Operand a = test::random_operand(t.a, 19 * 66, 1), b = test::random_operand(t.b, 66 * 35, 2), c(t.c, 19 * 35);
    const Operand wanted = run(matmul_rows().back(), key, a, b, c), scale = scale_of(key, a, b, c);
    for (int isa = 0; isa <= static_cast<int>(Isa::amx); ++isa)
      for (int backend = 0; backend <= static_cast<int>(Backend::onednn); ++backend) {
        set_isa_cap(static_cast<Isa>(isa));
        set_backend_cap(static_cast<Backend>(backend));
        const MatmulRow& row = choose(matmul_rows(), key);
        CHECK(available(row.backend, row.needs));
        Operand found(t.c, 19 * 35);
        matmul(key, a.data(), b.data(), found.data());
        CHECK(test::difference(found, wanted, scale, key.k, test::is_integer(t.a)) == "");
      }
  }
}

TEST_CASE("products are right inside a parallel loop and on any thread count") {
  const int before = thread_count();
  for (const auto& t : test::kTypes) {
    const MatmulKey key{40, 48, 70, t.a, t.b, t.c, false, true};
    const Operand a = test::random_operand(t.a, 40 * 70, 1), b = test::random_operand(t.b, 70 * 48, 2), c(t.c, 40 * 48);
    const Operand wanted = run(matmul_rows().back(), key, a, b, c), scale = scale_of(key, a, b, c);
    for (const int threads : {1, 2, 3}) {
      set_thread_count(threads);
      std::vector<Operand> found(8, c);
      parallel_for(8, 1, [&](int64_t i) { matmul(key, a.data(), b.data(), found[static_cast<size_t>(i)].data()); });
      for (const Operand& f : found) CHECK(test::difference(f, wanted, scale, key.k, test::is_integer(t.a)) == "");
      Operand alone = c;
      matmul(key, a.data(), b.data(), alone.data());
      CHECK(test::difference(alone, wanted, scale, key.k, test::is_integer(t.a)) == "");
    }
  }
  set_thread_count(before);
}

TEST_CASE("empty sums are zero, or what was there") {
  for (const auto& t : test::kTypes) {
    Operand c = test::constant_operand(t.c, 6, 5);
    matmul({2, 3, 0, t.a, t.b, t.c, false, false, true}, nullptr, nullptr, c.data());
    CHECK(c == test::constant_operand(t.c, 6, 5));
    matmul({2, 3, 0, t.a, t.b, t.c}, nullptr, nullptr, c.data());
    CHECK(c == test::constant_operand(t.c, 6, 0));
    matmul({0, 3, 4, t.a, t.b, t.c}, nullptr, nullptr, nullptr);
    matmul({3, 0, 4, t.a, t.b, t.c}, nullptr, nullptr, nullptr);
  }
}

TEST_CASE("products that do not exist are errors") {
  CHECK_THROWS_AS(matmul({1, 1, 1, DType::f32, DType::f64, DType::f32}, nullptr, nullptr, nullptr), Error);
  CHECK_THROWS_AS(matmul({1, 1, 1, DType::f32, DType::f32, DType::f64}, nullptr, nullptr, nullptr), Error);
  CHECK_THROWS_AS(matmul({1, 1, 1, DType::i8, DType::i16, DType::i32}, nullptr, nullptr, nullptr), Error);
  CHECK_THROWS_AS(matmul({1, 1, 1, DType::i32, DType::i32, DType::i32}, nullptr, nullptr, nullptr), Error);
  CHECK_THROWS_AS(matmul({-1, 1, 1, DType::f32, DType::f32, DType::f32}, nullptr, nullptr, nullptr), Error);
}
