// Reading and writing a sweep's folder.
#include "lptrain/app/sweep_folder.h"

#include <algorithm>
#include <map>
#include <set>

#include "lptrain/app/run_record.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSweep = "sweep.json";
constexpr const char* kMeta = "meta.json";
constexpr const char* kJobs = "jobs.jsonl";

// Lines of an earlier plan that this one does not touch: --only and edited grids take nothing away that still has its place.
std::vector<JobLine> untouched(const std::vector<Axis>& axes, const std::vector<JobLine>& lines, const fs::path& folder) {
  std::vector<JobLine> kept;
  const auto in_grid = [&](const JobLine& line) {
    return std::ranges::equal(line.points, axes, [](const auto& label, const Axis& axis) {
      return label.first == axis.name && std::ranges::find(axis.points, label.second, &Point::name) != axis.points.end();
    });
  };
  std::set<Dictionary<std::string>> planned;
  for (const JobLine& line : lines) planned.insert(line.points);
  if (fs::exists(folder / kJobs))
    for (JobLine& line : read_jobs(folder))
      if (in_grid(line) && !planned.contains(line.points)) kept.push_back(std::move(line));
  return kept;
}

}  // namespace

void JobLine::fields(Fields& f) {
  f("job", job, "its points and seed");
  f("key", key, "sha256 of the resolved config, the data and the version: runs with the same key are the same");
  f("points", points, "axis -> point");
  f("seed", seed, "of the run");
  f("status", status, "waiting, started, finished, diverged or failed");
  f("config", config, "what it is given, below the sweep's folder");
  f("run", run, "its run folder, below the sweep's folder");
  f("log", log, "what it said, below the sweep's folder");
  f("command", command, "that runs it");
  f("message", message, "why it failed");
}

void SweepMeta::fields(Fields& f) {
  f("version", version, "of lptrain");
  f("commit", commit, "of its source");
  f("threads", threads, "of each job", {1, 1024});
  f("command", command, "as typed");
  f("seconds", seconds, "on the clock, of all calls; null: not known");
  f("cores", cores, "that the last call used");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::failure, "cannot make the folder {}: {}", folder.string(), error.message());
}

bool is_sweep_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kSweep, error) && fs::is_regular_file(folder / kJobs, error);
}

std::vector<JobLine> read_jobs(const fs::path& folder) {
  const std::string name = (folder / kJobs).string(), text = read_file(folder / kJobs);
  std::vector<JobLine> jobs;
  std::map<std::string, size_t> places;
  for (const std::string& line : split(text.substr(0, text.rfind('\n') + 1), '\n')) {
    if (line.empty()) continue;
    JobLine job;
    undamaged([&] { read(Document::parse(line, name), job); });
    const auto [place, is_new] = places.emplace(job.key, jobs.size());
    if (is_new)
      jobs.push_back(std::move(job));
    else
      jobs[place->second] = std::move(job);
  }
  return jobs;
}

SweepSpec read_sweep_of(const fs::path& folder) {
  return undamaged([&] { return load_sweep(folder / kSweep); });
}

SweepMeta read_meta(const fs::path& folder) {
  SweepMeta meta;
  undamaged([&] { read(Document::load(folder / kMeta), meta); });
  return meta;
}

void write_meta(const SweepMeta& meta, const fs::path& folder) { write_file(folder / kMeta, write(meta).dump() + "\n"); }

std::vector<JobLine> lines_of(const SweepPlan& plan, const fs::path& folder, int64_t threads, const std::string& data) {
  std::vector<JobLine> lines;
  for (const SweepJob& job : plan.jobs) {
    JobLine line{job.name, job.key, plan.labels(plan.cells[job.cell]), job.seed, {}, {}, {}, {}, {}, {}};
    line.config = "configs/" + job.stem + ".json";
    line.run = "runs/" + job.stem;
    line.log = "logs/" + job.stem + ".txt";
    line.status = status_of_run(folder / line.run);
    line.command = {"train",     (folder / line.config).string(), "--out",        (folder / line.run).string(),
                    "--threads", std::to_string(threads),         "--no-progress"};
    if (!data.empty()) line.command.insert(line.command.end(), {"--data", data});
    lines.push_back(std::move(line));
  }
  return lines;
}

void write_sweep(const SweepSpec& spec, const SweepMeta& meta, const SweepPlan& plan, const std::vector<JobLine>& lines,
                 const fs::path& folder) {
  for (const char* part : {"configs", "runs", "logs"}) make_folder(folder / part);
  std::vector<JobLine> all = untouched(plan.axes, lines, folder);
  all.insert(all.begin(), lines.begin(), lines.end());
  std::string text;
  for (const JobLine& line : all) text += write(line).dump(0) + "\n";
  for (size_t j = 0; j < lines.size(); ++j)
    if (!lines[j].is_done()) write_file(folder / lines[j].config, plan.config(plan.jobs[j]).dump() + "\n");
  write_file(folder / kSweep, write(spec, true).dump() + "\n");
  if (!fs::exists(folder / kMeta)) write_meta(meta, folder);
  write_file(folder / kJobs, text);
}

void append_job(const JobLine& line, const fs::path& folder) { append_line(folder / kJobs, write(line).dump(0)); }

std::string shell_text(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,%@";
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
      text += word;
      continue;
    }
    text += '\'';
    for (char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
    text += '\'';
  }
  return text;
}

}  // namespace lp
