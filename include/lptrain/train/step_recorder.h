// A watch that notes where the time of some training steps goes.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lptrain/base/trace.h"
#include "lptrain/train/events.h"

namespace lp {

// Records `steps` steps of each phase, after `skipped` others, and hands their spans and the seconds that they took to `done`.
// There is one recording at a time (base/trace.h): two recorders of one run must not overlap.
class StepRecorder : public Watch {
 public:
  using Done = std::function<void(const std::vector<Span>& spans, double seconds)>;
  StepRecorder(int64_t skipped, int64_t steps, Done done);
  void phase_started(const std::string& name, const Position& position, int64_t phases, int64_t epochs) override;
  void step_done(const StepDone&) override;

 private:
  void begin();

  const int64_t skipped_, steps_;
  const Done done_;
  int64_t seen_ = 0;  // steps of the phase
  double began_ = 0;
  std::unique_ptr<Recording> recording_;
};

// The thread that takes the steps: the one that passes through layers. 0 if none does.
int stepping_thread(const std::vector<Span>& spans);

// The rows of the product tables that it ran, sorted: "conv2d dw/onednn", "matmul/vnni". Products that a row is made of are not
// told: a row stands for them.
std::vector<std::string> product_rows(const std::vector<Span>& spans);

}  // namespace lp
