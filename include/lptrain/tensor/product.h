// Products of values in the arithmetic of their codes: the one place that decides whether a product runs on integers, halves or
// reals.
//
// An operand's codes are used when both operands have codes of a kind that a product row multiplies exactly, and each scale is
// one number or varies along an axis that the product keeps (rows of the result for a, columns for b). Otherwise the product runs
// on the reals.
//   codes of at most 8 bits, both    s32 accumulators        exact; sums longer than the s32 bound are split, joined in f64;
//                                                            codes with few levels are counted as bits (kernel/product.h)
//   codes of at most 16 bits, both   integers held in f64    exact below 2^53
//   bf16 x bf16, f16 x f16           f32                     products exact, sums in f32
//   else                             f32 or f64
// A modelled accumulator (kernel/accumulator.h) changes that: int<N> holds sums of products of codes where both operands are
// integers, and leaves other products alone; any other format holds sums of products of reals. A bias is added afterwards.
// Integer results become reals by kernel/epilogue.h, the same for every row: simulated and native execution agree bit for bit.
#pragma once
#include <string>

#include "lptrain/kernel/product.h"
#include "lptrain/tensor/value.h"

namespace lp {

// c[m,n] = sum_k op(a)[m,k] op(b)[k,n] + bias[n].  op(a) is a[m,k], or a[k,m]^T if transpose_a; likewise b. bias may be null.
Tensor matmul(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Tensor* bias = nullptr,
              const Accumulator& accumulator = {});

// The same without a bias, for those who take the result row by row (Value::rows): sums of integers stay codes of 32 bits with a
// scale for each row, or one, where no scale varies along the rows. Its tensor() is what matmul returns.
Value matmul_sums(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Accumulator& accumulator = {});

// The three convolutions of kernel/product.h; weight gradients as matmul_sums returns them.
Tensor conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias = nullptr,
                      const Accumulator& accumulator = {});
Tensor conv2d_backward_data(const Value& dy, const Value& w, const ConvShape& shape, const Accumulator& accumulator = {});
Value conv2d_backward_weights(const Value& x, const Value& dy, const ConvShape& shape, const Accumulator& accumulator = {});

// The arithmetic that a product of these operands runs in, and why it is not a narrower one ("" if it is the narrowest).
struct Arithmetic {
  DType a, b, result;
  std::string why;
  Accumulator accumulator = {};                           // as far as it has a say in it
  Levels levels_a = Levels::any, levels_b = Levels::any;  // of bytes
  bool is_native() const { return accumulator.is_native(); }
  MatmulKey key(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) const;
  ConvKey key(ConvPass pass, const ConvShape& shape) const;
};
// axis_kept_a/b: the axis of the codes along which a scale may vary (-1: none).
Arithmetic arithmetic_of(const Value& a, int axis_kept_a, const Value& b, int axis_kept_b, const Accumulator& accumulator = {});
Arithmetic on_reals(DType real, std::string why, const Accumulator& accumulator = {});
Arithmetic on_words(std::string why);  // 16-bit codes, sums in f64

}  // namespace lp
