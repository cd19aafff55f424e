// Patterns: their words, and how they cut weights into units.
#include "lptrain/prune/pattern.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace lp;

TEST_CASE("words, and what they are called") {
  for (const char* word : {"unstructured", "rows", "2:4", "1:4", "4x4", "1x8"}) CHECK(Pattern::parse(word).name() == word);
  CHECK(Pattern::parse("filters") == Pattern::parse("rows"));
  CHECK(Pattern::parse("neurons") == Pattern::parse("rows"));
  CHECK(*Pattern::parse("2:4").sparsity() == 0.5);
  CHECK(*Pattern::parse("1:4").sparsity() == 0.75);
  CHECK_FALSE(Pattern::parse("rows").sparsity());
  for (const char* wrong :
       {"", "row", "4:2", "4:4", "0:4", "-1:4", "2:", ":4", "2:4:8", "0x4", "4x", "x", "1e3x2", "99999999999999999999:4"})
    CHECK_THROWS_AS(Pattern::parse(wrong), Error);
}

TEST_CASE("every weight is in one unit, and sizes add up") {
  for (const Shape& shape : {Shape{6, 10}, Shape{5, 3, 3, 2}, Shape{7, 1}, Shape{1, 9}})
    for (const char* word : {"unstructured", "rows", "2:4", "4x4", "1x3", "100x100"}) {
      CAPTURE(word);
      CAPTURE(shape.text());
      const Units u = units_of(shape, Pattern::parse(word));
      REQUIRE(std::ssize(u.of) == shape.size());
      REQUIRE(std::ssize(u.sizes) == u.count);
      CHECK(std::accumulate(u.sizes.begin(), u.sizes.end(), int64_t{0}) == shape.size());
      std::vector<int64_t> counted(u.sizes.size());
      for (const int64_t k : u.of) ++counted.at(static_cast<size_t>(k));
      CHECK(counted == u.sizes);
    }
}

TEST_CASE("blocks at the edge are smaller; groups of n:m end with the row") {
  const Units blocks = units_of({3, 5}, Pattern::parse("2x3"));
  CHECK(blocks.of == std::vector<int64_t>{0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3});
  CHECK(blocks.sizes == std::vector<int64_t>{6, 4, 3, 2});
  CHECK(units_of({2, 3, 2}, Pattern::parse("2:4")).ends == std::vector<int64_t>{4, 6, 10, 12});
  CHECK(units_of({2, 3}, Pattern::parse("rows")).ends.empty());
}
