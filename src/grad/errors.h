// The error of a product on its way into the two backward products: folded with the weights' scales, quantized, unfolded.
#pragma once
#include "lptrain/grad/tape.h"

namespace lp {

// Errors are quantized at the accumulator. With weights w_o = s_o q_o, S = max_o s_o and r_o = s_o / S, the codes e = round(dy
// r_o / t) of scale t make dx = S sum_o e t q_o and dw = (t / r_o) sum e x: both products stay integer. r_o is at least 1/256, so
// that a small channel still learns; where that binds, dx is computed from the reals.
struct Fold {
  Tensor ratios;         // r_o, or empty: nothing is folded
  float unit = 1;        // S
  bool is_exact = true;  // no r_o was raised
};
Fold fold_of(const Value& w);

// The error of a product as its rules want it. `e` is what the error quantizer made of dy * r_o.
struct Errors {
  Fold fold;

  Prepare prepare(Prepare quantize) const;  // dy -> e
  Value unfolded(const Value& e) const;     // dy as it takes part in sums over everything but o: codes with the scale t / r_o
  std::pair<Value, Value> for_dx(const Value& e,
                                 const Value& w) const;  // the operands of dx = sum_o dy w: (dy, w), or (e, S q_w)
  Value column_sum(const Value& e) const;                // the gradient of the bias
};

}  // namespace lp
