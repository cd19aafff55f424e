// Drawing and wording several runs.
#include "lptrain/app/sweep_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "lptrain/app/html.h"
#include "lptrain/app/scores.h"
#include "lptrain/base/plot.h"
#include "lptrain/base/text.h"
#include "lptrain/base/version.h"
#include "sweep_page_parts.h"
#include "table_parts.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

constexpr double kNear = 1;           // points of accuracy that count as hardly any loss
constexpr double kCrowded = 8;        // points of accuracy between the best and the worst, above which the best are shown apart
constexpr size_t kMany = 12;          // points, whose names need room
constexpr size_t kMostSentences = 3;  // series that the verdict speaks of

// ---- Pictures

std::string accuracy_text(const Measured& m) {
  if (m.deviation == 0) return percent(m.accuracy);
  return fmt::format("{:.2f} ± {}", 100 * m.accuracy, percent(m.deviation));
}

std::vector<PlotPoint> points_of(const Series& series, double Measured::*x) {
  std::vector<PlotPoint> points;
  for (const Measured& m : series.members)
    if (std::isfinite(m.accuracy) && m.*x > 0)
      points.push_back({m.*x, m.accuracy, m.deviation, fmt::format("{}: {}", m.name, accuracy_text(m)), m.name});
  std::ranges::stable_sort(points, {}, &PlotPoint::x);
  return points;
}

// Those that no other beats: nothing as cheap is better.
std::vector<PlotPoint> front_of(const std::vector<PlotPoint>& points) {
  std::vector<PlotPoint> front;
  for (const PlotPoint& p : points) {
    const auto beats = [&p](const PlotPoint& o) { return o.x <= p.x && o.y >= p.y && (o.x < p.x || o.y > p.y); };
    if (std::ranges::none_of(points, beats)) front.push_back({p.x, p.y});
  }
  return front;
}

struct Cost {
  double Measured::*value;
  const char* name;
  PlotAxis (*axis)(std::string, std::span<const double>, std::function<std::string(double)>);
  std::string (*label)(double);
};
std::string bits_label(double v) { return fmt::format("{:g}", v); }
std::string bytes_label(double v) { return human_bytes(std::llround(v)); }
constexpr Cost kBits{&Measured::bits, "bits a weight", log2_axis, bits_label};
constexpr Cost kBytes{&Measured::bytes, "packed file", log10_axis, bytes_label};
constexpr Cost kOperations{&Measured::operations, "bit-operations an example", log10_axis, human_count};

// Accuracies below `least` are left out. Nothing, if none is left.
std::optional<Plot> cost_plot(const Study& study, const Cost& cost, const char* title, double least) {
  std::vector<double> xs, ys;
  std::vector<std::vector<PlotPoint>> all;
  for (const Series& series : study.series) {
    all.push_back(points_of(series, cost.value));
    std::erase_if(all.back(), [&](const PlotPoint& p) { return p.y < least; });
    for (const PlotPoint& p : all.back()) {
      xs.push_back(p.x);
      ys.insert(ys.end(), {std::max(p.y - p.error, least), std::min(p.y + p.error, 1.0)});
    }
  }
  if (xs.empty()) return {};
  const double height = xs.size() > kMany ? 420 : 320;
  Plot plot(500, height, cost.axis(cost.name, xs, cost.label), linear_axis(title, ys, "%"));
  for (size_t i = 0; i < all.size(); ++i) {
    plot.line(front_of(all[i]), static_cast<int>(i), Plot::Stroke::steps, false);
    plot.line(all[i], static_cast<int>(i), Plot::Stroke::none);
    if (study.series.size() > 1) plot.legend(study.series[i].name, static_cast<int>(i), Plot::Stroke::none);
  }
  return plot;
}

std::string cost_figure(const Study& study, const Cost& cost, const char* title, double least = 0) {
  const std::optional<Plot> plot = cost_plot(study, cost, title, least);
  return plot ? html::figure(plot->svg(fmt::format("{} over {}", title, cost.name), "wide")) : "";
}

std::string pictures(const Study& study) {
  double best = 0, worst = 1;
  for (const Series& series : study.series)
    for (const Measured& m : series.members)
      if (std::isfinite(m.accuracy)) best = std::max(best, m.accuracy), worst = std::min(worst, m.accuracy);
  std::string bits = cost_figure(study, kBits, "test accuracy");
  if (best - worst > kCrowded / 100) bits += cost_figure(study, kBits, "test accuracy, the best", best - kCrowded / 2 / 100);
  const std::string fronts = cost_figure(study, kBytes, "test accuracy") + cost_figure(study, kOperations, "test accuracy");
  return html::section(
             "Accuracy against bits",
             "Of the epoch that validation selects: mean over seeds, bars of one sample deviation. Steps join what no other is "
             "both as narrow as and better than.",
             bits.empty() ? "" : html::columns(bits)) +
         html::section(
             "What it takes",
             "The same against the size of the packed weights, and against multiplications times the bits of both operands.",
             fronts.empty() ? "" : html::columns(fronts));
}

// ---- Words

// The cheapest that loses hardly anything against the baseline, or against the best if there is no baseline.
std::string sentence(const Series& series, const std::string& baseline) {
  const Measured* reference = nullptr;
  for (const Measured& m : series.members)
    if (std::isfinite(m.accuracy) &&
        (m.name == baseline || !reference || (reference->name != baseline && m.accuracy > reference->accuracy)))
      reference = &m;
  if (!reference) return "";
  const Measured* narrowest = reference;
  for (const Measured& m : series.members)
    if (m.accuracy >= reference->accuracy - kNear / 100 && m.bits < narrowest->bits) narrowest = &m;
  const std::string on = series.name.empty() ? "" : fmt::format("on {}, ", series.name);
  const std::string bits = fmt::format("{:.3g} {} a weight", narrowest->bits, narrowest->bits == 1 ? "bit" : "bits");
  return capitalized(on + (narrowest == reference
                               ? fmt::format("nothing narrower comes within {:g} point of {} ({}). ", kNear, reference->name,
                                             accuracy_text(*reference))
                               : fmt::format("the narrowest within {:g} point of {} ({} with {:.3g}) is {}: {} with {}. ", kNear,
                                             reference->name, accuracy_text(*reference), reference->bits, narrowest->name,
                                             accuracy_text(*narrowest), bits)));
}

std::string verdict(const Study& study) {
  std::string text;
  for (size_t i = 0; i < std::min(study.series.size(), kMostSentences); ++i) text += sentence(study.series[i], study.baseline);
  return text;
}

// What it shows, and what must be known before it is read.
std::string remark(const Study& study) {
  const Versions versions = versions_of(study.runs);
  if (versions.size() < 2) return study.description;
  return fmt::format("{} The runs were made by different versions: {}.", study.description, versions_text(versions));
}

std::string tiles(const Study& study) {
  const auto finished = std::ranges::count(study.runs, "finished", &RunRecord::status);
  std::set<int64_t> seeds;
  double seconds = 0;
  size_t cells = 0;
  const Measured* best = nullptr;
  for (const RunRecord& run : study.runs) {
    seeds.insert(run.seed);
    seconds += value_in(run.summary, find_column("seconds")).value_or(0);
  }
  for (const Series& series : study.series)
    for (const Measured& m : series.members) {
      ++cells;
      if (std::isfinite(m.accuracy) && (!best || m.accuracy > best->accuracy)) best = &m;
    }
  std::vector<html::Tile> all{{fmt::format("{}", finished), "Runs",
                               finished == std::ssize(study.runs) ? "all finished" : fmt::format("of {}", study.runs.size())},
                              {fmt::format("{}", cells), "Configurations", ""},
                              {fmt::format("{}", seeds.size()), seeds.size() == 1 ? "Seed" : "Seeds", ""}};
  if (best) all.push_back({percent(best->accuracy), "Best", best->name});
  all.push_back({human_seconds(seconds), "Training", "of all runs together"});
  return html::tiles(all);
}

std::string list_of(const std::vector<std::string>& notes) {
  std::string list;
  for (const std::string& note : notes) list += fmt::format("<li>{}</li>\n", escaped(capitalized(note)));
  return list.empty() ? "" : fmt::format("<ul class=\"note\">\n{}</ul>\n", list);
}

// Each note stands below the first table that it is about.
std::string chapters(const Study& study) {
  std::string sections;
  std::set<std::string> told;
  for (const Chapter& chapter : study.chapters) {
    const Table& t = chapter.table;
    Cells rows{t.row_axes};
    for (const TableHead& head : t.heads)
      rows[0].push_back(head.labels.empty() ? std::string(head.column->heading) : join(head.labels, " "));
    for (const TableRow& row : t.rows) {
      rows.push_back(row.labels);
      for (size_t c = 0; c < row.cells.size(); ++c) rows.back().push_back(cell_text(row.cells[c], t.heads[c]));
    }
    std::vector<std::string> notes;
    for (const std::string& note : t.notes)
      if (told.insert(note).second) notes.push_back(note);
    sections += html::section(chapter.heading, "", html::table(rows) + list_of(notes));
  }
  return sections;
}

std::string published_section(const Reproduction& made) {
  if (made.cells.empty()) return "";
  return html::section("Ours beside theirs",
                       "Ours lies in the band around what is published, or it does not, or its seeds do not tell.",
                       html::table(made.table()) + list_of(made.notes()));
}

std::string discussion_section(const std::vector<std::string>& discussion) {
  std::string text;
  for (const std::string& sentence : discussion) text += fmt::format("<p>{}</p>\n", escaped(sentence));
  return html::section("Discussion", "", text);
}

}  // namespace

std::string sweep_page(const fs::path& folder) {
  const Study study = study_of(folder);
  const std::string body =
      html::header(study.source.empty() ? "lptrain · runs" : "lptrain · sweep", study.name, verdict(study), remark(study)) +
      tiles(study) + pictures(study) + chapters(study) + published_section(study.reproduction) +
      discussion_section(study.discussion) + curves_section(study) + sets_section(study) + repeat_section(study, folder) +
      fmt::format("<footer>Written by lptrain {}.</footer>\n", version());
  return html::page(fmt::format("{} · lptrain", study.name), body);
}

std::string sweep_picture(const fs::path& folder) {
  const Study study = study_of(folder);
  const std::optional<Plot> plot = cost_plot(study, kBits, "test accuracy", 0);
  return plot ? Plot::file(study.name, std::array{*plot}) : "";
}

}  // namespace lp
