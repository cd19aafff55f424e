// Counting steps, and reading names of spans.
#include "lptrain/train/step_recorder.h"

#include <algorithm>
#include <limits>
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

int stepping_thread(const std::vector<Span>& spans) {
  const auto layer = std::ranges::find_if(spans, [](const Span& s) { return s.family == "forward" || s.family == "backward"; });
  return layer == spans.end() ? 0 : layer->thread;
}

std::vector<std::string> product_rows(const std::vector<Span>& spans) {
  constexpr int kOutside = std::numeric_limits<int>::max();
  const int thread = stepping_thread(spans);
  std::set<std::string> rows;
  int around = kOutside;  // depth of the product that we are in; backwards, a span comes before those inside it
  for (auto s = spans.rbegin(); s != spans.rend(); ++s) {
    if (s->thread != thread || s->depth > around) continue;
    const bool is_product = s->family.starts_with("matmul") || s->family.starts_with("conv2d");
    around = is_product ? s->depth : kOutside;
    if (is_product) rows.insert(s->family + "/" + s->what);
  }
  return {rows.begin(), rows.end()};
}

}  // namespace lp
