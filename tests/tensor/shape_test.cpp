// Shapes: counting, axes, broadcasting, and extents that cannot be.
#include "lptrain/tensor/shape.h"

#include <doctest/doctest.h>

namespace lp {

TEST_CASE("a shape counts its elements") {
  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.size() == 24);
  CHECK(s[-1] == 4);
  CHECK(s.back() == s[2]);
  CHECK(s.rows() == 6);
  CHECK(s.before(0) == 1);
  CHECK(s.before(2) == 6);
  CHECK(s.after(0) == 12);
  CHECK(s.after(2) == 1);
  CHECK(s.text() == "[2,3,4]");
  for (int axis = 0; axis < 3; ++axis) CHECK(s.before(axis) * s[axis] * s.after(axis) == s.size());
}

TEST_CASE("a scalar has one element, an empty extent none") {
  CHECK(Shape().size() == 1);
  CHECK(Shape().text() == "[]");
  CHECK(Shape{3, 0, 5}.size() == 0);
}

TEST_CASE("shapes derived from a shape") {
  const Shape s{2, 3, 4};
  CHECK(s.with(-2, 7) == Shape{2, 7, 4});
  CHECK(s.without(0) == Shape{3, 4});
  CHECK(s.without(-1) == Shape{2, 3});
  CHECK(s.dropped_front(2) == Shape{4});
  CHECK(s.behind(7).dropped_front(1) == s);
  CHECK(Shape{}.behind(5) == Shape{5});
  CHECK_FALSE(s == Shape{2, 3});
  CHECK_FALSE(s == Shape{2, 3, 5});
  CHECK(Shape{3, 2}.without(1) == Shape{3});  // extents beyond the rank do not count
}

TEST_CASE("impossible shapes are refused") {
  const int64_t huge = int64_t{1} << 40;
  CHECK_THROWS_AS(Shape({2, -1}), Error);
  CHECK_THROWS_AS(Shape({huge, huge}), Error);
  CHECK_THROWS_AS(Shape({huge, 0, huge}), Error);  // strides would overflow although the size is 0
  CHECK_THROWS_AS(Shape({1, 1, 1, 1, 1, 1, 1}), Error);
}

TEST_CASE("axes count from both ends") {
  const Shape s{2, 3};
  CHECK(checked_axis(s, 1, "f") == 1);
  CHECK(checked_axis(s, -2, "f") == 0);
  CHECK_THROWS_WITH_AS(checked_axis(s, 2, "f"), "f: [2,3] has no axis 2", Error);
  CHECK_THROWS_WITH_AS(checked_axis(s, -3, "f"), "f: [2,3] has no axis -3", Error);
  CHECK_THROWS_AS(checked_axis(Shape(), 0, "f"), Error);
}

TEST_CASE("broadcasting aligns shapes at the end") {
  CHECK(broadcast({2, 3}, {3}, "f") == Shape{2, 3});
  CHECK(broadcast({3}, {2, 3}, "f") == Shape{2, 3});
  CHECK(broadcast({2, 1, 4}, {3, 1}, "f") == Shape{2, 3, 4});
  CHECK(broadcast({}, {2, 0}, "f") == Shape{2, 0});
  CHECK(broadcast({1}, {0}, "f") == Shape{0});
  CHECK_THROWS_WITH_AS(broadcast({2, 3}, {2}, "add"), "add: shapes [2,3] and [2] do not go together (extents must be equal or 1)",
                       Error);
}

}  // namespace lp
