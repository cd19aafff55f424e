// Everything a forward pass may know. Passed down, never global: no train flag, no hidden tape, no hidden generator.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lptrain/grad/ops.h"
#include "lptrain/nn/param.h"
#include "lptrain/quant/quantize.h"

namespace lp {

enum class Mode : uint8_t { train, eval };

// What a lens made of a value, told while it happens: for those who count, draw and pack.
struct Look {
  const Lens& lens;
  const Var &x, &y;
  const Tensor& scale;     // that was used; empty if x was left alone
  const QuantizeHow& how;  // the rest of it
};

// One pass, or several over unchanged weights (evaluation): weights are quantized once per Context.
// A first training pass initializes every lens (observed extents, learned scales); run it without a tape before an optimizer
// lists the parameters. An evaluation pass changes nothing: a lens that has seen nothing yet measures what it looks at, and
// stochastic rounding becomes nearest_even.
class Context {
 public:
  // tape null: inference. `key`: of (seed, global step); everything random in the pass derives from it.
  Context(Tape* tape, Mode mode, Key key = {}) : tape_(tape), mode_(mode), key_(key) {}

  bool is_training() const { return mode_ == Mode::train; }
  Tape* tape() const { return tape_; }                                      // null: inference
  Key noise(const std::string& name);                                       // differs for every use of the name within the pass
  Accumulator accumulator(const Accumulator& a, const std::string& layer);  // with its noise; evaluation rounds to nearest

  Var param(Param& p);  // leaf -> mask -> lens: the only door to weights
  Var bare(Param& p);   // leaf -> mask: for those who change weights before their lens sees them (nn/product.cpp)
  // Measures together what quantizers "per": "network" see: all parameters of a role. Before the pass that uses them.
  void survey(std::span<Param* const> params);
  Var look(Lens& lens, const Var& x);  // x through a lens. A value that carries codes already is left alone.
  void watch(std::function<void(const Look&)> see) { see_ = std::move(see); }  // called at every look
  // Called with what every layer of a chain hands on to the one behind it; a layer that was taken over (nn/chain.cpp) hands on
  // nothing of its own.
  void listen(std::function<void(const std::string& layer, const Var&)> hear) { hear_ = std::move(hear); }
  void hand_on(const std::string& layer, const Var& y) const {
    if (hear_) hear_(layer, y);
  }
  // Called for every product whose sums are modelled: where its additions are counted, an array of three (grad/ops.h).
  void watch_sums(std::function<SumCounts*(const std::string& layer, const Accumulator&)> counts) { sums_ = std::move(counts); }
  // Quantizes dL/dy on its way into a product; empty if the lens is the identity. Context and lens must outlive the backward
  // pass.
  Prepare errors(Lens& lens) { return errors_block(lens).quantize; }
  ErrorQuantizer errors_block(Lens& lens);
  // Who steers the loss scale asks whether errors left the range of a format that saturates, at a scale that does not move: they
  // tell of it by nothing else, where other formats make infinities. Known after the backward pass.
  void watch_clipped_errors() { watches_clipping_ = true; }
  bool has_clipped_errors() const { return has_clipped_; }

  // What look() would do to a tensor, if it can be told before the tensor is there: the scale is one number, fixed or known
  // from earlier steps. Such a tensor's extremes (f32 [2]) are then to be observed, if wants_extremes(). Never while somebody
  // watches, who wants to see the tensor.
  std::optional<Encoding> foresee(Lens& lens);
  bool wants_extremes(const Lens& lens) const;
  void observe(Lens& lens, const Tensor& extremes);

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
  bool can_foresee(const Lens& lens) const;
  Extent measured(const Lens& lens, const Quantizer& q, const Tensor& x) const;
  Fit fit_for(Lens& lens, const Quantizer& q, const Tensor& x);
  Encoding encoding(const Lens& lens, Quantizer q, const Fit& fit);
  bool may_clip(const Lens& lens) const;
  void note_clipping(const Lens& lens, const Tensor& of);
  Key draw(const Lens& lens, Quantizer& q);
  Var learned(Param& p, const std::function<Tensor()>& start);
  Var learned_scale(Lens& lens, const Quantizer& q, const Tensor& x, const Tensor& first);
  Var look_by_own_rule(Lens& lens, const Quantizer& q, const Var& x);
  Var shown(const Lens& lens, const Var& x, const Var& y, const Tensor& scale, const QuantizeHow& how) const;

  Tape* tape_;
  Mode mode_;
  Key key_;
  std::unordered_map<std::string, uint64_t> uses_;
  std::unordered_map<const Param*, Var> bare_, seen_;  // through the mask; through mask and lens
  std::vector<std::pair<Param*, Var>> leaves_;
  std::vector<std::function<void()>> changes_;
  std::function<void(const Look&)> see_;
  std::function<void(const std::string&, const Var&)> hear_;
  std::function<SumCounts*(const std::string&, const Accumulator&)> sums_;
  bool watches_clipping_ = false, has_clipped_ = false;
  std::unordered_map<int, Extent> surveyed_;  // by role
};

}  // namespace lp
