// Laying out a table of runs.
#include "lptrain/app/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lptrain/base/text.h"

namespace lp {
namespace {

using Texts = std::vector<std::string>;

bool has(const Texts& list, const std::string& text) { return std::ranges::find(list, text) != list.end(); }

void add_new(Texts& list, const std::string& text) {
  if (!has(list, text)) list.push_back(text);
}

bool is_lone(const RunRecord& run) { return !run.labels.empty() && run.labels[0].first == "run"; }

Texts lone_rows(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::set<std::string>> names;  // by formats
  for (const RunRecord& run : runs) names[label_of(run, kFormatsAxis)].insert(run.labels[0].second);
  if (names.size() == 1) return {"run"};
  const bool tell_apart = std::ranges::all_of(names, [](const auto& n) { return n.second.size() == 1; });
  return tell_apart ? Texts{kFormatsAxis} : Texts{"run", kFormatsAxis};
}

// The axes of the runs that neither rows nor columns name become rows, before the others.
Texts all_rows(const std::vector<RunRecord>& runs, const TableLayout& layout) {
  Texts rows;
  for (const RunRecord& run : runs)
    for (const auto& label : run.labels)
      if (!has(layout.rows, label.first) && !has(layout.columns, label.first) && !is_lone(run)) add_new(rows, label.first);
  for (const std::string& axis : layout.rows) add_new(rows, axis);
  if (!rows.empty() || !layout.columns.empty()) return rows;
  if (std::ranges::all_of(runs, is_lone)) return lone_rows(runs);
  for (const auto& label : runs[0].labels) add_new(rows, label.first);
  return rows;
}

std::vector<const TableColumn*> metrics_of(const std::vector<RunRecord>& runs, const TableLayout& layout) {
  std::vector<const TableColumn*> metrics;
  for (const std::string& key : layout.metrics) metrics.push_back(&find_column(key));
  if (!metrics.empty()) return metrics;
  if (!layout.columns.empty()) return {&find_column("accuracy")};
  for (const TableColumn& column : table_columns())
    if (column.is_usual &&
        std::ranges::any_of(runs, [&](const RunRecord& run) { return value_in(run.summary, column).has_value(); }))
      metrics.push_back(&column);
  return metrics;
}

// The parts of labels from `first` on, each once, sorted axis by axis in the order in which points appear.
std::vector<Texts> parts(const std::vector<Texts>& labels, size_t first, size_t count) {
  std::vector<std::map<std::string, size_t>> ranks(count);
  std::map<std::vector<size_t>, Texts> sorted;
  for (const Texts& all : labels) {
    std::vector<size_t> rank;
    for (size_t i = 0; i < count; ++i) rank.push_back(ranks[i].emplace(all[first + i], ranks[i].size()).first->second);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    sorted.emplace(rank, Texts(begin, begin + static_cast<std::ptrdiff_t>(count)));
  }
  std::vector<Texts> unique;
  for (auto& [rank, part] : sorted) unique.push_back(std::move(part));
  return unique;
}

Texts troubles_of(const RunGroups& groups, const Texts& labels) {
  Texts troubles;
  for (const auto& [seed, run] : groups.runs(labels))
    if (run->status != "finished") troubles.push_back(fmt::format("{} seed {}: {}", join(labels, " "), seed, run->status));
  return troubles;
}

// ---- Notes

std::string seeds_note(const RunGroups& groups) {
  std::set<int64_t> seeds;
  size_t least = SIZE_MAX, most = 0;
  for (const Texts& labels : groups.labels()) {
    size_t count = 0;
    for (const auto& [seed, run] : groups.runs(labels))
      if (run->status == "finished") seeds.insert(seed), ++count;
    least = std::min(least, count);
    most = std::max(most, count);
  }
  Texts names;
  for (const int64_t seed : seeds) names.push_back(std::to_string(seed));
  if (most < 2) return fmt::format("1 seed ({}): deviations are not known", join(names, " "));
  return fmt::format("{} seeds ({}): mean ± sample deviation",
                     least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most), join(names, " "));
}

std::string difference_note(const RunGroups& groups, const std::string& baseline) {
  constexpr double kPoints = 0.1;
  double squares = 0, degrees = 0;
  int64_t found = 0;
  for (const Texts& labels : groups.labels()) {
    const Estimate e = groups.estimate(labels, find_column("difference"));
    found += e.count > 0;
    if (e.count < 2) continue;
    squares += static_cast<double>(e.count - 1) * e.deviation * e.deviation;
    degrees += static_cast<double>(e.count - 1);
  }
  if (found == 0) return "";
  const std::string what =
      fmt::format("difference: to {}, paired by seed, with its 95 % confidence interval (Student's t)", baseline);
  if (degrees == 0) return what + "; one seed cannot tell how many would be needed to see 0.1 points";
  const double deviation = std::sqrt(squares / degrees);
  return fmt::format(
      "{}; to see a difference of {} points (at 95 %, with power 80 %) would need {} seeds: differences deviate by {:.2f}", what,
      kPoints, seeds_needed(deviation, kPoints), deviation);
}

std::string versions_note(const std::vector<RunRecord>& runs) {
  const Versions versions = versions_of(runs);
  return versions.size() > 1 ? fmt::format("made by different versions: {}", versions_text(versions)) : "";
}

Texts notes_of(const Table& table, const std::vector<RunRecord>& runs, const RunGroups& groups) {
  Texts notes{seeds_note(groups)}, troubles;
  for (const TableHead& head : table.heads)
    if (!head.column->doc.empty()) add_new(notes, std::string(head.column->doc));
  for (const std::string& note : {difference_note(groups, table.baseline), versions_note(runs)})
    if (!note.empty()) notes.push_back(note);
  for (const TableRow& row : table.rows)
    for (const TableCell& cell : row.cells)
      for (const std::string& trouble : cell.troubles) add_new(troubles, trouble);
  if (!troubles.empty()) notes.push_back(fmt::format("not finished: {}", join(troubles, "; ")));
  return notes;
}

}  // namespace

Table table_of(const std::vector<RunRecord>& runs, const TableLayout& layout) {
  require(!runs.empty(), "there are no runs to make a table of");
  Table table{all_rows(runs, layout), layout.columns, layout.baseline, {}, {}, {}};
  for (const std::string& axis : table.row_axes) require(!has(table.column_axes, axis), "{}: is both a row and a column", axis);
  Texts axes = table.row_axes;
  axes.insert(axes.end(), layout.columns.begin(), layout.columns.end());
  if (has(axes, kFormatsAxis) && table.baseline == TableLayout{}.baseline) table.baseline = "f32/f32";
  const RunGroups groups(runs, axes, table.baseline);
  const std::vector<const TableColumn*> metrics = metrics_of(runs, layout);
  for (const Texts& labels : parts(groups.labels(), table.row_axes.size(), layout.columns.size()))
    for (const TableColumn* column : metrics) table.heads.push_back({labels, column});
  for (const Texts& labels : parts(groups.labels(), 0, table.row_axes.size())) {
    TableRow& row = table.rows.emplace_back(TableRow{labels, {}});
    for (const TableHead& head : table.heads) {
      Texts all = labels;
      all.insert(all.end(), head.labels.begin(), head.labels.end());
      row.cells.push_back({groups.estimate(all, *head.column), troubles_of(groups, all)});
    }
  }
  table.notes = notes_of(table, runs, groups);
  return table;
}

}  // namespace lp
