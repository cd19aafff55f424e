// Drawing learning curves.
#include "lptrain/train/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lp {
namespace {

constexpr double kWidth = 460, kHeight = 270;

std::vector<PlotPoint> points_of(std::span<const EpochScores> history, Score EpochScores::*split, double Score::*value) {
  std::vector<PlotPoint> points;
  for (const EpochScores& e : history) {
    const double y = e.*split.*value, x = static_cast<double>(points.size() + 1);
    points.push_back({x, y, 0, fmt::format("epoch {}: {:.5g}", x, y)});
  }
  return points;
}

// Between the last epoch of a phase and the first of the next.
std::vector<double> phase_borders(std::span<const EpochScores> history) {
  std::vector<double> borders;
  for (size_t i = 1; i < history.size(); ++i)
    if (history[i].phase != history[i - 1].phase) borders.push_back(static_cast<double>(i) + 0.5);
  return borders;
}

Plot curve(std::span<const EpochScores> history, const char* name, double Score::*value, std::string_view unit) {
  constexpr size_t kMostDots = 40;
  const std::vector<PlotPoint> train = points_of(history, &EpochScores::train, value);
  const bool is_validated = std::ranges::any_of(history, [](const EpochScores& e) { return e.validation.examples > 0; });
  std::vector<PlotPoint> validation;
  if (is_validated) validation = points_of(history, &EpochScores::validation, value);
  std::vector<double> values;
  for (const auto& points : {train, validation})
    for (const PlotPoint& p : points) values.push_back(p.y);
  Plot plot(kWidth, kHeight, epoch_axis(history.size()), linear_axis(name, values, unit));
  plot.rules(phase_borders(history), 5);
  plot.line(train, 1, Plot::Stroke::dashed, train.size() <= kMostDots);
  plot.line(validation, 0, Plot::Stroke::solid, validation.size() <= kMostDots);
  if (is_validated) plot.legend("validation", 0);
  plot.legend("training", 1, Plot::Stroke::dashed);
  return plot;
}

}  // namespace

PlotAxis epoch_axis(size_t epochs) {
  const double last = static_cast<double>(epochs);
  PlotAxis axis{
      "epoch", epochs > 1 ? 1.0 : 0.5, epochs > 1 ? last : 1.5, false, {}, [](double v) { return fmt::format("{:g}", v); }};
  const size_t stride = std::max<size_t>(1, (epochs + 7) / 8);
  for (size_t i = 1; i <= epochs; i += stride) axis.ticks.push_back(static_cast<double>(i));
  return axis;
}

Plot accuracy_curve(std::span<const EpochScores> history) { return curve(history, "accuracy", &Score::accuracy, "%"); }
Plot loss_curve(std::span<const EpochScores> history) { return curve(history, "loss", &Score::loss, ""); }

std::string curve_svg(std::span<const EpochScores> history, const std::string& title) {
  return Plot::file(title, std::array{accuracy_curve(history), loss_curve(history)});
}

}  // namespace lp
