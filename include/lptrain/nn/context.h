// Everything a forward pass may know. Passed down, never global: no train flag, no hidden tape, no hidden generator.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lptrain/grad/tape.h"
#include "lptrain/nn/param.h"

namespace lp {

enum class Mode : uint8_t { train, eval };

// One pass, or several over unchanged weights (evaluation): weights are quantized once per Context.
// A first training pass initializes every lens (observed extents, learned scales); run it without a tape before an optimizer
// lists the parameters. An evaluation pass changes nothing: a lens that has seen nothing yet measures what it looks at, and
// stochastic rounding becomes nearest_even.
class Context {
 public:
  // tape null: inference. `key`: of (seed, global step); everything random in the pass derives from it.
  Context(Tape* tape, Mode mode, Key key = {}) : tape_(tape), mode_(mode), key_(key) {}

  bool is_training() const { return mode_ == Mode::train; }
  Key noise(const std::string& name);  // differs for every use of the name within the pass

  Var param(Param& p);  // leaf -> mask -> lens: the only door to weights
  // Measures together what quantizers "per": "network" see: all parameters of a role. Before the pass that uses them.
  void survey(std::span<Param* const> params);
  Var look(Lens& lens, const Var& x);  // x through a lens. A value that carries codes already is left alone.
  // Quantizes dL/dy on its way into a product; empty if the lens is the identity. Context and lens must outlive the backward
  // pass.
  Prepare errors(Lens& lens);

  // Running averages and the like that this pass wants changed. The trainer applies them after the optimizer step, and drops them
  // if the step is skipped.
  void after_step(std::function<void()> change) {
    if (is_training()) changes_.push_back(std::move(change));
  }
  void apply_changes();

  // The leaves that gradients are wanted for, in the order of first use.
  const std::vector<std::pair<Param*, Var>>& leaves() const { return leaves_; }

 private:
  Var leaf(Param& p);
  Extent measured(const Lens& lens, const Quantizer& q, const Tensor& x) const;
  Fit fit_for(Lens& lens, const Quantizer& q, const Tensor& x);
  Var learned(Param& p, const std::function<Tensor()>& start);
  Var learned_scale(Lens& lens, const Quantizer& q, const Tensor& x, const Tensor& first);
  Var look_by_own_rule(Lens& lens, const Quantizer& q, const Var& x);

  Tape* tape_;
  Mode mode_;
  Key key_;
  std::unordered_map<std::string, uint64_t> uses_;
  std::unordered_map<const Param*, Var> seen_;  // through mask and lens
  std::vector<std::pair<Param*, Var>> leaves_;
  std::vector<std::function<void()>> changes_;
  std::unordered_map<int, Extent> surveyed_;  // by role
};

}  // namespace lp
