// What the tiles of sums of byte and bit products have in common: how they read their rows, and where sums go. Plain data: files
// compiled for one instruction set share it.
#pragma once
#include <cstdint>

namespace lp {

// How a row's bytes of the broadcast operand follow each other: lines x runs x 4 * quads bytes. It is the same for all rows of a
// product.
struct Walk {
  int64_t lines = 1, line_stride = 0, runs = 1, run_stride = 0, quads = 1;
  int64_t steps() const { return lines * runs * quads; }
};

// Where sums go: c[row * stride + column], columns of them in this panel.
struct Target {
  int32_t* c;
  int64_t stride, columns;
  bool accumulate;
};

}  // namespace lp
