// Running the jobs of a sweep, several at a time, each as a program of its own.
#pragma once
#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <vector>

#include "lptrain/app/child.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/sweep_progress.h"

namespace lp {

struct RunnerOptions {
  std::filesystem::path folder;
  size_t parallel = 1;
  int64_t threads = 1;  // of each job
  std::string data;     // --data
  std::function<void()> at_job_end = [] {};
};

// Runs those of `lines` (the jobs of `plan`, in its order) that are not done, seed by seed, so that a sweep that is interrupted
// has whole rows. A run that was begun goes on from its last checkpoint; one that never came to a checkpoint begins anew. When
// `stop` is not 0, running jobs get that signal, save, and end. Lines are updated, and written to the folder, as jobs begin and
// end.
class SweepRunner {
 public:
  SweepRunner(const SweepPlan& plan, std::vector<JobLine>& lines, const RunnerOptions& options, SweepProgress& progress);
  void run(const std::atomic<int>& stop);

 private:
  struct Running {
    size_t job;
    Child child;
    int64_t epochs = 0;  // done, as metrics.jsonl tells
  };
  void start(size_t job);
  void finish(size_t job, int code, bool stopped);
  void collect(bool stopped);
  void watch();  // looks at the running jobs' metrics and draws the progress
  double work_of(size_t job) const { return plan_.cells[plan_.jobs[job].cell].work; }

  const SweepPlan& plan_;
  std::vector<JobLine>& lines_;
  const RunnerOptions& options_;
  SweepProgress& progress_;
  std::deque<size_t> waiting_;
  std::vector<Running> running_;
  size_t total_ = 0, ended_ = 0;  // of the jobs that were not done at the start
  double work_ended_ = 0;
  WorkClock clock_;
};

}  // namespace lp
