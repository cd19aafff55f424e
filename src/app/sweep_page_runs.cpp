// What the runs of a sweep were: how they learned, on which data and machine, by which command.
#include <algorithm>
#include <map>

#include "lptrain/app/html.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/train/curve.h"
#include "run_page_parts.h"
#include "sweep_page_parts.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostUnfolded = 12;  // curves
constexpr double kWidth = 260, kHeight = 170;

using History = std::vector<EpochScores>;

std::string points_text(const RunRecord& run) {
  std::vector<std::string> points;
  for (const auto& [axis, point] : run.labels) points.push_back(point);
  return join(points, " ");
}

std::vector<PlotPoint> validation_of(const History& history) {
  std::vector<PlotPoint> points;
  for (const EpochScores& e : history)
    points.push_back({static_cast<double>(points.size() + 1), e.validation.examples > 0 ? e.validation.accuracy : NAN});
  return points;
}

// ---- Learning curves: one picture for each group of runs that differ in their seeds, all on the same axis

struct Curves {
  std::vector<std::string> names;
  std::map<std::string, std::vector<History>> histories;
  std::vector<double> accuracies;
};

Curves curves_of(const Study& study) {
  Curves curves;
  for (const RunRecord& run : study.runs) {
    if (run.status != "finished") continue;
    const std::string name = points_text(run);
    if (!curves.histories.contains(name)) curves.names.push_back(name);
    const History& history = curves.histories[name].emplace_back(read_metrics(run.folder));
    for (const EpochScores& e : history)
      if (e.validation.examples > 0) curves.accuracies.push_back(e.validation.accuracy);
  }
  return curves;
}

std::string curve_figure(const std::string& name, const std::vector<History>& histories, std::span<const double> accuracies) {
  size_t epochs = 1;
  for (const History& history : histories) epochs = std::max(epochs, history.size());
  PlotAxis axis = epoch_axis(epochs);
  axis.name = "";
  Plot plot(kWidth, kHeight, axis, linear_axis("", accuracies, "%", 4));
  for (const History& history : histories) plot.line(validation_of(history), 0, Plot::Stroke::solid, false);
  return html::figure(plot.svg(name + ": validation accuracy over epochs", "wide"), name);
}

// ---- Data

// A data set as its card tells it, with the sizes that a run saw.
DataFacts facts_of(const Document& dataset, const RunRecord& run, const Document& meta) {
  DataFacts facts;
  facts.name = meta.has("dataset") ? meta.text_at("dataset") : "";
  try {
    DatasetSpec spec;
    read(dataset, spec);
    facts = facts_of(card_of(spec, data_folders()), data_folders());
  } catch (const Error&) {  // the card is not here: its name remains
  }
  if (meta.has("data_digest")) facts.digest = meta.text_at("data_digest");
  const History history = read_metrics(run.folder);
  if (history.empty()) return facts;
  facts.train.examples = history.back().train.examples;
  facts.validation.examples = history.back().validation.examples;
  if (run.summary.has("test.examples")) facts.test.examples = std::atoll(run.summary.text_at("test.examples").c_str());
  return facts;
}

// meta.json of the runs that have one.
std::vector<Document> metas_of(const Study& study) {
  std::vector<Document> metas;
  for (const RunRecord& run : study.runs)
    if (const fs::path file = run.folder / "meta.json"; fs::is_regular_file(file)) metas.push_back(read_left(file));
  return metas;
}

// ---- How to repeat it

std::string commands_of(const Study& study, const fs::path& folder) {
  if (study.source.empty()) return "";
  std::string begun;
  std::string threads;
  if (fs::is_regular_file(folder / "meta.json")) {
    const SweepMeta meta = read_meta(folder);
    begun = fmt::format("# as it was begun\n{}\n# the same again\n", command_text(meta.command));
    threads = fmt::format(" --threads {}", meta.threads);
  }
  return html::code(begun + "lptrain sweep " + shell_text({(folder / "sweep.json").string()}) + threads + " --out again");
}

std::string run_list(const Study& study, const fs::path& folder) {
  std::string list;
  for (const RunRecord& run : study.runs) {
    const std::string name = escaped(fmt::format("{}, seed {}", points_text(run), run.seed));
    const std::string file = fs::relative(run.folder, folder).string() + "/report.html";
    const bool has_report = fs::exists(run.folder / "report.html");
    list += has_report ? fmt::format("<li><a href=\"{}\">{}</a>", escaped(file), name) : fmt::format("<li>{}", name);
    list += run.status == "finished" ? "</li>\n" : fmt::format(" ({})</li>\n", escaped(run.status));
  }
  return html::folded(fmt::format("All {} runs", study.runs.size()), fmt::format("<ul class=\"note\">\n{}</ul>\n", list));
}

}  // namespace

std::string curves_section(const Study& study) {
  const Curves curves = curves_of(study);
  if (curves.accuracies.empty()) return "";
  std::string first, rest;
  for (size_t i = 0; i < curves.names.size(); ++i)
    (i < kMostUnfolded ? first : rest) += curve_figure(curves.names[i], curves.histories.at(curves.names[i]), curves.accuracies);
  std::string body = html::gallery(first);
  if (!rest.empty()) body += html::folded(fmt::format("{} more", curves.names.size() - kMostUnfolded), html::gallery(rest));
  return html::section("How they learned", "Validation accuracy over epochs, a line for each seed, all on one scale.", body);
}

std::string sets_section(const Study& study) {
  std::vector<std::string> seen;
  std::vector<DataFacts> sets;
  for (const RunRecord& run : study.runs) {
    const fs::path config = run.folder / "config.json", meta = run.folder / "meta.json";
    if (run.status != "finished" || !fs::is_regular_file(config) || !fs::is_regular_file(meta)) continue;
    const Document whole = read_left(config);
    const std::string text = whole.has("dataset") ? whole.at("dataset").dump(0) : "";
    if (text.empty() || std::ranges::find(seen, text) != seen.end()) continue;
    seen.push_back(text);
    sets.push_back(facts_of(whole.at("dataset"), run, read_left(meta)));
  }
  return sets.empty() ? "" : data_section(sets);
}

std::string repeat_section(const Study& study, const fs::path& folder) {
  const std::vector<Document> metas = metas_of(study);
  const std::string whole = study.source.empty() ? "" : html::folded("The whole sweep", html::code(study.source));
  return html::section(
      "How to repeat it", "Each run folder repeats itself: its config.json is a whole experiment.",
      commands_of(study, folder) + (metas.empty() ? "" : environment_facts(metas)) + whole + run_list(study, folder));
}

}  // namespace lp
