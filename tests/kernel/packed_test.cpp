// Codes as planes of bits: all widths there and back, and products that unpack them.
#include "lptrain/kernel/packed.h"

#include <algorithm>

#include "lptrain/base/error.h"
#include "operands.h"

using namespace lp;
using test::Operand;

namespace {

std::vector<CodeWidth> widths() {
  std::vector<CodeWidth> all{{1, true, true}};
  for (int bits = 1; bits <= 8; ++bits)
    for (const bool is_signed : {false, true}) all.push_back({bits, is_signed, false});
  return all;
}

DType type_of(const CodeWidth& width) { return width.is_signed ? DType::i8 : DType::u8; }

Operand codes_of(const CodeWidth& width, int64_t n, uint64_t seed) {
  Operand made(type_of(width), n);
  test::Dice dice{seed};
  const int64_t low = width.is_signed ? -(1 << (width.bits - 1)) : 0;
  for (int64_t i = 0; i < n; ++i)
    made.set(i,
             static_cast<double>(width.are_signs ? 2 * dice.between(0, 1) - 1 : dice.between(low, low + (1 << width.bits) - 1)));
  return made;
}

std::vector<uint8_t> planes_of(const CodeWidth& width, int64_t rows, int64_t k, const Operand& codes) {
  std::vector<uint8_t> planes(static_cast<size_t>(rows * width.row_bytes(k)));
  pack_codes(width, rows, k, codes.data(), planes.data());
  return planes;
}

}  // namespace

TEST_CASE("planes hold the bits that the header names") {
  Operand codes(DType::i8, 9);
  for (int64_t i = 0; i < 9; ++i) codes.set(i, static_cast<double>(i % 4 - 2));  // -2 -1 0 1 -2 -1 0 1 -2
  CHECK(planes_of({2, true, false}, 1, 9, codes) == std::vector<uint8_t>{0b10101010, 0, 0b00110011, 1});
  for (int64_t i = 0; i < 9; ++i) codes.set(i, i % 3 ? 1 : -1);
  CHECK(planes_of({1, true, true}, 1, 9, codes) == std::vector<uint8_t>{0b01001001, 0});
  CHECK(CodeWidth{4, true, false}.row_bytes(1000) == 500);
}

TEST_CASE("codes of every width come back, on every instruction set") {
  const test::Caps restore;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::amx}) {
    set_isa_cap(isa);
    for (const CodeWidth& width : widths())
      for (const int64_t k : {1, 7, 8, 31, 32, 63, 64, 65, 200}) {
        const Operand codes = codes_of(width, 5 * k, 1);
        Operand found = test::constant_operand(codes.type(), 5 * k, 5);
        unpack_codes(width, 5, k, planes_of(width, 5, k, codes).data(), found.data());
        CHECK_MESSAGE(found == codes, width.bits, " bits, ", k, " codes");
      }
  }
}

TEST_CASE("a packed product is that of the codes: one row and many, one panel and many") {
  for (const CodeWidth& width : widths())
    for (const auto& size :
         {std::array<int64_t, 3>{1, 1, 1}, {1, 100, 77}, {5, 33, 600}, {1, 70, 9000}, {3, 130, 5000}, {2, 9, 300000 / 8}}) {
      const int64_t m = size[0], n = size[1], k = size[2];
      if (n * k > 100000 && width.bits % 4 != 1) continue;
      const DType b = type_of(width);
      const Levels levels = width.are_signs ? Levels::signs : Levels::any;
      const MatmulKey key{m, n, k, DType::i8, b, DType::i32, false, true, false, {}, levels, levels};
      const Operand x = width.are_signs ? codes_of(width, m * k, 2) : test::random_operand(DType::i8, m * k, 2);
      const Operand w = codes_of(width, n * k, 3);
      Operand wanted(DType::i32, m * n), found = test::constant_operand(DType::i32, m * n, 7);
      matmul(key, x.data(), w.data(), wanted.data());
      matmul_packed(key, x.data(), width, planes_of(width, n, k, w).data(), found.data());
      CHECK_MESSAGE(found == wanted, width.bits, " bits, ", m, " x ", n, " x ", k);
    }
}

TEST_CASE("empty packed products: nothing, or zeros") {
  int32_t c[6] = {5, 5, 5, 5, 5, 5};
  matmul_packed({0, 3, 4, DType::i8, DType::i8, DType::i32, false, true}, nullptr, {4}, nullptr, nullptr);
  matmul_packed({3, 0, 4, DType::i8, DType::i8, DType::i32, false, true}, nullptr, {4}, nullptr, nullptr);
  matmul_packed({2, 3, 0, DType::u8, DType::i8, DType::i32, false, true}, c, {4}, nullptr, c);
  CHECK(std::ranges::all_of(c, [](int32_t sum) { return sum == 0; }));
}

TEST_CASE("packed products are right whatever is capped, for few rows and for many") {
  const test::Caps restore;
  const CodeWidth width{3, true, false};
  const Operand w = codes_of(width, 70 * 130, 3);
  const std::vector<uint8_t> planes = planes_of(width, 70, 130, w);
  for (const DType a : {DType::i8, DType::u8})
    for (int64_t m = 1; m <= 13; ++m) {
      const MatmulKey key{m, 70, 130, a, DType::i8, DType::i32, false, true};
      const Operand x = test::random_operand(a, m * 130, 2);
      Operand wanted(DType::i32, m * 70), found = wanted;
      matmul(key, x.data(), w.data(), wanted.data());
      for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512_vnni, Isa::amx}) {
        set_isa_cap(isa);
        matmul_packed(key, x.data(), width, planes.data(), found.data());
        CHECK(found == wanted);
      }
    }
}

TEST_CASE("packed products of other forms are refused") {
  const uint8_t planes = 0;
  int32_t c = 0;
  const auto refused = [&](MatmulKey key) { CHECK_THROWS_AS(matmul_packed(key, &planes, {4}, &planes, &c), Error); };
  refused({1, 1, 1, DType::i8, DType::i8, DType::i32});
  refused({1, 1, 1, DType::i8, DType::i8, DType::i32, true, true});
  refused({1, 1, 1, DType::i8, DType::i8, DType::i32, false, true, true});
  refused({1, 1, 1, DType::f32, DType::f32, DType::f32, false, true});
}
