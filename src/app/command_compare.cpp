// lptrain compare: in what two runs differ, and what came of it.
#include "lptrain/app/config_values.h"
#include "lptrain/app/console.h"
#include "lptrain/app/table_columns.h"
#include "lptrain/base/undamaged.h"
#include "rows.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

struct MetricChange {
  std::string metric, verdict;  // better, worse or same, if one is better than the other
  std::optional<double> before, after;
  void fields(Fields& f) {
    f("metric", metric, "a column of `table`");
    f("before", before, "of the first run, in the column's unit");
    f("after", after, "of the second run");
    f("verdict", verdict, "of the second run: better, worse, same, or nothing if neither is better");
  }
};

struct Comparison {
  std::string status = "finished";
  std::vector<ConfigChange> config, circumstances;
  std::vector<MetricChange> metrics;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("config", config, "values that differ");
    f("circumstances", circumstances, "version, machine and data, where they differ");
    f("metrics", metrics, "that either run has");
  }
};

Document part_of(const std::string& run, const char* file) {
  require(fs::is_regular_file(fs::path(run) / "config.json"), "{}: is no run folder", run);
  return fs::exists(fs::path(run) / file) ? read_left(fs::path(run) / file) : Document();
}

// What does not make runs different: when and how they were called.
Document circumstances_of(const std::string& run) {
  Document meta = part_of(run, "meta.json");
  for (const char* key : {"started", "command", "seed"}) meta.erase(key);
  return meta;
}

std::string verdict_on(const MetricChange& change, Better better) {
  if (!change.before || !change.after || better == Better::neither) return "";
  if (*change.before == *change.after) return "same";
  return (*change.after > *change.before) == (better == Better::higher) ? "better" : "worse";
}

std::vector<MetricChange> metrics_of(const Document& a, const Document& b) {
  std::vector<MetricChange> changes;
  for (const TableColumn& column : table_columns()) {
    if (column.shown == Shown::difference || !column.is_usual) continue;
    MetricChange change{std::string(column.key), {}, value_in(a, column), value_in(b, column)};
    change.verdict = verdict_on(change, column.better);
    if (change.before || change.after) changes.push_back(std::move(change));
  }
  return changes;
}

std::string changes_text(const std::vector<ConfigChange>& changes, const char* none) {
  if (changes.empty()) return none;
  Cells cells{{"", "first", "second"}};
  for (const ConfigChange& c : changes)
    cells.push_back({c.path, c.before.empty() ? "(absent)" : c.before, c.after.empty() ? "(absent)" : c.after});
  return table_text(cells);
}

std::string metrics_text(const std::vector<MetricChange>& changes) {
  Cells cells{{"", "first", "second", ""}};
  for (const MetricChange& c : changes) {
    const TableColumn& column = find_column(c.metric);
    const auto text = [&](const std::optional<double>& value) { return value ? number_text(*value, column.unit) : "-"; };
    cells.push_back({std::string(column.heading), text(c.before), text(c.after), c.verdict});
  }
  return table_text(cells);
}

}  // namespace

int command::compare(const Arguments& arguments) {
  const Console console(arguments);
  const std::string &a = arguments.text("A"), &b = arguments.text("B");
  const Comparison found{.config = changes_between(part_of(a, "config.json"), part_of(b, "config.json")),
                         .circumstances = changes_between(circumstances_of(a), circumstances_of(b)),
                         .metrics = metrics_of(part_of(a, "summary.json"), part_of(b, "summary.json"))};
  console.print("first   {}\nsecond  {}\n\nconfig\n{}", a, b, changes_text(found.config, "no value differs"));
  if (!found.circumstances.empty()) console.print("\ncircumstances\n{}", changes_text(found.circumstances, ""));
  console.print("\nresults\n{}", metrics_text(found.metrics));
  console.json(write(found));
  return 0;
}

}  // namespace lp
