// Trying places around points.
#include "lptrain/base/plot_labels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace lp {
namespace {

constexpr double kBeside = 7;  // from the middle of a point to its label
constexpr double kRing = 9;    // farther each time
constexpr int kMostRings = 12;

// Right, left, above and below come before the corners between them.
constexpr std::array<Spot, 12> kDirections{
    {{0, -1}, {1, 0}, {0, 1}, {-1, 0}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}, {0.5, -1}, {0.5, 1}, {-0.5, 1}, {-0.5, -1}}};

bool is_free(const Box& box, std::span<const Box> taken) {
  return std::ranges::none_of(taken, [&](const Box& other) { return box.meets(other); });
}

Box box_at(const LabelWish& wish, Spot direction, int ring) {
  const double away = kBeside + kRing * ring;
  const double x = wish.point.x + direction.x * (away + wish.width / 2);
  const double y = wish.point.y + direction.y * ((direction.x == 0 ? away : away - 4) + kTextHeight / 2);
  return {x - wish.width / 2, y - kTextHeight / 2, x + wish.width / 2, y + kTextHeight / 2};
}

// Is a line from a label to its point to be seen: past no other mark, and not along a stroke?
bool is_clear(Spot from, Spot point, std::span<const Box> marks, std::span<const Box> strokes) {
  constexpr int kMostAlong = 3;
  const Box own{point.x - kBeside, point.y - kBeside, point.x + kBeside, point.y + kBeside};
  int along = 0;
  for (const Box& step : boxes_along(from, point)) {
    if (step.meets(own)) continue;
    if (!is_free(step, marks)) return false;
    along += !is_free(step, strokes);
  }
  return along <= kMostAlong;
}

// A leader that is not clear comes last: better than no label.
std::optional<LabelPlace> place_of(const LabelWish& wish, const Box& field, std::span<const Box> marks,
                                   std::span<const Box> strokes) {
  std::optional<LabelPlace> behind;
  for (int ring = 0; ring <= kMostRings; ++ring)
    for (const Spot& direction : kDirections) {
      const Box b = box_at(wish, direction, ring);
      if (!b.is_inside(field) || !is_free(b, marks) || !is_free(b, strokes)) continue;
      if (ring == 0) return LabelPlace{b};
      const Spot from{std::clamp(wish.point.x, b.left, b.right), std::clamp(wish.point.y, b.top, b.bottom)};
      if (is_clear(from, wish.point, marks, strokes)) return LabelPlace{b, true, from};
      if (!behind) behind = LabelPlace{b, true, from};
    }
  return behind;
}

struct Attempt {
  std::vector<std::optional<LabelPlace>> places = {};
  double cost = INFINITY;  // lengths of leaders, and more for each label without a place
};

Attempt placed_in(std::span<const size_t> order, std::span<const LabelWish> wishes, const Box& field, std::vector<Box> marks,
                  std::span<const Box> strokes) {
  constexpr double kMissing = 1000;
  Attempt made{std::vector<std::optional<LabelPlace>>(wishes.size()), 0};
  for (const size_t w : order) {
    made.places[w] = place_of(wishes[w], field, marks, strokes);
    if (const auto& place = made.places[w]) {
      marks.push_back(place->box);
      if (place->has_leader) made.cost += std::hypot(place->from.x - wishes[w].point.x, place->from.y - wishes[w].point.y);
    } else {
      made.cost += kMissing;
    }
  }
  return made;
}

}  // namespace

std::vector<Box> boxes_along(Spot from, Spot to) {
  constexpr double kStep = 4, kHalf = 1.5;
  const int steps = std::max(1, static_cast<int>(std::ceil(std::hypot(to.x - from.x, to.y - from.y) / kStep)));
  std::vector<Box> boxes;
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps, x = from.x + t * (to.x - from.x), y = from.y + t * (to.y - from.y);
    boxes.push_back({x - kHalf, y - kHalf, x + kHalf, y + kHalf});
  }
  return boxes;
}

double text_width(std::string_view text) {
  constexpr double kWide = 14, kNarrow = 5, kOther = 9;
  double width = 0;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    const bool is_narrow = std::string_view("fijlt.,:;'|!()[]/ ").find(c) != std::string_view::npos;
    width += continues ? 0 : is_narrow ? kNarrow : c == 'm' || c == 'w' || c == '%' ? kWide : kOther;
  }
  return width + 1;
}

std::vector<std::optional<LabelPlace>> places_of(std::span<const LabelWish> wishes, const Box& field, std::span<const Box> marks,
                                                 std::span<const Box> strokes) {
  constexpr int kAttempts = 12;
  std::vector<size_t> order(wishes.size());
  std::iota(order.begin(), order.end(), 0);
  Attempt best;
  for (int i = 0; i < kAttempts && best.cost > 0; ++i) {
    Attempt attempt = placed_in(order, wishes, field, {marks.begin(), marks.end()}, strokes);
    std::stable_partition(order.begin(), order.end(), [&](size_t w) { return !attempt.places[w]; });
    if (attempt.cost < best.cost) best = std::move(attempt);
  }
  return best.places;
}

}  // namespace lp
