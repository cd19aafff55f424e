// What a run tells while it goes on, and the record of where it stands.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/train/metrics.h"
#include "lptrain/train/numerics.h"

namespace lp {

// Where a run stands: `batch` batches of epoch `epoch` (from 0) of phase `phase` are done.
struct Position {
  int64_t phase = 0, epoch = 0, batch = 0;
  int64_t step = 0;     // over all phases, skipped steps included: the key of randomness
  int64_t updates = 0;  // made by this phase's optimizer
  void fields(Fields& f);
};

// Means over examples.
struct Score {
  double loss = 0, accuracy = 0;
  int64_t examples = 0;
  void fields(Fields& f);
};

// One line of metrics.jsonl.
struct EpochScores {
  int64_t phase = 0, epoch = 0;           // epochs count from 1 here, as people do
  int64_t step = 0, skipped = 0;          // steps that loss scaling skipped in this epoch
  double lr = 0, seconds = 0;             // seconds since the start of the run
  Score train, validation;                // train: while the weights were moving
  std::optional<Numerics> numerics = {};  // if the config asks for them
  std::optional<double> sparsity = {};    // share of weights that are zero, if anything is pruned
  Dictionary<int64_t> bits = {};          // of each layer's weights, while their bits are lowered
  bool met = false;                       // validation reached the target with them
  bool complete = true;                   // all is pruned that is to be: before that no epoch is selected
  void fields(Fields& f);
};

// What a phase ends with: the model that the next one begins with. Nothing is chosen by its test score.
struct PhaseScores {
  std::string name;
  int64_t epochs = 0;
  Score validation, test;
  double bits_per_weight = 0;
  int64_t bytes = 0;                    // of all parameters at their widths, with scales (nn/cost.h)
  Dictionary<int64_t> bits = {};        // of each layer's weights, if the phase looked for them
  std::optional<double> sparsity = {};  // share of weights that are zero, if anything is pruned; bytes counts them in full
  std::optional<bool> met = {};         // was the target of its search for bits ever reached?
  void fields(Fields& f);
};

struct StepDone {
  Position position;
  int64_t batches = 0;   // in an epoch
  int64_t examples = 0;  // in this batch
  double loss = 0, lr = 0;
  bool skipped = false;
  Running epoch;  // its examples so far
};

// Sinks of a run's events: console, metrics file, tests. All default to nothing.
class Watch {
 public:
  virtual ~Watch() = default;
  virtual void phase_started(const std::string& name, const Position& position, int64_t phases, int64_t epochs) {
    (void)name, (void)position, (void)phases, (void)epochs;
  }
  virtual void step_done(const StepDone&) {}
  virtual void epoch_done(const EpochScores&, bool is_best) { (void)is_best; }
  virtual void phase_done(const PhaseScores&, const Position& position, int64_t phases) { (void)position, (void)phases; }
  virtual void note(const std::string&) {}  // a line for people
};

}  // namespace lp
