// A pen on a small canvas: smooth curves through points, drawn by distance so that edges are soft.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "lptrain/data/digits.h"

namespace lp {

struct Dot {
  float x, y, radius;  // pixels
};

// Points along a stroke, `steps` between neighbours: Catmull-Rom splines, one-sided at corners and ends.
std::vector<PenPoint> curve_through(const Stroke& stroke, int steps);

// Ink in [0, 1], row-major.
class Canvas {
 public:
  Canvas(int height, int width)
      : height_(height), width_(width), ink_(static_cast<size_t>(height) * static_cast<size_t>(width), 0.f) {}

  // Lays a line of varying radius over what is there (the darker wins); `softness` is the width of its edge in pixels.
  void line(std::span<const Dot> dots, float strength, float softness);
  std::vector<float>& ink() { return ink_; }
  int height() const { return height_; }
  int width() const { return width_; }

 private:
  void segment(const Dot& a, const Dot& b, float strength, float softness);
  int height_, width_;
  std::vector<float> ink_;
};

}  // namespace lp
