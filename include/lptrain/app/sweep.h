// A sweep from its file to its folder: what `sweep` and `reproduce` do.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/app/command.h"
#include "lptrain/app/console.h"
#include "lptrain/app/sweep_folder.h"

namespace lp {

// The sweep that a call means: SWEEP (a file, the name of a shipped one, or a sweep's folder) with --quick or --reduced.
struct SweepCall {
  SweepSpec spec;
  std::filesystem::path file;    // it was read from
  std::filesystem::path folder;  // --out, the folder named, or runs/<name>
  bool goes_on = false;          // --resume
};
SweepCall sweep_of(const Arguments& arguments, const std::string& word);

struct SweepOutcome {
  std::string status;  // finished, failed (jobs did), interrupted, planned (--dry-run)
  std::string sweep, folder;
  int64_t jobs = 0, done = 0, kept = 0;  // kept: of those done, before this call
  std::vector<std::string> failed;       // jobs that did not finish, with what happened
  int64_t exit = 0;
  std::string time;  // that it took so far (sweep_time.h)
  void fields(Fields& f);
};

// Plans, shows the jobs, runs those that are not done (nothing with --dry-run), and says how it ended. Options: --only, --jobs,
// --threads, --data, --dry-run.
SweepOutcome run_sweep(const SweepCall& call, const Arguments& arguments, const Console& console);

}  // namespace lp
