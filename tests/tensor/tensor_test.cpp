// Tensors: sharing, type checks, and reuse of memory.
#include "lptrain/tensor/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lptrain/number/half.h"
#include "support/random_tensor.h"

namespace lp {

TEST_CASE("handles share bytes, clones do not") {
  Tensor a = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(a.is_sole_owner());
  const Tensor flat = a.reshape({6}), row = a.rows(1, 2), copy = a.clone();
  CHECK_FALSE(a.is_sole_owner());
  a.data<float>()[3] = 40;
  CHECK(numbers_of(row) == std::vector<double>{40, 5, 6});
  CHECK(row.shape() == Shape{1, 3});
  CHECK(numbers_of(flat)[3] == 40);
  CHECK(numbers_of(copy)[3] == 4);
  CHECK(copy.is_sole_owner());
  CHECK(numbers_of(row.clone()) == std::vector<double>{40, 5, 6});
}

TEST_CASE("a tensor can be none, empty or a scalar") {
  CHECK_FALSE(Tensor());
  const Tensor empty = Tensor::zeros({0, 3});
  CHECK(empty);
  CHECK(empty.size() == 0);
  CHECK(empty.clone().shape() == Shape{0, 3});
  CHECK(Tensor::full({}, 2.5, DType::f64).item() == 2.5);
}

TEST_CASE("elements lie on 64-byte boundaries and are zero when asked") {
  for (int64_t n : {1, 15, 16, 17, 1000}) {
    { const Tensor dirty = Tensor::full({n}, 7); }
    const Tensor t = Tensor::zeros({n});
    CHECK(reinterpret_cast<uintptr_t>(t.raw()) % 64 == 0);
    for (double v : numbers_of(t)) CHECK(v == 0);
  }
}

TEST_CASE("mistakes are named") {
  const Tensor t = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(t.data<double>(), "a f32 tensor read as 8-byte elements", Error);
  CHECK_THROWS_WITH_AS(t.reshape({4}), "reshape: [2,3] has 6 elements, [4] has 4", Error);
  CHECK_THROWS_WITH_AS(t.rows(1, 3), "rows 1..3 of [2,3]", Error);
  CHECK_THROWS_WITH_AS(t.item(), "expected a single element, found [2,3]", Error);
  CHECK_THROWS_AS(Tensor::full({2}, 1, DType::i8), Error);
  CHECK_THROWS_AS(Tensor::of<float>({3}, {1, 2}), Error);
  CHECK_THROWS_AS(Tensor(Shape{int64_t{1} << 61}, DType::f64), Error);
}

TEST_CASE("freed memory serves the next tensor of its size") {
  { const Tensor warm({1000, 100}); }
  const MemoryUse before = memory_use();
  for (int i = 0; i < 10; ++i) const Tensor t({1000, 100});
  const MemoryUse after = memory_use();
  CHECK(after.system_requests == before.system_requests);
  CHECK(after.live_bytes == before.live_bytes);
}

TEST_CASE("the peak is the most that was held at once") {
  reset_peak();
  const int64_t start = memory_use().live_bytes;
  {
    const Tensor a({1024}), b({1024});
    CHECK(memory_use().live_bytes == start + 8192);
  }
  const Tensor c({1024});
  CHECK(memory_use().peak_bytes == start + 8192);
  reset_peak();
  CHECK(memory_use().peak_bytes == start + 4096);
}

TEST_CASE("at most an eighth of a block is unused") {
  const int64_t before = memory_use().live_bytes;
  for (int64_t n = 1; n < 5000; n += 37) {
    const Tensor t({n});
    const int64_t held = memory_use().live_bytes - before;
    CHECK(held >= 4 * n);
    CHECK(held <= 4 * n + std::max<int64_t>(64, 4 * n / 8));
  }
}

TEST_CASE("conversion rounds to even, saturates in integers, overflows to infinity in halves") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::of<double>({8}, {0.5, 1.5, 2.5, -0.5, 300, -300, inf, std::nan("")});
  const auto as = [&](DType type) { return numbers_of(convert(convert(x, type), DType::f64)); };
  CHECK(as(DType::i8) == std::vector<double>{0, 2, 2, 0, 127, -128, 127, 0});
  CHECK(as(DType::u8) == std::vector<double>{0, 2, 2, 0, 255, 0, 255, 0});
  CHECK(convert(Tensor::of<float>({1}, {1e6f}), DType::f16).data<uint16_t>()[0] ==
        f16_bits(std::numeric_limits<float>::infinity()));
  CHECK(convert(Tensor::of<float>({1}, {1.00390625f}), DType::bf16).data<uint16_t>()[0] == bf16_bits(1.0f));
  CHECK(std::isnan(as(DType::bf16)[7]));
  CHECK(std::isnan(as(DType::f32)[7]));
}

TEST_CASE("conversion to a wider type and back changes nothing") {
  const Tensor x = random_normal({101}, Key(1));
  CHECK(numbers_of(convert(convert(x, DType::f64), DType::f32)) == numbers_of(x));
  for (DType type : {DType::f16, DType::bf16, DType::i8, DType::u8, DType::i16, DType::i32}) {
    const Tensor narrow = convert(x, type);
    const Tensor again = convert(convert(narrow, DType::f64), type);
    CHECK(std::memcmp(again.raw(), narrow.raw(), static_cast<size_t>(narrow.bytes())) == 0);
  }
}

}  // namespace lp
