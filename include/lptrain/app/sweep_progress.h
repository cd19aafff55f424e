// A sweep as people see it while it goes on.
#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace lp {

struct SweepFacts {
  size_t done = 0, jobs = 0;
  double share = 0;          // of the work, of all jobs that are to be run
  double seconds_left = -1;  // below 0: not known yet
  std::vector<std::string> running;
};
// "12/66 jobs  34% [=====>    ] ETA 12:34  2 running: int8 cnn seed 2, ...", never wider than `width`.
std::string sweep_line(const SweepFacts& facts, int width);

// How long what is left will take, from what was done since `start`.
class WorkClock {
 public:
  explicit WorkClock(double total) : total_(total) {}
  void begin(double done) { first_ = done, start_ = std::chrono::steady_clock::now(); }
  double seconds_left(double done) const;  // below 0: not known yet
  double share(double done) const { return total_ > 0 ? done / total_ : 1; }

 private:
  double total_, first_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Writes to stderr: on a terminal a line that is redrawn, above it a line per job; elsewhere a line per job.
class SweepProgress {
 public:
  SweepProgress(bool shows, bool redraws) : shows_(shows), redraws_(redraws) {}
  ~SweepProgress() { erase(); }
  void draw(const SweepFacts& facts);
  void say(const std::string& line);  // one that stays

 private:
  void erase();
  bool shows_, redraws_, drawn_ = false;
};

}  // namespace lp
