// lptrain runs: what stands in a folder of runs, a line each.
#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/app/run_record.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/table_columns.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"
#include "rows.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMetrics[] = {"accuracy", "last", "bits_per_weight", "packed_bytes", "seconds"};

struct RunLine {
  std::string run, name, status, started;  // status of a sweep: "12/66 jobs"
  std::optional<int64_t> seed, epochs;
  Dictionary<std::optional<double>> metrics;  // in the units of the columns
  void fields(Fields& f) {
    f("run", run, "its folder");
    f("name", name, "of the run or sweep");
    f("status", status, "waiting, started, finished, diverged; of a sweep its jobs that are done");
    f("started", started, "UTC");
    f("seed", seed, "of the first phase");
    f("epochs", epochs, "done");
    f("metrics", metrics, "as the columns of `table`");
  }
};

struct RunList {
  std::string status = "finished";
  std::vector<RunLine> runs;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("runs", runs, "in order");
  }
};

std::string text_in(const Document& document, const std::string& path) {
  return document.has(path) ? document.text_at(path) : "";
}

std::optional<int64_t> integer_in(const Document& document, const std::string& path) {
  return document.has(path) ? std::optional<int64_t>(std::atoll(document.text_at(path).c_str())) : std::nullopt;
}

RunLine line_of_run(const fs::path& folder) {
  RunLine line{folder.string(), {}, status_of_run(folder), {}, {}, {}, {}};
  const fs::path summary_file = folder / "summary.json", meta_file = folder / "meta.json";
  const Document summary = fs::exists(summary_file) ? read_left(summary_file) : Document(),
                 meta = fs::exists(meta_file) ? read_left(meta_file) : Document();
  line.name = text_in(summary, "name");
  line.started = text_in(meta, "started");
  line.seed = integer_in(meta, "seed");
  line.epochs = integer_in(summary, "epochs");
  for (const std::string_view key : kMetrics) line.metrics.emplace_back(key, value_in(summary, find_column(std::string(key))));
  return line;
}

RunLine line_of_sweep(const fs::path& folder) {
  const std::vector<JobLine> jobs = read_jobs(folder);
  RunLine line{folder.string(), text_in(read_left(folder / "sweep.json"), "name"), {}, {}, {}, {}, {}};
  line.status = fmt::format("{}/{} jobs", std::ranges::count_if(jobs, &JobLine::is_done), jobs.size());
  for (const std::string_view key : kMetrics) line.metrics.emplace_back(key, std::nullopt);
  return line;
}

// Something in the folder that is damaged takes its own line, not the others.
RunLine line_of(const fs::path& folder) {
  try {
    return is_sweep_folder(folder) ? line_of_sweep(folder) : line_of_run(folder);
  } catch (const Error&) {
    RunLine line{folder.string(), {}, "damaged", {}, {}, {}, {}};
    for (const std::string_view key : kMetrics) line.metrics.emplace_back(key, std::nullopt);
    return line;
  }
}

std::vector<RunLine> lines_in(const fs::path& folder) {
  require(fs::is_directory(folder), "{}: there is no such folder", folder.string());
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(is_sweep_folder(folder) ? folder / "runs" : folder))
    if (is_sweep_folder(entry.path()) || fs::is_regular_file(entry.path() / "config.json")) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<RunLine> lines;
  for (const fs::path& path : paths) lines.push_back(line_of(path));
  return lines;
}

// Words upwards, metrics from the better to the worse, what is not there last.
void sort_by(std::vector<RunLine>& lines, const std::string& key) {
  struct TextKey {
    std::string_view name;
    std::string RunLine::*text;
  };
  constexpr TextKey kTexts[] = {
      {"run", &RunLine::run}, {"name", &RunLine::name}, {"status", &RunLine::status}, {"started", &RunLine::started}};
  std::vector<std::string> known;
  for (const TextKey& text : kTexts) {
    if (text.name == key) return std::ranges::stable_sort(lines, {}, text.text), void();
    known.emplace_back(text.name);
  }
  known.insert(known.end(), std::begin(kMetrics), std::end(kMetrics));
  const auto place = std::ranges::find(kMetrics, key);
  require(place != std::end(kMetrics), "--sort: there is no column \"{}\"{}", key, suggestion(key, known));
  const size_t i = static_cast<size_t>(place - std::begin(kMetrics));
  const double sign = find_column(key).better == Better::higher ? -1 : 1;
  std::ranges::stable_sort(lines, {}, [&](const RunLine& line) {
    const auto& value = line.metrics[i].second;
    return std::pair(!value.has_value(), sign * value.value_or(0));
  });
}

std::string list_text(const std::vector<RunLine>& lines) {
  Cells cells{{"run", "status", "epochs", "seed"}};
  for (const std::string_view key : kMetrics) cells[0].emplace_back(find_column(std::string(key)).heading);
  cells[0].push_back("started");
  for (const RunLine& line : lines) {
    std::vector<std::string>& row = cells.emplace_back();
    row = {line.run, line.status, line.epochs ? std::to_string(*line.epochs) : "-", line.seed ? std::to_string(*line.seed) : "-"};
    for (const auto& [key, value] : line.metrics) row.push_back(value ? number_text(*value, find_column(key).unit) : "-");
    row.push_back(line.started);
  }
  return table_text(cells);
}

}  // namespace

int command::runs(const Arguments& arguments) {
  const Console console(arguments);
  const std::string folder = arguments.has("DIR") ? arguments.text("DIR") : "runs";
  RunList list{.runs = lines_in(folder)};
  sort_by(list.runs, arguments.has("sort") ? arguments.text("sort") : "started");
  if (list.runs.empty()) console.say("{}: holds no runs", folder);
  if (!list.runs.empty()) console.print("{}", list_text(list.runs));
  console.json(write(list));
  return 0;
}

}  // namespace lp
