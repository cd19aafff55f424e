// A quantizer that is ready for use: what a scale rule has decided, applied to a whole tensor or to a part of its rows.
#pragma once
#include "lptrain/kernel/quantize.h"
#include "lptrain/tensor/value.h"

namespace lp {

struct Encoding {
  QuantizeKey key;           // `lanes` and `first` are set anew for every part
  Tensor scale;              // f32 [1], or one a channel of `axis`
  int axis = -1;             // of channels; -1: one scale
  bool has_codes = true;     // else the result is the reals of the grid
  double low = 0, high = 0;  // the gradient passes where low <= x / s <= high, with x / s as the forward pass divides
  // Whether it passes everywhere.
  bool passes_all() const;
};

// The memory type of what encode() writes for reals of a type.
DType encoded_type(const Encoding& e, DType real);

// Rows begin..end-1 of a tensor of `shape` (elements of x and y count from the first of these rows). Per channel: `axis` is the
// last one, or all rows are taken.
void encode(const Encoding& e, const Shape& shape, int64_t begin, int64_t end, DType real, const void* x, void* y);

// What encoded rows stand for.
Value encoded(const Encoding& e, Tensor memory, DType real);
Value encode(const Encoding& e, const Tensor& x);  // all of x

}  // namespace lp
