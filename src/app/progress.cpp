// Progress on a terminal or in a log.
#include "lptrain/app/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lptrain/app/console.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr int kWidestBar = 20, kNarrowestBar = 6;
constexpr auto kRedrawEvery = std::chrono::milliseconds(100);

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

std::string progress_bar(double share, int width) {
  const int done = static_cast<int>(share * width);
  if (done >= width) return std::string(static_cast<size_t>(width), '=');
  return std::string(static_cast<size_t>(done), '=') + '>' + std::string(static_cast<size_t>(width - done - 1), ' ');
}

std::string progress_line(const ProgressFacts& f, int width) {
  const double share = f.batches > 0 ? static_cast<double>(f.batch) / static_cast<double>(f.batches) : 0;
  const std::string before = fmt::format("epoch {}/{} {:3.0f}%", f.epoch, f.epochs, 100 * share);
  const std::string after = fmt::format("{}/{}  loss {:.3f}  acc {:.1f}%  {}/s  ETA {}", f.batch, f.batches, f.loss,
                                        100 * f.accuracy, human_count(f.examples_per_second), human_seconds(f.seconds_left));
  const int room = width - static_cast<int>(before.size() + after.size()) - 4;  // brackets and blanks
  const std::string middle =
      room >= kNarrowestBar ? fmt::format(" [{}] ", progress_bar(share, std::min(room, kWidestBar))) : "  ";
  return (before + middle + after).substr(0, static_cast<size_t>(std::max(width, 1)));
}

std::string epoch_line(const EpochScores& e, int64_t epochs, bool is_best) {
  const int digits = static_cast<int>(std::to_string(epochs).size());
  return fmt::format("epoch {:{}}/{}  train loss {:.4f} acc {:5.2f}%{}  {}{}{}{}", e.epoch, digits, epochs, e.train.loss,
                     100 * e.train.accuracy,
                     e.validation.examples > 0
                         ? fmt::format("  validation loss {:.4f} acc {:5.2f}%", e.validation.loss, 100 * e.validation.accuracy)
                         : "",
                     human_seconds(e.seconds), e.skipped > 0 ? fmt::format("  {} steps skipped", e.skipped) : "",
                     e.sparsity ? fmt::format("  sparsity {:.1f}%", 100 * *e.sparsity) : "", is_best ? "  best so far" : "");
}

std::string phase_line(const PhaseScores& p, const Position& at, int64_t phases) {
  std::string line = fmt::format("phase {}/{} is done: {}", at.phase + 1, phases, p.name);
  for (const auto& [name, score] : {std::pair<const char*, const Score&>{"validation", p.validation}, {"test", p.test}})
    if (score.examples > 0) line += fmt::format(", {} {:.2f}%", name, 100 * score.accuracy);
  line += fmt::format(", {:.3g} bits a weight, {}", p.bits_per_weight, human_bytes(p.bytes));
  if (p.sparsity) line += fmt::format(" with the {:.1f}% of weights that are zero", 100 * *p.sparsity);
  return line + (p.met.value_or(true) ? "" : "; the target accuracy was never reached");
}

void ProgressWatch::phase_started(const std::string& name, const Position& at, int64_t phases, int64_t epochs) {
  epochs_ = epochs;
  first_step_ = -1;
  if (phases > 1) put(fmt::format("phase {}/{}: {}, {} epochs", at.phase + 1, phases, name, epochs));
}

ProgressFacts ProgressWatch::facts(const StepDone& s) const {
  ProgressFacts f{s.position.epoch + 1, epochs_, s.position.batch, s.batches, s.epoch.loss(), s.epoch.accuracy(), 0, 0};
  const double elapsed = seconds(Clock::now() - started_);
  const int64_t done = s.position.step - first_step_,
                left = epochs_ * s.batches - s.position.epoch * s.batches - s.position.batch;
  if (done > 0) f.seconds_left = elapsed / static_cast<double>(done) * static_cast<double>(left);
  if (elapsed > 0) f.examples_per_second = static_cast<double>(examples_) / elapsed;
  return f;
}

void ProgressWatch::step_done(const StepDone& s) {
  if (!redraws_) return;
  if (first_step_ < 0)
    first_step_ = s.position.step, examples_ = 0, started_ = Clock::now();  // the first step warms up: not counted
  else
    examples_ += s.examples;
  if (Clock::now() - redrawn_ < kRedrawEvery) return;
  redrawn_ = Clock::now();
  std::fprintf(stderr, "\r%s\x1b[K", progress_line(facts(s), terminal_width() - 1).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressWatch::epoch_done(const EpochScores& e, bool is_best) { put(epoch_line(e, epochs_, is_best)); }

void ProgressWatch::phase_done(const PhaseScores& p, const Position& at, int64_t phases) {
  if (phases > 1 || !p.bits.empty()) put(phase_line(p, at, phases));
}

void ProgressWatch::note(const std::string& text) { put(text); }

void ProgressWatch::put(const std::string& text) {
  erase();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void ProgressWatch::erase() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace lp
