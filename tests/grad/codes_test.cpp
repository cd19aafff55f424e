// Ops that keep codes: the same numbers and gradients as on the reals, without leaving the integers.
#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "support/random_tensor.h"

namespace lp {
namespace {

struct Grid {
  const char* format;
  int64_t low, high;
  int32_t zero_point;
};
constexpr Grid kGrids[] = {{"int8", -128, 127, 0},    {"uint8", 0, 255, 7},   {"uint8", 0, 255, 0}, {"int4", -8, 7, -3},
                           {"int16", -3000, 3000, 5}, {"q2.5", -128, 127, 0}, {"ternary", -1, 1, 0}};

Value coded(const Shape& shape, const Grid& grid, Key key) {
  const Format format = Format::parse(grid.format);
  const Tensor wide = random_codes<int32_t>(shape, key, grid.low, grid.high);
  return Value(Codes{convert(wide, storage_of(format, grid.zero_point)), format, Tensor::full({1}, 0.125), -1, grid.zero_point});
}

struct Ran {
  Value y;
  Tensor dx;
};

Ran run(Var (*op)(const Var&), const Value& x) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  const Var y = op(leaf);
  return {y.value, tape.backward(y, random_normal(y.shape(), Key(9))).of(leaf)};
}

constexpr Var (*kOps[])(const Var&) = {
    [](const Var& x) { return relu(x); },
    [](const Var& x) { return max_pool2d(x, {}); },
    [](const Var& x) {
      return max_pool2d(x, {.kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .pad_h = 1, .pad_w = 1});
    },
    [](const Var& x) {
      return reshape(x, {x.value.size() / 4, 4});
    },
    [](const Var& x) {
      return permute(x, {3, 0, 2, 1});
    },
    [](const Var& x) { return slice(x, 1, 1, 5, 2); },
};

}  // namespace

TEST_CASE("order-preserving ops compute the same on codes as on reals, and keep the codes") {
  for (const Grid& grid : kGrids)
    for (auto op : kOps) {
      CAPTURE(grid.format);
      CAPTURE(grid.zero_point);
      const Value x = coded({2, 6, 4, 3}, grid, Key(1).with(grid.format));
      const Ran integer = run(op, x), real = run(op, x.reals());
      REQUIRE(integer.y.codes());
      CHECK_FALSE(integer.y.has_tensor());
      CHECK_FALSE(real.y.codes());
      CHECK(numbers_of(integer.y.tensor()) == numbers_of(real.y.tensor()));
      CHECK(numbers_of(integer.dx) == numbers_of(real.dx));
    }
}

TEST_CASE("relu of binary codes leaves their grid, their maximum does not") {
  const Tensor signs = Tensor::of<int8_t>({1, 2, 2, 1}, {1, -1, 1, -1});
  const Value x(Codes{signs, Format::parse("binary"), Tensor::full({1}, 1.0)});
  const Var y = relu(x), most = max_pool2d(x, {});
  CHECK(y.value.codes() == nullptr);
  CHECK(numbers_of(y.tensor()) == std::vector<double>{1, 0, 1, 0});
  CHECK(most.value.codes() != nullptr);
  CHECK(most.tensor().item() == 1);
}

TEST_CASE("scales per channel are not carried where elements move") {
  const Codes codes{Tensor::of<int8_t>({2, 2}, {1, -2, 3, -4}), Format::parse("int8"), Tensor::of<float>({2}, {0.5f, 2}), 1};
  const Var y = permute(Var(Value(codes)), {1, 0});
  CHECK(y.value.codes() == nullptr);
  CHECK(numbers_of(y.tensor()) == std::vector<double>{0.5, 1.5, -4, -8});
}

TEST_CASE("embedding takes rows of codes") {
  const Value table = coded({5, 3}, kGrids[0], Key(2));
  const int32_t rows[] = {4, 0, 4};
  const Var y = embedding(table, rows, {3});
  REQUIRE(y.value.codes());
  CHECK(numbers_of(y.tensor()) == numbers_of(embedding(table.reals(), rows, {3}).tensor()));
}

}  // namespace lp
