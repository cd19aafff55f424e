// Where a sweep leaves its runs, and what stands where.
//   sweep.json   the sweep, resolved: a sweep file itself      meta.json    how it was begun
//   jobs.jsonl   a line per job, and one more whenever its status changes: the last one counts
//   configs/     what each run was given                       logs/        what each run said
//   runs/        run folders                                   lock
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/app/sweep_plan.h"

namespace lp {

// One job as it stands.
//   waiting: not begun   started: begun, not finished   finished   diverged   failed: it ended otherwise
struct JobLine {
  std::string job, key;
  Dictionary<std::string> points;  // axis -> point
  int64_t seed = 0;
  std::string status = "waiting";
  std::string config, run, log;  // below the sweep's folder
  std::vector<std::string> command;
  std::string message;  // of a failure
  void fields(Fields& f);
  bool is_done() const { return status == "finished" || status == "diverged"; }
};

// How a sweep was begun. Threads are decided then: sums of floats depend on them in their last bits.
// Machine and time stand in the runs' own meta.json.
struct SweepMeta {
  std::string version, commit;
  int64_t threads = 1;  // of each job
  std::vector<std::string> command;
  std::optional<double> seconds;  // on the clock, of all calls (sweep_time.h)
  int64_t cores = 0;              // of the last call
  void fields(Fields& f);
};

void make_folder(const std::filesystem::path& folder);  // with those above it; throws Error(failure)
bool is_sweep_folder(const std::filesystem::path& folder);

// The lines of jobs.jsonl, the last of each job, in the order in which jobs appear; a last line that is cut off is no line.
// Throws Error(data).
std::vector<JobLine> read_jobs(const std::filesystem::path& folder);
SweepSpec read_sweep_of(const std::filesystem::path& folder);
SweepMeta read_meta(const std::filesystem::path& folder);
void write_meta(const SweepMeta& meta, const std::filesystem::path& folder);

// The lines of a plan, with the status that their run folders show.
std::vector<JobLine> lines_of(const SweepPlan& plan, const std::filesystem::path& folder, int64_t threads,
                              const std::string& data);

// Writes sweep.json, meta.json (if there is none), configs/ and jobs.jsonl; jobs of an earlier jobs.jsonl whose points are not in
// the plan stay, if the sweep still has them.
void write_sweep(const SweepSpec& spec, const SweepMeta& meta, const SweepPlan& plan, const std::vector<JobLine>& lines,
                 const std::filesystem::path& folder);
void append_job(const JobLine& line, const std::filesystem::path& folder);

// Words as a shell takes them.
std::string shell_text(const std::vector<std::string>& words);

}  // namespace lp
