// Dynamic sparsity: weights that matter little make room for others, while as many stay as were.
#pragma once
#include "lptrain/base/fields.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// By what new weights are chosen: the magnitude of the gradient that they would have (RigL: Evci et al. 2020), or lot (SET:
// Mocanu et al. 2018).
enum class Growth : uint8_t { gradient, random };
template <>
struct Words<Growth> {
  static constexpr std::string_view list[] = {"gradient", "random"};
};

// How often, until when, and how many.   Source: Evci et al. 2020, section 3 and algorithm 1
struct Regrow {
  double share = 0.3;
  int64_t every = 100;
  double until = 0.75;
  Growth by = Growth::gradient;
  void fields(Fields& f);
  double share_at(double done) const;  // share/2 (1 + cos(pi done / until)), and 0 from `until` on
};

// The mask after an exchange of floor(share * weights that are left): those of the least |w| go, as many of those that were gone
// come, the ones with the greatest `wish`; equal ones in order. What goes cannot come back in the same exchange (in the paper it
// can, as 0). Weights that come are 0, as they were.
Tensor exchanged(const Tensor& w, const Tensor& mask, const Tensor& wish, double share);

}  // namespace lp
