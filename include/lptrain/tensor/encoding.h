// A quantizer with one scale that is ready for use: what a scale rule has decided, applied to a tensor or to a part of its rows.
#pragma once
#include <limits>
#include <span>

#include "lptrain/kernel/quantize.h"
#include "lptrain/tensor/value.h"

namespace lp {

struct Encoding {
  QuantizeKey key;           // `lanes` and `first` are set anew for every part
  Tensor scale;              // f32 [1]
  bool has_codes = true;     // else the result is the reals of the grid
  double low = 0, high = 0;  // the gradient passes where low <= x / s <= high, with x / s as the forward pass divides
  bool passes_all() const;   // everywhere
};

// Where the gradient passes, in terms of x itself: low <= x <= high, without a division.
struct Bounds {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};
Bounds gradient_bounds(const Encoding& e);

// The memory type of what encode() writes for reals of a type.
DType encoded_type(const Encoding& e, DType real);

// Elements first .. first + n - 1 of a tensor, which lie at x, to y.
void encode(const Encoding& e, int64_t first, int64_t n, DType real, const void* x, void* y);

// What encoded memory stands for.
Value encoded(const Encoding& e, Tensor memory, DType real);

// The codes -1 and 0 that kernels make of binary become the reals that they stand for: see tensor/value.h.
void to_signs(std::span<int8_t> codes);

}  // namespace lp
