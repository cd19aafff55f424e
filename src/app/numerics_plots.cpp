// The counters of a run as pictures.
#include <algorithm>
#include <cmath>
#include <map>

#include "lptrain/app/numerics_text.h"
#include "lptrain/train/curve.h"

namespace lp {
namespace {

constexpr double kWidth = 460, kHeight = 250;
constexpr size_t kMostLines = 5;

using Lines = std::map<std::string, std::vector<PlotPoint>>;  // layer -> share over epochs

double highest(const std::vector<PlotPoint>& line) { return std::ranges::max_element(line, {}, &PlotPoint::y)->y; }

// The lines that rise highest.
Plot shares_plot(const Lines& lines, size_t epochs, std::string name) {
  std::vector<std::string> layers;
  for (const auto& entry : lines) layers.push_back(entry.first);
  std::ranges::stable_sort(layers, std::greater{}, [&](const std::string& layer) { return highest(lines.at(layer)); });
  layers.resize(std::min(layers.size(), kMostLines));
  std::vector<double> values{0};
  for (const std::string& layer : layers) values.push_back(highest(lines.at(layer)));
  Plot plot(kWidth, kHeight, epoch_axis(epochs), linear_axis(std::move(name), values, "%"));
  for (size_t i = 0; i < layers.size(); ++i) {
    const int series = static_cast<int>(i);
    plot.line(lines.at(layers[i]), series, Plot::Stroke::solid, epochs <= 40);
    plot.legend(layers[i], series);
  }
  return plot;
}

PlotPoint point_of(size_t epoch, const std::string& layer, double share) {
  return {static_cast<double>(epoch), share, 0, fmt::format("{}, epoch {}: {:.3g} %", layer, epoch, 100 * share)};
}

// Empty unless something is above 0.
Lines shown(Lines lines) {
  std::erase_if(lines, [](const auto& entry) { return highest(entry.second) == 0; });
  return lines;
}

Lines lost_updates(std::span<const EpochScores> history) {
  Lines lines;
  for (size_t i = 0; i < history.size(); ++i)
    if (history[i].numerics)
      for (const UpdateNumerics& u : history[i].numerics->updates)
        lines[u.layer].push_back(
            point_of(i + 1, u.layer, u.updates ? static_cast<double>(u.lost) / static_cast<double>(u.updates) : 0));
  return shown(std::move(lines));
}

Lines vanished_errors(std::span<const EpochScores> history) {
  Lines lines;
  for (size_t i = 0; i < history.size(); ++i)
    if (history[i].numerics)
      for (const RoleNumerics& r : history[i].numerics->roles)
        if (r.role == Role::errors) lines[r.layer].push_back(point_of(i + 1, r.layer, r.tally.share(&Tally::underflows)));
  return shown(std::move(lines));
}

std::vector<PlotPoint> loss_scales(std::span<const EpochScores> history) {
  std::vector<PlotPoint> points;
  for (const EpochScores& e : history) {
    if (!e.numerics || e.numerics->loss_scale.empty()) continue;
    for (const LossScalePoint& p : e.numerics->loss_scale)
      points.push_back({static_cast<double>(p.step), p.scale, 0, fmt::format("from step {}: {:g}", p.step, p.scale)});
    points.push_back({static_cast<double>(e.step), e.numerics->loss_scale.back().scale});
  }
  return points;
}

Plot loss_scale_plot(const std::vector<PlotPoint>& points) {
  std::vector<double> steps{0}, scales;
  for (const PlotPoint& p : points) steps.push_back(p.x), scales.push_back(p.y);
  PlotAxis scale = log2_axis("loss scale", scales, [](double v) { return fmt::format("2^{:g}", std::log2(v)); });
  Plot plot(kWidth, kHeight, linear_axis("step", steps), std::move(scale));
  plot.line(points, 0, Plot::Stroke::steps, false);
  return plot;
}

}  // namespace

std::vector<Plot> numerics_plots(std::span<const EpochScores> history) {
  std::vector<Plot> plots;
  if (const Lines lines = lost_updates(history); !lines.empty())
    plots.push_back(shares_plot(lines, history.size(), "updates lost to rounding"));
  if (const Lines lines = vanished_errors(history); !lines.empty())
    plots.push_back(shares_plot(lines, history.size(), "errors that become 0"));
  if (const std::vector<PlotPoint> points = loss_scales(history); !points.empty()) plots.push_back(loss_scale_plot(points));
  return plots;
}

}  // namespace lp
