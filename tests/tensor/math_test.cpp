// Arithmetic on tensors against the obvious loops, and the transposes that rules rely on.
#include "lptrain/tensor/math.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/random_tensor.h"

namespace lp {
namespace {

Tensor normal(const Shape& shape, const char* name) { return random_normal(shape, Key(4).with(name), DType::f64); }

// Linear maps f and g are transposes of each other: <u, f(x)> = <g(u), x>.
template <class F, class G>
void check_transposes(const Shape& x_shape, F f, G g) {
  const Tensor x = normal(x_shape, "x"), y = f(x), u = normal(y.shape(), "u");
  CHECK(dot(u, y) == doctest::Approx(dot(g(u), x)).epsilon(1e-12));
}

}  // namespace

TEST_CASE("map and zip reach every element, on any number of threads") {
  const int threads = thread_count();
  for (int64_t n : {int64_t{0}, int64_t{1}, kGrain - 1, kGrain, 3 * kGrain + 7}) {
    const Tensor x = random_normal({n}, Key(1)), y = random_normal({n}, Key(2));
    set_thread_count(1);
    const Tensor one = zip(x, map(y, [](auto a) { return a * 2; }), [](auto a, auto b) { return a - b; });
    set_thread_count(2);
    const Tensor two = zip(x, scaled(y, 2), [](auto a, auto b) { return a - b; });
    CHECK(numbers_of(one) == numbers_of(two));
    for (size_t i = 0; i < static_cast<size_t>(n); i += 997)
      CHECK(one.data<float>()[i] == x.data<float>()[i] - 2 * y.data<float>()[i]);
  }
  set_thread_count(threads);
}

TEST_CASE("broadcast repeats, and the sum over the repeated axes is its transpose") {
  const Tensor x = Tensor::of<float>({2, 1}, {1, 2});
  CHECK(numbers_of(broadcast_to(x, {2, 2, 3})) == std::vector<double>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
  CHECK(numbers_of(sum_to(broadcast_to(x, {2, 2, 3}), {2, 1})) == std::vector<double>{6, 12});
  const Shape full{3, 4, 5, 2};
  for (const Shape& from : {Shape{}, Shape{2}, Shape{5, 1}, Shape{4, 1, 2}, Shape{1, 4, 1, 1}, Shape{3, 1, 5, 1}, full})
    check_transposes(
        from, [&](const Tensor& t) { return broadcast_to(t, full); }, [&](const Tensor& t) { return sum_to(t, from); });
  CHECK_THROWS_AS(broadcast_to(x, {3, 1}), Error);
  CHECK_THROWS_AS(broadcast_to(Tensor::zeros({3}), {1}), Error);
}

TEST_CASE("sums over axes") {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(numbers_of(sum(x, {0})) == std::vector<double>{5, 7, 9});
  CHECK(numbers_of(sum(x, {-1})) == std::vector<double>{6, 15});
  CHECK(sum(x, {-1}, true).shape() == Shape{2, 1});
  CHECK(sum(x, {0, 1}).item() == 21);
  CHECK(numbers_of(sum(x, {})) == numbers_of(x));
  CHECK(sum(Tensor::zeros({0, 2}), {0}).shape() == Shape{2});
  CHECK_THROWS_AS(sum(x, {2}), Error);
}

TEST_CASE("sums of f32 are held in f64") {
  const int64_t n = 1 << 20;
  const double total = 0.1f * static_cast<double>(n);
  CHECK(sum(Tensor::full({n}, 0.1f), {0}).item() == doctest::Approx(total).epsilon(1e-7));
  for (double column : numbers_of(sum(Tensor::full({n, 3}, 0.1f), {0}))) CHECK(column == doctest::Approx(total).epsilon(1e-6));
}

TEST_CASE("permute: each element goes where its axes say, and the inverse brings it back") {
  const Tensor x = normal({2, 3, 4}, "p"), y = permute(x, {2, 0, 1});
  CHECK(y.shape() == Shape{4, 2, 3});
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 3; ++j)
      for (size_t k = 0; k < 4; ++k) CHECK(y.data<double>()[(k * 2 + i) * 3 + j] == x.data<double>()[(i * 3 + j) * 4 + k]);
  CHECK(numbers_of(permute(y, {1, 2, 0})) == numbers_of(x));
  const Tensor codes = Tensor::of<int8_t>({2, 2}, {1, 2, 3, 4});
  CHECK(permute(codes, {1, 0}).data<int8_t>()[1] == 3);
  const Tensor rows = permute(x, {1, 0, 2}), same = permute(x, {0, 1, 2});  // axes at the end that stay move together
  for (int64_t i = 0; i < 24; ++i)
    CHECK(rows.data<double>()[static_cast<size_t>(i)] ==
          x.data<double>()[static_cast<size_t>(i / 4 % 2 * 12 + i / 8 * 4 + i % 4)]);
  CHECK(numbers_of(same) == numbers_of(x));
  CHECK(permute(Tensor(Shape{2, 0, 3}), {1, 0, 2}).shape() == Shape{0, 2, 3});
  CHECK_THROWS_AS(permute(x, {0, 1}), Error);
  CHECK_THROWS_AS(permute(x, {0, 1, 1}), Error);
}

TEST_CASE("slice takes, place puts back: they are transposes") {
  const Tensor x = Tensor::of<float>({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(numbers_of(slice(x, 1, 1, 5, 2)) == std::vector<double>{1, 3, 6, 8});
  CHECK(numbers_of(slice(x, -1, 0, 5, 3)) == std::vector<double>{0, 3, 5, 8});
  CHECK(numbers_of(slice(x, 0, 1, 2)) == std::vector<double>{5, 6, 7, 8, 9});
  CHECK(slice(x, 1, 2, 2).shape() == Shape{2, 0});
  const Shape from{3, 7, 2};
  for (int axis : {0, 1, 2})
    for (int64_t step : {1, 2, 3})
      check_transposes(
          from, [=](const Tensor& t) { return slice(t, axis, 1, from[axis], step); },
          [=](const Tensor& t) { return place(t, from, axis, 1, step); });
  CHECK_THROWS_AS(slice(x, 1, 0, 6), Error);
  CHECK_THROWS_AS(slice(x, 1, 3, 2), Error);
  CHECK_THROWS_AS(slice(x, 1, 0, 2, 0), Error);
  CHECK_THROWS_AS(place(x, {2, 5}, 1, 1, 1), Error);
}

TEST_CASE("concat joins what slice parted") {
  const Tensor x = normal({3, 6, 2}, "c");
  for (int axis : {0, 1, 2, -1}) {
    const int64_t n = x.shape()[axis];
    CHECK(numbers_of(concat({slice(x, axis, 0, 1), slice(x, axis, 1, n)}, axis)) == numbers_of(x));
  }
  CHECK_THROWS_AS(concat({x, Tensor::zeros({3, 6, 2})}, 0), Error);  // another type
  CHECK_THROWS_AS(concat({x, normal({3, 6}, "d")}, 0), Error);
}

TEST_CASE("add_into reuses memory only if nobody else holds it") {
  Tensor x = Tensor::full({3}, 1);
  const Tensor shared = x;
  const Tensor y = add_into(x, Tensor::full({3}, 2));
  CHECK(numbers_of(shared) == std::vector<double>{1, 1, 1});
  CHECK(numbers_of(y) == std::vector<double>{3, 3, 3});
  Tensor own = Tensor::full({3}, 1);
  const void* memory = own.raw();
  const Tensor z = add_into(std::move(own), y);
  CHECK(z.raw() == memory);
  CHECK(numbers_of(z) == std::vector<double>{4, 4, 4});
  CHECK_THROWS_AS(add_into(Tensor::zeros({2}), y), Error);
}

TEST_CASE("dot, squares, largest magnitude") {
  const Tensor x = Tensor::of<float>({3}, {1, -5, 2}), y = Tensor::of<float>({3}, {2, 1, 4});
  CHECK(dot(x, y) == 5);
  CHECK(sum_of_squares(x) == 30);
  CHECK(largest_magnitude(x) == 5);
  CHECK(largest_magnitude(Tensor::zeros({0})) == 0);
  CHECK(std::isnan(largest_magnitude(Tensor::of<float>({2}, {NAN, 1}))));
  CHECK_THROWS_AS(dot(x, Tensor::zeros({2})), Error);
}

TEST_CASE("operands that do not match are refused") {
  CHECK_THROWS_WITH_AS(add(Tensor::zeros({2}), Tensor::zeros({3})), "element-wise: f32 [2] and f32 [3]", Error);
  CHECK_THROWS_WITH_AS(add(Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)), "element-wise: f32 [2] and f64 [2]", Error);
  CHECK_THROWS_WITH_AS(scaled(Tensor::zeros({2}, DType::i8), 2), "arithmetic is done in f32 or f64, found i8", Error);
}

}  // namespace lp
