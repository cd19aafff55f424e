// When a step has no finite result: where it left the finite numbers, and what may help.
#pragma once
#include <functional>
#include <string>

#include "lptrain/nn/model.h"
#include "lptrain/train/config.h"

namespace lp {

// A step that can be taken again.
struct DivergedStep {
  Model& model;
  const PhaseSpec& phase;
  int64_t step;
  Key key;            // of its randomness
  double loss_scale;  // that it was taken with
  std::function<Var(Context&, Tape&)> loss;
};

// Throws Error(diverged). Takes the step once more, looking at every value that layers hand on and at every role's numbers: the
// message has `what` is not finite, the first layer and role that are not, the largest value before, the largest weight, and what
// to try.
[[noreturn]] void fail_diverged(const DivergedStep& step, const std::string& what);

}  // namespace lp
