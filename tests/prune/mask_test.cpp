// Masks: exact counts, ties by index, the law of n:m in every group, monotony, and layers that are never cut through.
#include "lptrain/prune/mask.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/random_tensor.h"

using namespace lp;

namespace {

int64_t zeros_in(const Tensor& t) { return std::ranges::count(numbers_of(t), 0.0); }

std::vector<Tensor> cut(const std::vector<Tensor>& weights, const char* criterion, const char* pattern, double sparsity) {
  std::vector<Evidence> evidence;
  for (const Tensor& w : weights) evidence.push_back({w, {}, {}, {}, Key(7)});
  return chosen_masks(evidence, *Choice<Criterion>(criterion), Pattern::parse(pattern), sparsity);
}
Tensor cut(const Tensor& w, const char* criterion, const char* pattern, double sparsity) {
  return cut(std::vector{w}, criterion, pattern, sparsity)[0];
}

}  // namespace

TEST_CASE("of single weights exactly round(sparsity n) go, and they are the smallest") {
  for (const DType type : {DType::f32, DType::f64})
    for (const double sparsity : {0.0, 0.1, 0.333, 0.5, 0.9, 0.99}) {
      CAPTURE(sparsity);
      const Tensor w = random_normal({13, 3, 3, 5}, Key(1), type);
      const Tensor mask = cut(w, "magnitude", "unstructured", sparsity);
      CHECK(mask.dtype() == type);
      CHECK(zeros_in(mask) == std::llround(sparsity * static_cast<double>(w.size())));
      const auto x = numbers_of(w), m = numbers_of(mask);
      double greatest_gone = 0, least_left = 1e9;
      for (size_t i = 0; i < x.size(); ++i)
        if (m[i] == 0)
          greatest_gone = std::max(greatest_gone, std::abs(x[i]));
        else
          least_left = std::min(least_left, std::abs(x[i]));
      CHECK(greatest_gone <= least_left);
    }
}

TEST_CASE("layers that compete: the count is exact over all of them, and the small ones give more") {
  const Tensor small = random_uniform({20, 10}, Key(1), -0.1, 0.1), large = random_uniform({10, 30}, Key(2), -1, 1);
  const auto masks = cut({small, large}, "magnitude", "unstructured", 0.5);
  CHECK(zeros_in(masks[0]) + zeros_in(masks[1]) == 250);
  CHECK(zeros_in(masks[0]) > 180);
  const auto most = cut({small, large}, "magnitude", "unstructured", 0.99);
  CHECK(zeros_in(most[0]) == 199);  // one stays, whatever it is worth
  CHECK(zeros_in(most[0]) + zeros_in(most[1]) == 495);
}

TEST_CASE("equal scores go in the order of their index; the first of the best is the one that always stays") {
  const Tensor same = Tensor::full({2, 4}, 1);
  CHECK(numbers_of(cut(same, "magnitude", "unstructured", 0.5)) == std::vector<double>{1, 0, 0, 0, 0, 1, 1, 1});
  CHECK(numbers_of(cut(same, "magnitude", "2:4", 0.5)) == std::vector<double>{0, 0, 1, 1, 0, 0, 1, 1});
  const auto masks = cut({same, same}, "magnitude", "unstructured", 0.25);
  CHECK(numbers_of(masks[0]) == std::vector<double>{1, 0, 0, 0, 0, 1, 1, 1});
  CHECK(zeros_in(masks[1]) == 0);
}

TEST_CASE("n:m: in every group floor(sparsity g) go, in each that is whole m - n; a rest keeps ceil(r n / m)") {
  for (const auto& [pattern, n, m] : {std::tuple{"2:4", 2, 4}, std::tuple{"1:4", 1, 4}, std::tuple{"3:8", 3, 8}})
    for (const Shape& shape : {Shape{6, 16}, Shape{5, 10}, Shape{4, 3, 3, 3}, Shape{3, 1}}) {
      CAPTURE(pattern);
      CAPTURE(shape.text());
      const double sparsity = *Pattern::parse(pattern).sparsity();
      const auto x = numbers_of(random_normal(shape, Key(3))),
                 mask = numbers_of(cut(random_normal(shape, Key(3)), "magnitude", pattern, sparsity));
      const int64_t columns = shape.after(0);
      for (int64_t r = 0; r < shape[0]; ++r)
        for (int64_t c = 0; c < columns; c += m) {
          const int64_t size = std::min<int64_t>(m, columns - c);
          int64_t left = 0;
          double greatest_gone = 0, least_left = 1e9;
          for (int64_t i = r * columns + c; i < r * columns + c + size; ++i) {
            const bool is_left = mask[static_cast<size_t>(i)] != 0;
            const double a = std::abs(x[static_cast<size_t>(i)]);
            left += is_left;
            if (is_left)
              least_left = std::min(least_left, a);
            else
              greatest_gone = std::max(greatest_gone, a);
          }
          CHECK(left == (size * n + m - 1) / m);
          CHECK(greatest_gone <= least_left);
        }
    }
}

TEST_CASE("rows and blocks go as a whole, as many as come nearest to the share") {
  const Tensor w = random_normal({10, 3, 3, 4}, Key(4));
  for (const double sparsity : {0.24, 0.5, 0.55, 0.95}) {
    const auto mask = numbers_of(cut(w, "l2", "rows", sparsity));
    int64_t gone = 0;
    for (size_t r = 0; r < 10; ++r) {
      const auto row = std::span(mask).subspan(r * 36, 36);
      CHECK((std::ranges::count(row, 0.0) == 0 || std::ranges::count(row, 1.0) == 0));
      gone += row[0] == 0;
    }
    CHECK(gone == std::min<int64_t>(9, std::llround(sparsity * 10)));
  }
  const auto blocks = cut(random_normal({8, 8}, Key(5)), "magnitude", "4x4", 0.5);
  CHECK(zeros_in(blocks) == 32);
  CHECK(zeros_in(cut(random_normal({5, 7}, Key(5)), "l1", "4x4", 0.9)) < 35);  // never all
}

TEST_CASE("what went stays gone, and counts: masks grow") {
  const Tensor w = random_normal({20, 20}, Key(6));
  for (const char* criterion : {"magnitude", "random"}) {
    Tensor before = cut(w, criterion, "unstructured", 0.2);
    for (const double sparsity : {0.4, 0.6, 0.3, 0.9}) {
      const Evidence e{w, before, {}, {}, Key(static_cast<uint64_t>(1000 * sparsity))};
      const Tensor next = chosen_masks({&e, 1}, *Choice<Criterion>(criterion), {}, sparsity)[0];
      const auto a = numbers_of(before), b = numbers_of(next);
      for (size_t i = 0; i < a.size(); ++i) CHECK(b[i] <= a[i]);
      CHECK(zeros_in(next) == std::max<int64_t>(zeros_in(before), std::llround(sparsity * 400)));
      before = next;
    }
  }
}

TEST_CASE("NaN, infinities, masks of another shape, shares that cannot be") {
  Tensor w = random_normal({4, 4}, Key(8));
  w.data<float>()[3] = NAN;
  w.data<float>()[5] = INFINITY;
  const Tensor mask = cut(w, "magnitude", "unstructured", 0.25);
  CHECK(zeros_in(mask) == 4);
  CHECK(mask.data<float>()[3] == 0);
  CHECK(mask.data<float>()[5] == 1);
  for (const double wrong : {-0.1, 1.0, static_cast<double>(NAN)})
    CHECK_THROWS_AS(cut(w, "magnitude", "unstructured", wrong), Error);
  const Evidence other{w, Tensor::full({2, 8}, 1)};
  CHECK_THROWS_AS(chosen_masks({&other, 1}, *Choice<Criterion>("magnitude"), {}, 0.5), Error);
  hold(mask, w);
  CHECK(w.data<float>()[3] == 0);  // not NaN
  CHECK(share_of_zeros(std::vector{w, Tensor::zeros({4, 4})}) == doctest::Approx(20.0 / 32));
  Tensor minus = Tensor::of<float>({2}, {-1, -2});
  hold(Tensor::zeros({2}), minus);
  CHECK_FALSE(std::signbit(minus.data<float>()[0]));
}
