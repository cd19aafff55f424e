// Running means and the confusion matrix.
#include "lptrain/train/metrics.h"

#include <doctest/doctest.h>

#include "lptrain/base/error.h"

using namespace lp;

TEST_CASE("a mean over batches of different size is a mean over examples") {
  Running r;
  CHECK(r.loss() == 0);
  CHECK(r.accuracy() == 0);
  r.add(2.0, std::vector<int32_t>{1, 2, 3}, std::vector<int32_t>{1, 2, 0});
  r.add(6.0, std::vector<int32_t>{4}, std::vector<int32_t>{4});
  CHECK(r.loss() == 3.0);
  CHECK(r.accuracy() == 0.75);
  CHECK(r.count == 4);
}

TEST_CASE("nothing is lost over many batches") {
  Running r;
  const std::vector<int32_t> one{0};
  for (int i = 0; i < 1000000; ++i) r.add(0.1f, one, one);
  CHECK(r.loss() == doctest::Approx(static_cast<double>(0.1f)).epsilon(1e-12));
}

TEST_CASE("confusion: rows are labels, columns what was said") {
  Confusion c(3);
  CHECK(c.accuracy() == 0);
  c.add(std::vector<int32_t>{0, 1, 1, 2, 2}, std::vector<int32_t>{0, 0, 1, 1, 1});
  CHECK(c.count(0, 1) == 1);
  CHECK(c.count(1, 0) == 0);
  CHECK(c.count(1, 2) == 2);
  CHECK(c.total() == 5);
  CHECK(c.accuracy() == doctest::Approx(0.4));
  CHECK(c.recall(0) == 0.5);
  CHECK(c.recall(1) == doctest::Approx(1.0 / 3));
  CHECK(c.recall(2) == 0);
  CHECK(c.precision(1) == 0.5);
  CHECK(c.precision(2) == 0);
}

TEST_CASE("what cannot be counted is refused") {
  Confusion c(2);
  Running r;
  CHECK_THROWS_AS(c.add(std::vector<int32_t>{0}, std::vector<int32_t>{2}), Error);
  CHECK_THROWS_AS(c.add(std::vector<int32_t>{-1}, std::vector<int32_t>{0}), Error);
  CHECK_THROWS_AS(c.add(std::vector<int32_t>{0, 1}, std::vector<int32_t>{0}), Error);
  CHECK_THROWS_AS(r.add(1, std::vector<int32_t>{0, 1}, std::vector<int32_t>{0}), Error);
  CHECK_THROWS_AS(Confusion(0), Error);
  CHECK_THROWS_AS(Confusion(int64_t{1} << 40), Error);
}
