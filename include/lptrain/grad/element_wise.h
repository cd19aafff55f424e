// Ops that treat every element alone: a struct gives value and slope, one template makes the op of it.
#pragma once
#include "lptrain/grad/tape.h"
#include "lptrain/tensor/math.h"

namespace lp {

// What the slope is computed from, and so what backward keeps alive.
enum class Keeps : uint8_t { nothing, input, output };

// y_i = f(x_i),  dx_i = dy_i slope_i. A function has
//   static constexpr std::string_view name;  static constexpr Keeps keeps;
//   template <class T> T f(T x) const;
//   template <class T> T slope(T kept) const;     kept = x or y; without an argument, and a double, if it keeps nothing
template <class F>
Var element_wise(const F& function, const Var& x) {
  require(bool(x.value), "{}: the input is empty", F::name);
  const Tensor y = map(x.tensor(), [function](auto a) { return function.f(a); });
  if constexpr (F::keeps == Keeps::nothing) {
    return record(y, {{x, [function](const Value& dy) { return scaled(dy.tensor(), function.slope()); }}});
  } else {
    const Tensor kept = F::keeps == Keeps::input ? x.tensor() : y;
    return record(y, {{x, [function, kept](const Value& dy) {
                         return zip(dy.tensor(), kept, [function](auto d, auto k) { return d * function.slope(k); });
                       }}});
  }
}

}  // namespace lp
