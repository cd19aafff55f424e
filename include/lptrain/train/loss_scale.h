// Loss scaling: a factor on the loss before backward, so that small gradients survive narrow formats.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "lptrain/base/fields.h"

namespace lp {

// A small machine without tensors. For each step: loss times scale(); gradients divided by scale() before anything else looks at
// them; then report() whether all were finite, and no error was cut off at the end of a format that has no infinity to tell it
// (one that saturates, at a fixed scale). A step that was not so is skipped. The dynamic one falls after
// `hysteresis` such steps.   Source: Micikevicius et al. 2018
struct LossScale {
  virtual ~LossScale() = default;
  virtual std::unique_ptr<LossScale> clone() const = 0;
  virtual void fields(Fields&) {}                  // settings; the state is apart
  virtual double scale() const { return 1; }       // for the next step
  virtual bool can_skip() const { return false; }  // gradients are not finite: a lower scale may help; false: diverged
  virtual void report(bool are_finite) { (void)are_finite; }
  // What report() changed, as text for a checkpoint; "" for those that remember nothing. restore() throws Error(data) on text
  // that state() cannot have written.
  virtual std::string state() const { return ""; }
  virtual void restore(std::string_view text) { (void)text; }
};
template <>
std::span<const ChoiceRow<LossScale>> choices<LossScale>();

}  // namespace lp
