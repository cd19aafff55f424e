// Progress of a sweep on a terminal or in a log.
#include "lptrain/app/sweep_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lptrain/app/console.h"
#include "lptrain/app/progress.h"
#include "lptrain/base/text.h"

namespace lp {

std::string sweep_line(const SweepFacts& f, int width) {
  constexpr int kBar = 16;
  const std::string eta = f.seconds_left < 0 ? "" : fmt::format("  ETA {}", human_seconds(f.seconds_left));
  const std::string line =
      fmt::format("{}/{} jobs {:3.0f}% [{}]{}  {} running{}{}", f.done, f.jobs, 100 * f.share, progress_bar(f.share, kBar), eta,
                  f.running.size(), f.running.empty() ? "" : ": ", join(f.running));
  return line.substr(0, static_cast<size_t>(std::max(width, 1)));
}

double WorkClock::seconds_left(double done) const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  return done > first_ ? elapsed * std::max(total_ - done, 0.0) / (done - first_) : -1;
}

void SweepProgress::draw(const SweepFacts& facts) {
  if (!shows_ || !redraws_) return;
  std::fprintf(stderr, "\r%s\x1b[K", sweep_line(facts, terminal_width() - 1).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void SweepProgress::say(const std::string& line) {
  if (!shows_) return;
  erase();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void SweepProgress::erase() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace lp
