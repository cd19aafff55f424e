// What product.cpp and block_forward.cpp share: operands as a kernel takes them, and its sums made reals.
#pragma once
#include <optional>

#include "lptrain/tensor/product.h"

namespace lp {

// The memory of a value that takes part in a product as `type`: its reals, or its codes in that type. Bytes that become halves
// lose their zero point on the way: |code - zero_point| <= 255 is exact in both halves.
Tensor operand(const Value& v, DType type);

// The real that one step of a code stands for: real = step_c * (code - zero_point). [1] or [channels].
Tensor steps_of(const Codes& codes);

// What an exact result c[rows, columns] is multiplied with, and what a zero point takes away.
struct Scales {
  Tensor rows, columns;    // steps along either axis; one element if constant
  int32_t zero_point = 0;  // of the operand whose rows are summed with `sums`
  Tensor sums = {};        // i32 [columns]
};

// y = (acc - zero_point sums) * steps + bias (kernel/epilogue.h) for sums of type i32, f64 (integers) or f32 (of halves).
// Works on the thread that calls it alone if that is in a parallel loop. y may be acc if their types agree.
void rescale(DType acc_type, const void* acc, int64_t rows, int64_t columns, const Scales& s, const Tensor* bias, DType type,
             void* y);

// x[N,H,W,C] with `pad` codes of its zero point around height and width, so that the product itself needs no padding.
Tensor padded_codes(const Codes& c, const ConvShape& s);
ConvShape without_padding(ConvShape s);

// The sums of the codes over all but the first axis: what a zero point of the other operand is multiplied with.
Tensor sums_over_rest(const Tensor& codes);

// A forward convolution, ready to run: its operands, and what its sums mean.
struct ConvForward {
  ConvKey key;
  Tensor x, w;
  std::optional<Scales> scales;  // none: the sums are reals
};
ConvForward conv_forward(const Value& x, const Value& w, const ConvShape& shape, const Accumulator& accumulator = {});

}  // namespace lp
