// Where the names of points stand in a picture: near them, and on nothing else.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lp {

struct Box {
  double left, top, right, bottom;
  bool meets(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool is_inside(const Box& field) const {
    return left >= field.left && right <= field.right && top >= field.top && bottom <= field.bottom;
  }
};

struct Spot {
  double x = 0, y = 0;
};

// Small boxes along a straight line.
std::vector<Box> boxes_along(Spot from, Spot to);

// About as wide as a text is in the letters of narrow screens, which are the largest.
double text_width(std::string_view text);
inline constexpr double kTextHeight = 16;

struct LabelWish {
  Spot point;
  double width = 0;
};
struct LabelPlace {
  Box box;
  bool has_leader = false;  // it is not beside its point: a line leads there
  Spot from = {};           // where that begins
};

// A place for each label: the nearest that lies in `field` and on none of `marks` (points), `strokes` (lines, which leaders may
// cross) and other labels. Those that find no room go first in another attempt; none, if there is no room within a few lines.
std::vector<std::optional<LabelPlace>> places_of(std::span<const LabelWish> wishes, const Box& field, std::span<const Box> marks,
                                                 std::span<const Box> strokes);

}  // namespace lp
