// The loops of passages equal their definitions on every instruction set.
#include "lptrain/kernel/passage.h"

#include "elements.h"
#include "lptrain/number/half.h"

namespace lp {
namespace {

using namespace lp::test;

struct Size {
  int64_t rows, C;
};
constexpr Size kShapes[] = {{1, 1}, {3, 17}, {64, 64}, {1031, 33}, {257, 130}, {0, 5}};

bool is_same(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b) || (a == 0 && b == 0); }

TEST_CASE("gradients pass between the bounds, and nowhere else") {
  const std::vector<float> x{-2, -1, -0.f, 0.5f, 1, std::nextafter(1.f, 2.f), NAN, INFINITY}, dy{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> dx(x.size());
  pass_within(std::ssize(x), x.data(), -1, 1, dy.data(), dx.data());
  CHECK(dx == std::vector<float>{0, 2, 3, 4, 5, 0, 0, 0});
  std::vector<float> same = dy;
  pass_within(std::ssize(x), x.data(), -1, 1, same.data(), same.data());
  CHECK(same == dx);
}

TEST_CASE("mark_passage and scale_columns") {
  for (const Size& size : kShapes) {
    const int64_t rows = size.rows, C = size.C;
    const Odd<float> y = hostile<float>(rows * C, 1), s = hostile<float>(C, 2);
    for_isas([&] {
      Odd<uint8_t> where(rows * C, 3);
      Odd<float> scaled(rows * C);
      mark_passage(rows * C, y.data(), -0.5f, 1.5f, where.data());
      scale_columns(rows, C, y.data(), s.data(), scaled.data());
      for (int64_t i = 0; i < rows * C; ++i) {
        REQUIRE(where[i] == (y[i] >= -0.5f && y[i] <= 1.5f ? 3 : kDead));
        REQUIRE(is_same(scaled[i], y[i] * s[i % C]));
      }
    });
  }
}

TEST_CASE("passed_extremes looks at living places only, and NaN wins") {
  for (const Size& size : kShapes)
    for (const bool has_nan : {false, true}) {
      const int64_t rows = size.rows, C = size.C;
      Odd<float> dy(rows * C), s(C);
      Odd<uint8_t> where(rows * C);
      const Key key(static_cast<uint64_t>(rows));
      for (int64_t i = 0; i < rows * C; ++i) {
        dy[i] = static_cast<float>(key.normal(static_cast<uint64_t>(i)));
        where[i] = key.bits32(static_cast<uint64_t>(i)) % 3 ? 1 : kDead;
        if (where[i] == kDead) dy[i] = i % 2 ? 1e30f : -1e30f;
        if (has_nan && i == rows * C / 2) dy[i] = NAN, where[i] = 0;
      }
      for (int64_t c = 0; c < C; ++c) s[c] = 1.f + static_cast<float>(c);
      float least = 0, most = 0;
      bool is_nan = false;
      for (int64_t i = 0; i < rows * C; ++i) {
        const float v = where[i] == kDead ? 0.f : dy[i] * s[i % C];
        is_nan |= v != v;
        least = std::min(least, v), most = std::max(most, v);
      }
      for_isas([&] {
        float low = 7, high = 7;
        passed_extremes(rows, C, dy.data(), s.data(), where.data(), &low, &high);
        CHECK((is_nan ? low != low && high != high : low == least && high == most));
      });
    }
}

TEST_CASE("code_column_sums") {
  for (const Size& size : kShapes) {
    const int64_t rows = size.rows, C = size.C;
    Odd<int8_t> i8(rows * C);
    Odd<uint8_t> u8(rows * C);
    Odd<uint16_t> bf16(rows * C);
    std::vector<double> wanted_i8(static_cast<size_t>(C)), wanted_u8 = wanted_i8, wanted_bf16 = wanted_i8;
    for (int64_t i = 0; i < rows * C; ++i) {
      const uint32_t bits = Key(5).bits32(static_cast<uint64_t>(i));
      i8[i] = static_cast<int8_t>(bits), u8[i] = static_cast<uint8_t>(bits >> 8);
      bf16[i] = bf16_bits(static_cast<float>(static_cast<int8_t>(bits)) / 4);  // sums of these are exact in f32
      const auto c = static_cast<size_t>(i % C);
      wanted_i8[c] += i8[i], wanted_u8[c] += u8[i], wanted_bf16[c] += static_cast<double>(bf16_value(bf16[i]));
    }
    for_isas([&] {
      std::vector<double> sums(static_cast<size_t>(C), 9.0);
      code_column_sums(rows, C, DType::i8, i8.data(), sums.data());
      CHECK(sums == wanted_i8);
      code_column_sums(rows, C, DType::u8, u8.data(), sums.data());
      CHECK(sums == wanted_u8);
      code_column_sums(rows, C, DType::bf16, bf16.data(), sums.data());
      CHECK(sums == wanted_bf16);
    });
  }
  CHECK_THROWS(code_column_sums(1, 1, DType::i16, nullptr, nullptr));
}

}  // namespace
}  // namespace lp
