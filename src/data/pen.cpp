// Curves and the distance to them.
#include "lptrain/data/pen.h"

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

// Source: Catmull & Rom 1974; b..c is the part drawn, a and d give the tangents.
PenPoint spline(const PenPoint& a, const PenPoint& b, const PenPoint& c, const PenPoint& d, float t) {
  const auto mix1 = [t](float p, float q, float r, float s) {
    return 0.5f * (2 * q + t * ((r - p) + t * ((2 * p - 5 * q + 4 * r - s) + t * (3 * q - p - 3 * r + s))));
  };
  return {mix1(a.x, b.x, c.x, d.x), mix1(a.y, b.y, c.y, d.y)};
}

// The point that would follow if the pen went on straight from `a` through `b`.
PenPoint beyond(const PenPoint& a, const PenPoint& b) { return {2 * b.x - a.x, 2 * b.y - a.y}; }

}  // namespace

std::vector<PenPoint> curve_through(const Stroke& stroke, int steps) {
  std::vector<PenPoint> curve;
  for (size_t i = 0; i + 1 < stroke.size(); ++i) {
    const PenPoint &b = stroke[i], &c = stroke[i + 1];
    const PenPoint a = i == 0 || b.corner ? beyond(c, b) : stroke[i - 1];
    const PenPoint d = i + 2 == stroke.size() || c.corner ? beyond(b, c) : stroke[i + 2];
    for (int s = 0; s < steps; ++s) curve.push_back(spline(a, b, c, d, static_cast<float>(s) / static_cast<float>(steps)));
  }
  if (!stroke.empty()) curve.push_back(stroke.back());
  return curve;
}

void Canvas::line(std::span<const Dot> dots, float strength, float softness) {
  for (size_t i = 0; i + 1 < dots.size(); ++i) segment(dots[i], dots[i + 1], strength, softness);
}

void Canvas::segment(const Dot& a, const Dot& b, float strength, float softness) {
  const float reach = std::max(a.radius, b.radius) + softness;
  const auto from = [](float v) { return static_cast<int>(std::floor(std::clamp(v, -1e4f, 1e4f))); };
  const int top = std::max(0, from(std::min(a.y, b.y) - reach)),
            bottom = std::min(height_ - 1, from(std::max(a.y, b.y) + reach) + 1);
  const int left = std::max(0, from(std::min(a.x, b.x) - reach)),
            right = std::min(width_ - 1, from(std::max(a.x, b.x) + reach) + 1);
  const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy + 1e-12f;
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const float px = static_cast<float>(x) - a.x, py = static_cast<float>(y) - a.y;
      const float t = std::clamp((px * dx + py * dy) / length2, 0.f, 1.f);
      const float ex = px - t * dx, ey = py - t * dy;
      const float radius = a.radius + t * (b.radius - a.radius);
      const float cover = (radius - std::sqrt(ex * ex + ey * ey)) / softness + 0.5f;
      float& ink = ink_[static_cast<size_t>(y * width_ + x)];
      ink = std::max(ink, strength * std::clamp(cover, 0.f, 1.f));
    }
  }
}

}  // namespace lp
