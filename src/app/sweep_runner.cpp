// The loop over jobs.
#include "lptrain/app/sweep_runner.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "lptrain/app/run_record.h"
#include "lptrain/app/scores.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr int kPausesPerLook = 25;

int64_t epochs_in(const fs::path& run) {
  std::error_code error;
  const fs::path file = run / "metrics.jsonl";
  if (!fs::is_regular_file(file, error)) return 0;
  const std::string lines = read_file(file);
  return std::ranges::count(lines, '\n');
}

// What a run said last: as a rule the error that ended it.
std::string last_words(const fs::path& log) {
  std::error_code error;
  if (!fs::is_regular_file(log, error)) return "";
  std::string text = read_file(log);
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string how_it_ended(int code, const fs::path& log) {
  return code > 128 ? fmt::format("ended by signal {}", code - 128) : fmt::format("exit code {}: {}", code, last_words(log));
}

std::vector<size_t> seed_by_seed(const SweepPlan& plan, const std::vector<JobLine>& lines) {
  std::vector<size_t> jobs;
  for (size_t j = 0; j < lines.size(); ++j)
    if (!lines[j].is_done()) jobs.push_back(j);
  std::map<size_t, size_t> turns;  // how many jobs of the same cell came before
  std::vector<size_t> turn(plan.jobs.size());
  for (size_t j = 0; j < plan.jobs.size(); ++j) turn[j] = turns[plan.jobs[j].cell]++;
  std::ranges::stable_sort(jobs, {}, [&](size_t j) { return turn[j]; });
  return jobs;
}

double total_work(const SweepPlan& plan, const std::vector<size_t>& jobs) {
  double work = 0;
  for (size_t j : jobs) work += plan.cells[plan.jobs[j].cell].work;
  return work;
}

std::string reached(const fs::path& run) {
  const Document summary = read_left(run / "summary.json");
  std::string text;
  for (const auto& [path, name] : {std::pair{"test.accuracy", "test"}, {"best.test.accuracy", "best"}})
    if (summary.has(path)) text += fmt::format("  {} {}", name, percent(std::stod(summary.text_at(path))));
  return text;
}

}  // namespace

SweepRunner::SweepRunner(const SweepPlan& plan, std::vector<JobLine>& lines, const RunnerOptions& options,
                         SweepProgress& progress)
    : plan_(plan), lines_(lines), options_(options), progress_(progress), clock_(0) {
  const std::vector<size_t> jobs = seed_by_seed(plan, lines);
  waiting_.assign(jobs.begin(), jobs.end());
  total_ = jobs.size();
  clock_ = WorkClock(total_work(plan, jobs));
}

void SweepRunner::run(const std::atomic<int>& stop) {
  bool told = false;
  clock_.begin(0);
  for (int pause = 0; !running_.empty() || (!waiting_.empty() && stop == 0); ++pause) {
    while (stop == 0 && running_.size() < options_.parallel && !waiting_.empty()) {
      start(waiting_.front());
      waiting_.pop_front();
    }
    if (stop != 0 && !told) {
      for (const Running& r : running_) r.child.signal(stop);
      told = true;
    }
    std::this_thread::sleep_for(kPause);
    collect(stop != 0);
    if (pause % kPausesPerLook == 0) watch();
  }
}

void SweepRunner::start(size_t job) {
  JobLine& line = lines_[job];
  const fs::path run = options_.folder / line.run;
  std::vector<std::string> words = line.command;
  if (fs::exists(run / "last.state"))
    words = {"train", "--resume", run.string(), "--threads", std::to_string(options_.threads), "--no-progress"};
  else
    fs::remove_all(run);  // it never came to a checkpoint
  if (words[1] == "--resume" && !options_.data.empty()) words.insert(words.end(), {"--data", options_.data});
  words.emplace_back("--no-latency");  // sweep_latency.h
  line.status = "started";
  append_job(line, options_.folder);
  running_.push_back({job, Child(words, options_.folder / line.log), 0});
}

void SweepRunner::finish(size_t job, int code, bool stopped) {
  JobLine& line = lines_[job];
  line.status = status_of_run(options_.folder / line.run);
  const bool failed = !line.is_done() && !stopped;
  if (failed) line.status = "failed";
  if (failed || line.status == "diverged") line.message = how_it_ended(code, options_.folder / line.log);
  append_job(line, options_.folder);
  options_.at_job_end();
  ++ended_;
  work_ended_ += work_of(job);
  const double left = clock_.seconds_left(work_ended_);
  progress_.say(fmt::format("{}/{} {}: {}{}{}", ended_, total_, line.job, line.status,
                            line.status == "finished" ? reached(options_.folder / line.run) : "  " + line.message,
                            ended_ < total_ && left >= 0 && !stopped ? fmt::format("  (ETA {})", human_seconds(left)) : ""));
}

void SweepRunner::collect(bool stopped) {
  for (size_t i = 0; i < running_.size();) {
    const std::optional<int> code = running_[i].child.exit_code();
    if (!code) {
      ++i;
      continue;
    }
    const size_t job = running_[i].job;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    finish(job, *code, stopped);
  }
}

void SweepRunner::watch() {
  SweepFacts facts{ended_, total_, 0, -1, {}};
  double work = work_ended_;
  for (Running& r : running_) {
    r.epochs = epochs_in(options_.folder / lines_[r.job].run);
    const int64_t epochs = plan_.cells[plan_.jobs[r.job].cell].epochs;
    if (epochs > 0) work += work_of(r.job) * static_cast<double>(std::min(r.epochs, epochs)) / static_cast<double>(epochs);
    facts.running.push_back(fmt::format("{} ({}/{})", lines_[r.job].job, r.epochs, epochs));
  }
  facts.share = clock_.share(work);
  facts.seconds_left = clock_.seconds_left(work);
  progress_.draw(facts);
}

}  // namespace lp
