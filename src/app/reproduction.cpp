// Judging what a sweep reached.
#include "lptrain/app/reproduction.h"

#include <algorithm>

#include "lptrain/app/sweep_folder.h"
#include "lptrain/app/table.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"

namespace lp {
namespace {

using Texts = std::vector<std::string>;

bool is_meant(const Published& published, const Texts& axes, const Texts& labels) {
  return std::ranges::all_of(published.where, [&](const auto& condition) {
    const auto axis = std::ranges::find(axes, condition.first);
    return axis != axes.end() && matches(condition.second, labels[static_cast<size_t>(axis - axes.begin())]);
  });
}

Verdict verdict_on(const Estimate& ours, double least, double most) {
  const double low = ours.count > 1 ? ours.low : ours.mean, high = ours.count > 1 ? ours.high : ours.mean;
  if (low >= least && high <= most) return Verdict::pass;
  return high < least || low > most ? Verdict::missed : Verdict::undecided;
}

ReproducedCell judged(const Published& p, const Texts& labels, const RunGroups& groups) {
  ReproducedCell cell{labels, p.metric, p.value, p.deviation, groups.estimate(labels, find_column(p.metric)), {}, {},
                      {},     p.source, p.note,  p.recalled};
  if (p.band) {
    cell.low = p.value.value_or(0) + (*p.band)[0];
    cell.high = p.value.value_or(0) + (*p.band)[1];
  }
  if (cell.ours.count == 0)
    cell.verdict = Verdict::not_run;
  else if (p.band)
    cell.verdict = verdict_on(cell.ours, *cell.low, *cell.high);
  else
    cell.verdict = Verdict::not_judged;
  return cell;
}

std::string theirs_text(const ReproducedCell& cell) {
  if (!cell.value) return cell.note.empty() ? "-" : cell.note;
  const std::string text = number_text(*cell.value, find_column(cell.metric).unit) + (cell.recalled ? "†" : "");
  return cell.deviation      ? fmt::format("{} ± {:.2f}", text, *cell.deviation)
         : cell.note.empty() ? text
                             : fmt::format("{} ({})", text, cell.note);
}

std::string band_text(const ReproducedCell& cell) { return cell.low ? fmt::format("{:g}..{:g}", *cell.low, *cell.high) : "-"; }

// What is undecided is shown with its interval; differences show theirs in any case.
std::string verdict_text(const ReproducedCell& cell) {
  const std::string word(word_of(cell.verdict));
  const TableColumn& column = find_column(cell.metric);
  if (cell.verdict != Verdict::undecided || column.shown == Shown::difference) return word;
  return fmt::format("{} [{}, {}]", word, number_text(cell.ours.low, column.unit), number_text(cell.ours.high, column.unit));
}

Texts sources_of(const std::vector<ReproducedCell>& cells) {
  Texts sources;
  for (const ReproducedCell& cell : cells)
    if (!cell.source.empty() && std::ranges::find(sources, cell.source) == sources.end()) sources.push_back(cell.source);
  return sources;
}

}  // namespace

void ReproducedCell::fields(Fields& f) {
  f("labels", labels, "one of each axis");
  f("metric", metric, "column of the table");
  f("value", value, "published");
  f("deviation", deviation, "published");
  std::optional<double> mean;
  if (ours.count > 0) mean = ours.mean;
  f("ours", mean, "mean over seeds");
  f("seeds", ours.count, "of ours");
  std::optional<double> least, most;
  if (ours.count > 1) least = ours.low, most = ours.high;
  f("ours_low", least, "of the 95 % confidence interval of ours");
  f("ours_high", most, "of the 95 % confidence interval of ours");
  f("low", low, "least that passes");
  f("high", high, "most that passes");
  f("verdict", verdict, "pass, missed, undecided, not run or not judged");
  f("source", source, "of the published value");
  f("note", note, "for people");
  f("recalled", recalled, "from memory, not verified");
}

int64_t Reproduction::count(Verdict verdict) const { return std::ranges::count(cells, verdict, &ReproducedCell::verdict); }

std::string Reproduction::sentence() const {
  std::string text = fmt::format("{} of {} values are within their bands", count(Verdict::pass), cells.size());
  for (const Verdict v : {Verdict::missed, Verdict::undecided, Verdict::not_run, Verdict::not_judged})
    if (count(v) > 0) text += fmt::format(", {} {}", count(v), word_of(v));
  return text;
}

Cells Reproduction::table() const {
  Cells table{axes};
  table[0].insert(table[0].end(), {"metric", "theirs", "ours", "band", "verdict"});
  for (const ReproducedCell& cell : cells) {
    const TableColumn& column = find_column(cell.metric);
    Texts& row = table.emplace_back(cell.labels);
    row.insert(row.end(), {std::string(column.heading), theirs_text(cell), estimate_text(cell.ours, column), band_text(cell),
                           verdict_text(cell)});
  }
  return table;
}

Texts Reproduction::notes() const {
  Texts notes{fmt::format("{}. Source: {}.", sentence(), join(sources_of(cells), "; "))};
  if (count(Verdict::undecided) > 0)
    notes.emplace_back("undecided: the 95 % confidence interval of ours crosses an edge of the band; more seeds would tell.");
  if (std::ranges::any_of(cells, &ReproducedCell::recalled)) notes.emplace_back("† recalled, unverified.");
  return notes;
}

std::string Reproduction::text() const {
  const Cells rows = table();
  const auto escaped = [](Texts texts) {
    std::ranges::transform(texts, texts.begin(), markdown_text);
    return texts;
  };
  const auto line = [&](const Texts& row) { return "| " + join(escaped(row), " | ") + " |\n"; };
  std::string text = line(rows[0]);
  for (size_t i = 0; i < rows[0].size(); ++i) text += "|:---";
  text += "|\n";
  for (size_t i = 1; i < rows.size(); ++i) text += line(rows[i]);
  return text + "\n" + join(escaped(notes()), "\n") + "\n";
}

Reproduction reproduce(const SweepSpec& spec, const RunGroups& groups) {
  Reproduction made{groups.axes(), {}};
  for (const Published& p : spec.published)
    for (const Texts& labels : groups.labels()) {
      const bool is_own_baseline =
          find_column(p.metric).shown == Shown::difference && std::ranges::find(labels, spec.baseline) != labels.end();
      if (is_meant(p, groups.axes(), labels) && !is_own_baseline) made.cells.push_back(judged(p, labels, groups));
    }
  return made;
}

Reproduction reproduction_of(const SweepSpec& spec, const std::vector<RunRecord>& runs) {
  Texts axes;
  for (const auto& axis : spec.vary) axes.push_back(axis.first);
  return reproduce(spec, RunGroups(runs, axes, spec.baseline));
}

std::string Provenance::text(std::string_view before) const {
  std::string text;
  for (const auto& [name, value] :
       {std::pair{"command", command}, {"version", version}, {"machine", cpu}, {"date", date}, {"time", time}})
    if (!value.empty()) text += fmt::format("{}{}: {}\n", before, name, value);
  return text;
}

Provenance provenance_of(const std::vector<RunRecord>& runs, const std::vector<std::string>& command, const std::string& time) {
  const Versions versions = versions_of(runs);
  Provenance p{"lptrain " + shell_text(command), versions.empty() ? own_version() : versions_text(versions), {}, {}, time};
  for (const RunRecord& run : runs) {
    const std::filesystem::path file = run.folder / "meta.json";
    if (!std::filesystem::exists(file)) continue;
    const Document meta = read_left(file);
    const auto text = [&](const char* key) { return meta.has(key) ? meta.text_at(key) : ""; };
    if (p.date.empty() || text("started") > p.date)
      p.date = text("started"), p.cpu = fmt::format("{}, {} threads a run", text("cpu"), text("threads"));
  }
  return p;
}

}  // namespace lp
