// Pruning in the course of training: when masks are chosen, what rewinds, what is shrunk and exchanged.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lptrain/train/step.h"

namespace lp {

// A step about to be made, or just made: its number in the run, and how much of the phase is done before it (0 at the first step,
// 1 at the last).
struct PruneTime {
  int64_t step = 0;
  double done = 0;
};

// Does what "prune" says in a phase, to Param::mask and the weights; everything else honours the masks by itself. A phase without
// "prune" keeps those that are there. Masks only grow, but for exchanges (regrow). The number of prunings made in the phase
// belongs to whoever calls, as part of what is checkpointed; so are the tensors of named().
class Pruning {
 public:
  Pruning(const RunConfig& config, int64_t classes) : config_(config), classes_(classes) {}  // keeps a reference

  void enter(Model& model, const PhaseSpec& phase);  // of what follows; both outlive it. What was heard stays.
  // Before the first step of the phase. One without epochs is pruned now.
  void begin(int64_t step, int64_t& prunings);
  // Prunes if it is time; true: the weights were rewound, so the optimizer begins anew.
  bool before_step(const PruneTime& now, int64_t& prunings);
  StepHooks hooks();  // for that step
  void after_step(const PruneTime& now);

  bool is_complete(int64_t prunings) const;  // is the sparsity reached that the phase asks for?
  // Share of all weights of products that are zero, before any quantizer; none if nothing here prunes or was pruned.
  std::optional<double> sparsity() const;

  std::vector<std::pair<std::string, Tensor>> named() const;  // what was heard, and what to rewind to
  void restore(const std::string& name, Tensor value);        // the inverse of named()

 private:
  struct Layer {
    Param* weight;
    PruneSpec::Target target;
    std::vector<Param*> beside;  // what goes along with a row: bias, gain and shift
    Param* gain = nullptr;
    Tensor lifted = {}, wish = {};  // in a step that hears the gradients of weights that are gone: their mask, and |gradient|
  };

  std::vector<std::vector<const Layer*>> competitions() const;
  Evidence evidence_of(const Layer& layer, Key key) const;
  void prune(int64_t step, int64_t k, int64_t& prunings);
  void set_mask(const Layer& layer, const Tensor& mask);
  void rewind(int64_t step, bool is_last);
  bool exchanges_at(const PruneTime& now) const;
  void hear(Param& p, Value& dw);
  Layer* find(const Param& p);

  const RunConfig& config_;
  int64_t classes_;
  Model* model_ = nullptr;
  const PhaseSpec* phase_ = nullptr;
  std::vector<Layer> layers_;
  std::map<std::string, Tensor> heard_, start_;  // by parameter
};

// Whether the pruning of a phase can be done to the model, and whether pruned weights stay zero behind its quantizers. Throws
// Error(usage) beginning with the path of the key that is wrong.
void check_pruning(const RunConfig& config, const PhaseSpec& phase, Model& model);

}  // namespace lp
