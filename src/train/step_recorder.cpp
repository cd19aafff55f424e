// Counting steps, and reading names of spans.
#include "lptrain/train/step_recorder.h"

#include <set>

namespace lp {

StepRecorder::StepRecorder(int64_t skipped, int64_t steps, Done done)
    : skipped_(skipped), steps_(steps), done_(std::move(done)) {}

void StepRecorder::begin() {
  recording_ = std::make_unique<Recording>();
  began_ = steady_seconds();
}

void StepRecorder::phase_started(const std::string&, const Position&, int64_t, int64_t) {
  seen_ = 0;
  recording_.reset();
  if (skipped_ == 0) begin();
}

void StepRecorder::step_done(const StepDone&) {
  ++seen_;
  if (seen_ == skipped_ + steps_) {
    const double seconds = steady_seconds() - began_;
    const std::vector<Span> spans = recording_->spans();
    recording_.reset();
    done_(spans, seconds);
  } else if (seen_ == skipped_) {
    begin();
  }
}

std::vector<std::string> product_rows(const std::vector<Span>& spans) {
  std::set<std::string> rows;
  for (const Span& span : spans)
    if (span.family.starts_with("matmul") || span.family.starts_with("conv2d")) rows.insert(span.family + "/" + span.what);
  return {rows.begin(), rows.end()};
}

}  // namespace lp
