// Reading, grouping and measuring several runs.
#include "sweep_study.h"

#include <algorithm>
#include <set>

#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/sweep_page.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

namespace fs = std::filesystem;
using Labels = std::vector<std::string>;

std::vector<std::string> run_folders(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (fs::is_regular_file(entry.path() / "config.json", error)) found.push_back(entry.path().string());
  std::ranges::sort(found);
  return found;
}

// Runs of one name and seed are told apart by their folders.
void tell_apart(std::vector<RunRecord>& runs) {
  std::set<std::pair<std::string, int64_t>> seen;
  bool are_twins = false;
  for (const RunRecord& run : runs) are_twins |= !seen.emplace(run.labels[0].second, run.seed).second;
  for (RunRecord& run : runs)
    if (are_twins) run.labels[0].second = run.folder.filename().string();
}

Measured measured(const RunGroups& groups, const Labels& labels, std::string name) {
  const auto mean_of = [&](const char* key) {
    const Estimate e = groups.estimate(labels, find_column(key));
    return e.count ? e.mean : NAN;
  };
  const Estimate accuracy = groups.estimate(labels, find_column("accuracy"));
  Measured m{std::move(name),
             mean_of("accuracy") / 100,
             0,
             mean_of("bits_per_weight"),
             mean_of("packed_bytes"),
             mean_of("bit_operations"),
             accuracy.count};
  if (accuracy.count > 1) m.deviation = accuracy.deviation / 100;
  return m;
}

std::vector<Series> series_of(const Study& study) {
  const Table& t = study.chapters[0].table;
  std::vector<std::string> axes = t.row_axes;
  axes.insert(axes.end(), t.column_axes.begin(), t.column_axes.end());
  const RunGroups groups(study.runs, axes, study.baseline);
  std::vector<Series> all;
  for (const Labels& labels : groups.labels()) {
    const auto border = labels.begin() + static_cast<std::ptrdiff_t>(t.row_axes.size());
    const std::string column = join(Labels(border, labels.end()), " ");
    auto series = std::ranges::find(all, column, &Series::name);
    if (series == all.end()) series = all.insert(all.end(), {column, {}});
    series->members.push_back(measured(groups, labels, join(Labels(labels.begin(), border), " ")));
  }
  return all;
}

// Columns that are of interest beside accuracies, as far as any run has them.
std::vector<std::string> costs_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys;
  for (const TableColumn& column : table_columns()) {
    const bool is_score = column.path.ends_with("accuracy");
    const auto has_it = [&](const RunRecord& run) { return value_in(run.summary, column).has_value(); };
    if (column.is_usual && !is_score && std::ranges::any_of(runs, has_it)) keys.emplace_back(column.key);
  }
  return keys;
}

std::vector<Chapter> chapters_of(const std::vector<RunRecord>& runs, const TableLayout& layout) {
  const auto with = [&](std::vector<std::string> metrics) {
    return table_of(runs, {layout.rows, layout.columns, std::move(metrics), layout.baseline});
  };
  const auto is_empty = [](const Table& table) {
    return std::ranges::all_of(table.rows, [](const TableRow& row) {
      return std::ranges::all_of(row.cells, [](const TableCell& cell) { return cell.estimate.count == 0; });
    });
  };
  std::vector<Chapter> chapters;
  if (layout.columns.empty()) {
    chapters.push_back({"Results", with({"accuracy", "last", "difference"})});
  } else {
    chapters.push_back({"Test accuracy, %", with({"accuracy"})});
    chapters.push_back({fmt::format("Difference to {}, points", layout.baseline), with({"difference"})});
    if (is_empty(chapters.back().table)) chapters.pop_back();
  }
  TableLayout costs{chapters[0].table.row_axes, {}, costs_of(runs), layout.baseline};
  costs.rows.insert(costs.rows.end(), layout.columns.begin(), layout.columns.end());
  if (!costs.metrics.empty()) chapters.push_back({"What it costs", table_of(runs, costs)});
  return chapters;
}

}  // namespace

bool holds_runs(const fs::path& folder) { return is_sweep_folder(folder) || !run_folders(folder).empty(); }

Study study_of(const fs::path& folder) {
  Study s;
  s.name = fs::absolute(folder).lexically_normal().filename().string();
  TableLayout layout;
  if (is_sweep_folder(folder)) {
    const SweepSpec spec = read_sweep_of(folder);
    s.name = spec.name;
    s.description = spec.description;
    s.discussion = spec.discussion;
    s.source = write(spec, true).dump();
    s.runs = read_records({folder.string()});
    s.reproduction = reproduction_of(spec, s.runs);
    layout.rows = spec.rows, layout.columns = spec.columns, layout.baseline = spec.baseline;
  } else {
    s.runs = read_records(run_folders(folder));
    tell_apart(s.runs);
  }
  if (std::ranges::none_of(s.runs, [](const RunRecord& run) { return run.status == "finished"; }))
    fail(ErrorKind::data, "{}: no run is finished yet", folder.string());
  s.chapters = chapters_of(s.runs, layout);
  if (!s.chapters.empty()) s.baseline = s.chapters.front().table.baseline;
  s.series = series_of(s);
  return s;
}

}  // namespace lp
