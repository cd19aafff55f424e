// The training loop: one page, which emits events; console, metrics file and checkpoints are sinks.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "lptrain/data/loader.h"
#include "lptrain/train/adaptive.h"
#include "lptrain/train/events.h"
#include "lptrain/train/metrics.h"
#include "lptrain/train/pruning.h"
#include "lptrain/train/safetensors.h"
#include "lptrain/train/step.h"

namespace lp {

// The epoch that validation selects: the highest accuracy, then the lowest loss, the earlier one if equal. Per phase.
struct Best {
  int64_t epoch = 0;  // 0: none yet
  Score validation;
  bool met = false;  // its weights have the fewest bits so far with which validation reaches the target
  void fields(Fields& f);
};

// Does validation prefer a to b?
bool is_better(const Score& a, const Score& b);
// Does it select an epoch in place of the best one before? While bits are lowered: each that reaches the target, and no other
// after that.
bool selects(const EpochScores& epoch, const Best& best);

// Everything that resume needs beside tensors.
struct Progress {
  Position position;
  Running running;                   // of the epoch under way
  int64_t skipped = 0;               // steps in it
  std::optional<Numerics> numerics;  // of it, if the config asks for them
  Best best;
  std::vector<EpochScores> history;
  double seconds = 0;
  std::string loss_scale;           // its state, as text
  int64_t prunings = 0;             // made in the phase under way
  std::optional<BitSearch> search;  // of the phase under way, if it lowers bits
  std::vector<PhaseScores> phases;  // done
  // The epoch of the phase whose network this is: the last, or the one that a search for bits kept; null: none yet.
  const EpochScores* ends_with() const;
  void fields(Fields& f);
};

class Trainer {
 public:
  using Teachers = std::function<std::unique_ptr<Model>(size_t phase)>;  // of phases that distill
  // Keeps references to config and data. Without `teachers` they are loaded from where the config says.
  Trainer(const RunConfig& config, const Dataset& data, std::vector<Watch*> watches, Teachers teachers = {});

  // Why a checkpoint is asked for. new_best: the weights are the best so far by validation (epoch_end follows).
  // phase_end: they are those that the next phase begins with.
  enum class Moment { start, interval, new_best, epoch_end, phase_end, stop };
  using Save = std::function<void(Moment)>;

  // Goes on from progress() to the end of the last phase, or until `stop` is not 0 (looked at after every batch and epoch);
  // false: stopped. `save` is called at step 0, after every epoch, at least every 30 s, and when stopping.
  bool run(const std::atomic<int>& stop, const Save& save);

  Model& model() { return model_; }
  Progress& progress() { return progress_; }
  OptimizerState& optimizer_state() { return state_; }
  Pruning& pruning() { return pruning_; }
  TensorFile& kept() { return kept_; }  // the network that a search for bits remembers
  Precision precision() const;          // of the phase, with the bits that a search is at
  const PhaseSpec& phase() const;       // the one under way, or the last
  void enter_phase();                   // after progress() was changed from outside: lenses and loss scale of its phase

 private:
  bool is_over() const;  // the phase
  void begin_phase(const Save& save);
  void finish_phase(const Save& save);
  std::string lower_bits(const EpochScores& e);  // a line for people
  bool run_epoch(const std::atomic<int>& stop, const Save& save);
  void run_batch(const Batch& batch, int64_t batches);
  void finish_epoch(const Save& save, int64_t batches);
  void checkpoint(const Save& save, Moment moment);
  int64_t first_epoch() const;
  double lr_factor(int64_t batches) const;
  PruneTime prune_time(int64_t batches) const;

  const RunConfig& config_;
  const Dataset& data_;
  std::vector<Watch*> watches_;
  Model model_;
  OptimizerState state_;
  Teachers teachers_;
  std::unique_ptr<Model> teacher_;  // of the phase
  TensorFile kept_;
  Choice<LossScale> loss_scale_;
  Pruning pruning_;
  Progress progress_;
  double started_ = 0, saved_ = 0;  // seconds of a steady clock
};

// Loss and accuracy over a split, in evaluation mode.
struct Evaluation {
  Score score;
  std::vector<int32_t> predicted;  // per example of the split, in its order
};
Evaluation evaluate(Model& model, const Loss& loss, const Dataset& data, const Subset& split, int64_t batch);

}  // namespace lp
