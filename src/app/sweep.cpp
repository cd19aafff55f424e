// Planning, running and concluding a sweep.
#include "lptrain/app/sweep.h"

#include <algorithm>
#include <cstdlib>

#include "lptrain/app/run_record.h"
#include "lptrain/app/stop.h"
#include "lptrain/app/sweep_latency.h"
#include "lptrain/app/sweep_page.h"
#include "lptrain/app/sweep_runner.h"
#include "lptrain/app/sweep_time.h"
#include "lptrain/base/files.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMostParallel = 1024;

void check_folder(const SweepCall& call) {
  std::error_code error;
  const bool is_new = !fs::exists(call.folder, error) || fs::is_empty(call.folder, error);
  require(is_new || call.goes_on,
          "{}: is there already; --resume goes on with it, and runs only what is new (or name another folder: --out DIR)",
          call.folder.string());
  require(is_new || is_sweep_folder(call.folder), "{}: is not the folder of a sweep", call.folder.string());
  if (is_new) return;
  const SweepSpec other = read_sweep_of(call.folder);
  require(other.name == call.spec.name, "{}: holds the sweep \"{}\", not \"{}\"", call.folder.string(), other.name,
          call.spec.name);
}

// How many jobs run side by side, and with how many threads each. Small networks gain more from jobs than from threads.
struct Share {
  int64_t parallel, threads;
};
Share share_of(const Arguments& arguments, const SweepCall& call, size_t jobs) {
  const int64_t cores = thread_count();
  Share share{};
  share.parallel = std::min(arguments.integer("jobs", 1, kMostParallel).value_or(cores), static_cast<int64_t>(jobs));
  const bool has_begun = fs::exists(call.folder / "meta.json");
  share.threads = has_begun ? read_meta(call.folder).threads : std::max<int64_t>(1, cores / share.parallel);
  share.threads = arguments.integer("threads", 1, kMostParallel).value_or(share.threads);
  return share;
}

std::string seeds_text(const SweepPlan& plan, size_t cell) {
  std::vector<std::string> seeds;
  for (const SweepJob& job : plan.jobs)
    if (job.cell == cell) seeds.push_back(std::to_string(job.seed));
  return join(seeds, " ");
}

std::string statuses_text(const SweepPlan& plan, const std::vector<JobLine>& lines, size_t cell) {
  std::vector<std::string> texts;
  for (size_t j = 0; j < lines.size(); ++j)
    if (plan.jobs[j].cell == cell) texts.push_back(lines[j].status);
  const bool all_alike = std::ranges::all_of(texts, [&](const std::string& t) { return t == texts[0]; });
  return all_alike ? texts[0] : join(texts, " ");
}

// A line per cell: its points, seeds, epochs, share of the work, and where it stands.
std::string job_list(const SweepPlan& plan, const std::vector<JobLine>& lines) {
  double work = 0;
  for (const SweepJob& job : plan.jobs) work += plan.cells[job.cell].work;
  Cells cells{{}};
  for (const Axis& axis : plan.axes) cells[0].push_back(axis.name);
  cells[0].insert(cells[0].end(), {"seeds", "epochs", "work", "status"});
  for (size_t c = 0; c < plan.cells.size(); ++c) {
    const SweepCell& cell = plan.cells[c];
    std::vector<std::string>& row = cells.emplace_back(cell.points);
    const double own = cell.work * static_cast<double>(std::ranges::count(plan.jobs, c, &SweepJob::cell));
    row.insert(row.end(), {seeds_text(plan, c), std::to_string(cell.epochs),
                           fmt::format("{:.1f}%", work > 0 ? 100 * own / work : 0), statuses_text(plan, lines, c)});
  }
  return table_text(cells);
}

std::string budget_text(double minutes) {
  return minutes > 0 ? fmt::format(", about {} on two cores", human_seconds(60 * minutes)) : "";
}

// What other versions began, and this one keeps.
std::string foreign_text(const SweepCall& call, const std::vector<JobLine>& lines) {
  std::vector<RunRecord> others;
  for (const JobLine& line : lines) {
    RunRecord run;
    run.version = version_of_run(call.folder / line.run);
    if (!run.version.empty() && run.version != own_version()) others.push_back(std::move(run));
  }
  if (others.empty()) return "";
  return fmt::format(
      "\nwarning: {} of these runs were begun by another version ({}; this is {}); for numbers of one source, run "
      "all anew: --out DIR",
      others.size(), versions_text(versions_of(others)), own_version());
}

void run_jobs(const SweepPlan& plan, std::vector<JobLine>& lines, const RunnerOptions& options, const Console& console,
              const StopSignals& stop) {
  ::setenv("OMP_WAIT_POLICY", "passive", 0);  // threads of several jobs that spin would starve one another
  SweepProgress progress(console.shows_progress(), is_terminal(stderr));
  SweepRunner(plan, lines, options, progress).run(stop.flag());
  measure_latencies(lines, options, progress, stop.flag());
}

void count_results(SweepOutcome& outcome, const std::vector<JobLine>& lines) {
  outcome.done = 0;
  for (const JobLine& line : lines) {
    outcome.done += line.is_done();
    if (line.status == "failed" || line.status == "diverged")
      outcome.failed.push_back(fmt::format("{}: {}", line.job, line.status == "failed" ? line.message : line.status));
  }
}

void conclude(SweepOutcome& outcome, const std::vector<JobLine>& lines, const StopSignals& stop, const Console& console) {
  count_results(outcome, lines);
  for (const std::string& text : outcome.failed) print_error(text);
  const bool stopped = stop.flag() != 0 && outcome.done < outcome.jobs;
  outcome.status = stopped ? "interrupted" : outcome.failed.empty() ? "finished" : "failed";
  outcome.exit = stopped ? stop.exit_code() : outcome.failed.empty() ? 0 : static_cast<int>(ErrorKind::failure);
  if (stopped)
    console.say("interrupted with {} of {} jobs done; everything is saved. Go on with: lptrain sweep {} --resume", outcome.done,
                outcome.jobs, outcome.folder);
  else
    console.say("{} of {} jobs done, in {}{}", outcome.done, outcome.jobs, outcome.folder,
                outcome.time.empty() ? "" : "; took " + outcome.time);
}

}  // namespace

void SweepOutcome::fields(Fields& f) {
  f("status", status, "finished, failed, interrupted or planned");
  f("sweep", sweep, "its name");
  f("folder", folder, "where it is");
  f("jobs", jobs, "of this call");
  f("done", done, "of them");
  f("kept", kept, "of them, from before");
  f("failed", failed, "jobs that did not finish, with what happened");
  f("exit", exit, "exit code of the program");
  f("time", time, "that it took on the clock, of all calls");
}

SweepCall sweep_of(const Arguments& arguments, const std::string& word) {
  require(!arguments.has("quick") || !arguments.has("reduced"), "--quick and --reduced: choose one");
  SweepCall call;
  call.goes_on = arguments.has("resume");
  const bool is_folder = fs::is_directory(word);
  require(!is_folder || is_sweep_folder(word), "{}: is not the folder of a sweep", word);
  call.file = is_folder ? fs::path(word) / "sweep.json" : find_sweep(word);
  call.spec = load_sweep(call.file);
  for (const char* size : kSmaller)
    if (arguments.has(size)) call.spec = in_size(call.spec, size);
  call.folder = arguments.has("out") ? arguments.text("out") : is_folder ? word : "runs/" + call.spec.name;
  return call;
}

SweepOutcome run_sweep(const SweepCall& call, const Arguments& arguments, const Console& console) {
  const std::string& data = arguments.text("data");
  const bool is_dry = arguments.has("dry-run");
  if (!is_dry) check_folder(call);
  const SweepPlan plan = plan_sweep(call.spec, arguments.list("only"), data);
  std::optional<FolderLock> lock;
  if (!is_dry) {
    make_folder(call.folder);
    lock.emplace(call.folder);
  }
  const Share share = share_of(arguments, call, plan.jobs.size());
  std::vector<JobLine> lines = lines_of(plan, call.folder, share.threads, data);
  SweepOutcome outcome{"planned", call.spec.name, call.folder.string(), std::ssize(plan.jobs), 0, 0, {}, 0, {}};
  outcome.done = outcome.kept = std::ranges::count_if(lines, &JobLine::is_done);
  const std::string list = fmt::format("{}\n\n{}: {} jobs, {} done already, {} at a time with {} threads each{}{}",
                                       job_list(plan, lines), call.spec.name, outcome.jobs, outcome.kept, share.parallel,
                                       share.threads, budget_text(call.spec.minutes), foreign_text(call, lines));
  if (is_dry) {
    console.print("{}\neverything checked; nothing was written", list);
    return outcome;
  }
  console.say("{}", list);
  const int64_t cores = std::min<int64_t>(thread_count(), share.parallel * share.threads);
  write_sweep(call.spec, {version(), commit(), share.threads, arguments.words(), 0, cores}, plan, lines, call.folder);
  const SweepTime time(call.folder, cores);
  const RunnerOptions options{call.folder, static_cast<size_t>(share.parallel), share.threads, data, [&] { time.keep(); }};
  const StopSignals stop;
  run_jobs(plan, lines, options, console, stop);
  if (std::ranges::any_of(lines, [](const JobLine& line) { return line.status == "finished"; }))
    write_file(call.folder / "report.html", sweep_page(call.folder));
  time.keep();
  outcome.time = time_text(read_meta(call.folder), call.spec.minutes);
  conclude(outcome, lines, stop, console);
  return outcome;
}

}  // namespace lp
