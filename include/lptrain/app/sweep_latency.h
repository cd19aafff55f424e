// How long inference takes in each run of a sweep, measured while nothing else runs.
#pragma once
#include <atomic>
#include <vector>

#include "lptrain/app/sweep_runner.h"

namespace lp {

// Jobs that run side by side would measure one another. So they do not measure; when all are over, those that are finished and
// have no latency yet are measured here, one at a time, with the threads of a job. Ends early when `stop` is not 0. A run whose
// files are damaged is named, and does not stop the others.
void measure_latencies(const std::vector<JobLine>& lines, const RunnerOptions& options, SweepProgress& progress,
                       const std::atomic<int>& stop);

}  // namespace lp
