// Shrinking instead of cutting: proximal steps that draw weights, or groups of them, to zero while they are trained.
#pragma once
#include <memory>

#include "lptrain/base/fields.h"
#include "lptrain/prune/pattern.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// The proximal step behind the optimizer's, of a penalty `strength` times a norm, with the length t = lr strength.
//   l1           w := sign(w) max(|w| - t, 0)                                   penalty sum |w|
//   group_lasso  w_g := w_g max(1 - t sqrt(n_g) / ||w_g||, 0) for the pattern's units g of n_g weights: whole filters go
//                                                                               penalty sum sqrt(n_g) ||w_g||
//   Sources: Daubechies, Defrise & De Mol 2004; Yuan & Lin 2006; Parikh & Boyd 2014, sections 6.5.2 and 6.5.4; Wen et al. 2016
struct Shrink {
  virtual ~Shrink() = default;
  virtual std::unique_ptr<Shrink> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual bool is_none() const { return false; }
  virtual void apply(double lr, const Pattern& pattern, Tensor& w) const = 0;  // w[O, ...], in place
};
template <>
std::span<const ChoiceRow<Shrink>> choices<Shrink>();

}  // namespace lp
