// The differentiable quantize op: one formula for every format, scale, rounding and estimator.
#pragma once
#include "lptrain/grad/tape.h"
#include "lptrain/quant/quantizer.h"
#include "lptrain/tensor/encoding.h"

namespace lp {

// q = s v + o,  v = value(round(u)),  u = (x - o) / r, clamped to the grid unless the quantizer says otherwise. The result
// carries codes when the format has them (tensor/value.h), without an offset, and with scales per tensor, sample, channel or
// group.
//   dx = dy (s/r) h'(u)                    h = the estimator's smooth map; h' = 1 if the rule behind r covers x
//                                          (but 0 below 0 on a grid without negative numbers)
//   ds = g sum dy (v - u h'(u))            over the elements that share s, if r = s; a rule that does not learn from rounding has
//                                          h(u) for v
//   ds = g sum dy v,   dr = -g sum dy (s/r) u h'(u)      if r is named
//   do = g sum dy (1 - (s/r) h'(u))
// Under "ste" r counts as s: dx = dy, ds = g sum dy (v - (x - o)/s), dr = do = 0.
// Scale, decision and offset are f32, one number for each lane (quant/per.h): leaves if they are learned, else constants. Element
// i of x draws noise.uniform(i) if rounding is stochastic (of x filled up to whole blocks).
//   Source: with h = clip this is LSQ, Esser et al. 2020, eq. 3 and section 2.2; with o learned LSQ+, Bhalgat et al. 2020; with
//   h(u) for v PACT, Choi et al. 2018; binary with r = 1 is BNN, Hubara et al. 2016.
struct QuantizeHow {
  const Quantizer* quantizer;
  int axis = 0;  // of channels, if per channel or group
  int32_t zero_point = 0;
  Key noise = {};
  double gradient_factor = 1;  // g
  Var decision = {};           // r; empty: s
  Var offset = {};             // o; empty: 0
};
Var quantize(const Var& x, const Var& scale, const QuantizeHow& how);

// The forward half alone: how reals become codes, and where the gradient passes. Of quantizers that can_encode(): with one scale
// that follows from the extremes of a tensor, and an estimator whose slope is 0 or 1.
Encoding encoding_of(const Tensor& scale, const QuantizeHow& how);
bool can_encode(const Quantizer& q);

// The codes (i32, as number/format.h counts them) that quantize() makes of x, in any format whose codes fit; of x filled up to
// whole blocks.
Tensor codes_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how);

// The scale that a measured rule fitted to x: a constant, unless the rule says how it depends on x (mean_abs: differentiable).
Var measured_scale(const Var& x, const Tensor& scale, const Quantizer& q, int axis);

// The same without a tape: for master weights, optimizer state and weight gradients, whose scale is measured on themselves (or
// fixed).
// x may be rows first ... of a larger tensor: noise is drawn as if it were whole.
Tensor quantized(const Tensor& x, const Quantizer& q, int axis, Key noise, int64_t first = 0);
void quantize_in_place(Tensor& x, const Quantizer& q, int axis, Key noise, int64_t first = 0);

// Is a tensor with channels along axis 0 quantized row by row as it is as a whole? Its scales then lie within rows, and do not
// depend on one another.
bool is_by_rows(const Quantizer& q);

}  // namespace lp
