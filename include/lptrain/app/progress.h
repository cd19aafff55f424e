// A run as people see it while it goes on.
#pragma once
#include <chrono>
#include <string>

#include "lptrain/train/events.h"

namespace lp {

// What the progress line says.
struct ProgressFacts {
  int64_t epoch = 0, epochs = 0;   // epoch from 1
  int64_t batch = 0, batches = 0;  // done, in an epoch
  double loss = 0, accuracy = 0;   // means over the epoch so far
  double examples_per_second = 0, seconds_left = 0;
};
// "epoch 3/20  47% [=====>    ] 220/469  loss 0.312  acc 90.6%  1.8k/s  ETA 0:42", never wider than `width`: the bar shrinks
// first, then the end goes.
std::string progress_line(const ProgressFacts& facts, int width);
// "epoch  3/20  train loss 0.3120 acc 90.60%  validation loss 0.2911 acc 91.23%  0:12  best so far"
std::string epoch_line(const EpochScores& scores, int64_t epochs, bool is_best);

// "phase 2/3 is done: int4, validation 97.10%, test 96.92%, 4 bits a weight, 12.3 kB", and, if
// something is pruned, " with the 90.0% of weights that are zero"
std::string phase_line(const PhaseScores& phase, const Position& position, int64_t phases);

std::string progress_bar(double share, int width);  // "====>   "

// Writes to stderr. On a terminal one line that is redrawn at most ten times a second, above it a line per epoch; elsewhere a
// line per epoch.
class ProgressWatch : public Watch {
 public:
  explicit ProgressWatch(bool redraws) : redraws_(redraws) {}
  ~ProgressWatch() override { erase(); }
  void phase_started(const std::string& name, const Position& position, int64_t phases, int64_t epochs) override;
  void step_done(const StepDone& step) override;
  void epoch_done(const EpochScores& scores, bool is_best) override;
  void phase_done(const PhaseScores& phase, const Position& position, int64_t phases) override;
  void note(const std::string& text) override;

 private:
  using Clock = std::chrono::steady_clock;
  ProgressFacts facts(const StepDone& step) const;
  void put(const std::string& text);
  void erase();

  bool redraws_;
  bool drawn_ = false;
  int64_t epochs_ = 0;
  int64_t examples_ = 0, first_step_ = -1;  // since started_: what the rate and the time left are drawn from
  Clock::time_point started_{}, redrawn_{};
};

}  // namespace lp
