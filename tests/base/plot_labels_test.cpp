// Places of labels: inside, on nothing, and one for every point as long as there is room.
#include "lptrain/base/plot_labels.h"

#include <doctest/doctest.h>

using namespace lp;

namespace {

constexpr Box kField{0, 0, 400, 300};

std::vector<Box> marks_of(const std::vector<LabelWish>& wishes) {
  std::vector<Box> marks;
  for (const LabelWish& w : wishes) marks.push_back({w.point.x - 5, w.point.y - 5, w.point.x + 5, w.point.y + 5});
  return marks;
}

}  // namespace

TEST_CASE("a label stands above its point; beside it if a line passes there") {
  const std::vector<LabelWish> one{{{200, 150}, 60}};
  const auto above = places_of(one, kField, marks_of(one), {});
  REQUIRE(above[0]);
  CHECK(above[0]->box.bottom <= 145);
  CHECK_FALSE(above[0]->has_leader);
  const std::vector<Box> line = boxes_along({200, 0}, {200, 150});
  const auto beside = places_of(one, kField, marks_of(one), line);
  REQUIRE(beside[0]);
  CHECK(beside[0]->box.left >= 205);
}

TEST_CASE("points on one spot all have labels, which lie on no mark, no line and no other label") {
  const std::vector<LabelWish> crowd(9, LabelWish{{200, 150}, 70});
  const std::vector<Box> marks = marks_of(crowd), line = boxes_along({0, 140}, {400, 160});
  const auto places = places_of(crowd, kField, marks, line);
  for (size_t i = 0; i < places.size(); ++i) {
    REQUIRE(places[i]);
    const Box& box = places[i]->box;
    CHECK(box.is_inside(kField));
    for (const Box& other : line) CHECK_FALSE(box.meets(other));
    CHECK_FALSE(box.meets(marks[0]));
    for (size_t k = 0; k < i; ++k) CHECK_FALSE(box.meets(places[k]->box));
  }
  CHECK(places.back()->has_leader);
}

TEST_CASE("without room there is no label; the field's edge holds") {
  const std::vector<LabelWish> wide{{{200, 150}, 500}};
  CHECK_FALSE(places_of(wide, kField, marks_of(wide), {})[0]);
  const std::vector<LabelWish> corner{{{399, 1}, 60}};
  const auto place = places_of(corner, kField, marks_of(corner), {})[0];
  REQUIRE(place);
  CHECK(place->box.is_inside(kField));
}

TEST_CASE("bytes of one letter count once") { CHECK(text_width("ä") == text_width("a")); }
