// One training step: forward, backward, and the one place between gradients and optimizer.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lptrain/nn/model.h"
#include "lptrain/train/config.h"
#include "lptrain/train/numerics.h"
#include "lptrain/train/teacher.h"

namespace lp {

// What an optimizer remembers, under "<parameter>/<slot number>".
class OptimizerState {
 public:
  std::vector<Tensor>& slots(const Param& p, const Optimizer& optimizer);  // zeros when first asked for
  void clear() { slots_.clear(); }
  std::vector<std::pair<std::string, Tensor>> named() const;
  void restore(const std::string& name, Tensor value);  // the inverse of named()

 private:
  std::map<std::string, std::vector<Tensor>> slots_;
};

// Where in a run a step is taken.
struct StepPlace {
  int64_t step = 0;      // global: the key of randomness
  int64_t updates = 0;   // made so far by this phase's optimizer
  double lr_factor = 1;  // schedule and warm-up
};

struct StepOutcome {
  double loss = 0;
  std::vector<int32_t> predicted;  // class of each example
  bool skipped = false;            // the loss scale was too high for gradients or errors; nothing was changed
};

// What others do in the course of a step; each may be empty.
struct StepHooks {
  std::optional<Lesson> lesson = {};                                    // what the teacher says of x, in a phase that distills
  std::function<void(Param&, Value& dw)> hear = {};                     // every gradient, before it is clipped; may be replaced
  std::function<void(const Param&, double lr, Tensor& w)> shrink = {};  // every parameter as the optimizer left it
};

// Rounds the weights to their master formats, as every later step leaves them: before the first step of a phase.
void store_masters(Model& model, const PhaseSpec& phase, int64_t step);

// Moves the model by one batch. Throws Error(diverged) when the loss, or gradients without a loss scale that can be lowered, are
// not finite; the message names the tensor, the largest weight and what to try.
//   gradients -> unscaled -> heard -> clipped -> quantized (role weight_grads) -> optimizer -> weights shrunk -> state quantized
//   -> weights held within clip_weights and clamp -> master quantized -> held weights as they were -> pruned weights and their
//   state set to 0 -> statistics of lenses applied
// With `numerics`, what quantizers and updates do is counted besides; the step is the same to the bit. With a lesson the loss is
// taught_loss (train/teacher.h).
StepOutcome train_step(Model& model, const PhaseSpec& phase, const Tensor& x, std::span<const int32_t> labels,
                       const StepPlace& place, LossScale& loss_scale, OptimizerState& state, Numerics* numerics = nullptr,
                       const StepHooks& hooks = {});

}  // namespace lp
