// The differentiable quantize op: one formula for every format, scale, rounding and estimator.
#pragma once
#include "lptrain/grad/tape.h"
#include "lptrain/quant/quantizer.h"
#include "lptrain/tensor/encoding.h"

namespace lp {

// q = s v,  v = value(round(u)),  u = x / s, clamped to the grid (f16 and bf16 overflow to infinity). The result carries codes
// when the format has them (tensor/value.h).
//   dx = dy h'(u)                          h = the estimator's smooth map; h' = 1 if the scale was measured on x itself
//                                        (but 0 below 0 on a grid without negative numbers)
//   ds = g sum dy (v - u h'(u))            over the elements that share s; g = gradient_factor
// `scale` is f32 [1] or [channels of `axis`]; a leaf if it is learned, else a constant. Element i of x draws noise.uniform(i) if
// rounding is stochastic.
//   Source: with h = clip this is LSQ, Esser et al. 2020, eq. 3 and section 2.2.
struct QuantizeHow {
  const Quantizer* quantizer;
  int axis = 0;  // of channels, if per channel
  int32_t zero_point = 0;
  Key noise = {};
  double gradient_factor = 1;  // g
};
Var quantize(const Var& x, const Var& scale, const QuantizeHow& how);

// The forward half alone, for values of a rank: how reals become codes, and where the gradient passes. What the estimator's slope
// is besides 0 and 1 is lost; has_two_slopes() says if there is any such.
Encoding encoding_of(const Tensor& scale, const QuantizeHow& how, int rank);
bool has_two_slopes(const Quantizer& q);

// The codes (i32, as number/format.h counts them) that quantize() makes of x, in any format whose codes fit.
Tensor codes_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how);

// The same without a tape: for master weights, optimizer state and weight gradients, whose scale is measured on themselves (or
// fixed).
Tensor quantized(const Tensor& x, const Quantizer& q, int axis, Key noise);

}  // namespace lp
