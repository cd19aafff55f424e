// Layer by layer: formats, cost, kernels, and where the numbers lie.
#include <algorithm>
#include <cmath>

#include "lptrain/app/console.h"
#include "lptrain/app/html.h"
#include "lptrain/app/product_plan.h"
#include "lptrain/app/scores.h"
#include "lptrain/base/plot.h"
#include "lptrain/base/text.h"
#include "run_page_parts.h"

namespace lp {
namespace {

constexpr size_t kMostUnfolded = 8;  // layers
constexpr double kWidth = 240, kHeight = 124;

std::string shown(double value, std::string (*text)(double)) { return value > 0 ? text(value) : ""; }
std::string joules(double value) { return human_quantity(value, "J"); }

// Roles beside weights and activations that some layer has in a format of its own.
std::vector<Role> other_roles(const Precision& precision, const ModelCost& cost) {
  std::vector<Role> roles;
  for (Role role : {Role::biases, Role::errors, Role::weight_grads, Role::state, Role::master})
    if (std::ranges::any_of(cost.layers,
                            [&](const LayerCost& c) { return !c.weights.empty() && !precision.of(role, c.name).is_identity(); }))
      roles.push_back(role);
  return roles;
}

std::string forward_row(const Model& model, size_t line, const RunConfig& config) {
  const LayerLine& layer = model.lines()[line];
  if (!layer.product) return "";
  const PhaseSpec& phase = config.phases.back();
  const auto plans = plan_products(layer, phase.precision, phase.train.batch, config.dtype(), sees_input(model.lines(), line));
  return plans.empty() ? "" : plans.front().row;
}

std::vector<std::string> cells_of(const LayerCost& c, const std::vector<Role>& roles, const Precision& precision,
                                  const std::string& kernel) {
  std::vector<std::string> row{c.name, c.kind, c.output, c.weights, c.activations};
  for (Role role : roles) row.push_back(c.weights.empty() ? "" : precision.of(role, c.name).format.name());
  for (double count : {static_cast<double>(c.parameters), static_cast<double>(c.macs), static_cast<double>(c.bit_operations)})
    row.push_back(shown(count, human_count));
  row.push_back(shown(c.energy_joules, joules));
  row.push_back(c.weight_count ? percent(c.sparsity) : "");
  row.push_back(kernel);
  return row;
}

PlotAxis histogram_axis(const Histogram& h) {
  PlotAxis axis = linear_axis("", std::vector{h.low, h.high}, "", 4);
  axis.low = h.low;
  axis.high = h.high;
  std::erase_if(axis.ticks, [&](double v) { return v < h.low || v > h.high; });
  return axis;
}

std::string histogram_figure(const std::string& name, const Histogram& h, int series) {
  std::vector<double> heights;
  for (int64_t count : h.counts) heights.push_back(std::sqrt(static_cast<double>(count)));
  const double most = heights.empty() ? 1 : std::max(1.0, std::ranges::max(heights));
  Plot plot(kWidth, kHeight, histogram_axis(h), {name, 0, most, false, {}, {}});
  plot.bars(h.low, h.high, heights, series);
  plot.rules(h.levels, 4);
  const std::string format = h.format.empty() ? "not quantized" : fmt::format("{}, {} levels", h.format, h.level_count);
  return html::figure(plot.svg(name + ": histogram"), format);
}

std::string histograms_of(const LayerView& view) {
  std::string s;
  if (view.weights) s += histogram_figure(view.name + " weights", *view.weights, 0);
  if (view.activations) s += histogram_figure(view.name + " activations", *view.activations, 2);
  return s;
}

}  // namespace

std::string layers_section(const ModelCost& cost, const RunConfig& config, const Model& model) {
  const Precision& precision = config.phases.back().precision;
  const std::vector<Role> roles = other_roles(precision, cost);
  Cells rows{{"layer", "kind", "output", "weights", "activations"}};
  for (Role role : roles) rows[0].emplace_back(word_of(role));
  for (const char* heading : {"parameters", "MACs", "bit-operations", "energy", "zeros", "kernel"}) rows[0].emplace_back(heading);
  for (size_t i = 0; i < cost.layers.size(); ++i)
    if (cost.layers[i].parameters > 0) rows.push_back(cells_of(cost.layers[i], roles, precision, forward_row(model, i, config)));
  return html::section(
      "Layers",
      "For one example; layers without parameters are left out. Energy: an estimate of the arithmetic alone, after "
      "Horowitz 2014 (45 nm). Kernel: what runs the forward product on this machine.",
      html::table(rows));
}

std::string histograms_section(const Examination& e) {
  std::string first, rest;
  for (size_t i = 0; i < e.layers.size(); ++i) (i < kMostUnfolded ? first : rest) += histograms_of(e.layers[i]);
  if (first.empty()) return "";
  std::string body = html::gallery(first);
  if (!rest.empty()) body += html::folded(fmt::format("{} more layers", e.layers.size() - kMostUnfolded), html::gallery(rest));
  return html::section(
      "Where the numbers lie",
      "Before they are quantized, in multiples of their scale; the height of a bar is the square root of how many. "
      "Upright lines are the numbers that the format has, where they are few enough to be told apart. Activations "
      "are what 64 validation examples bring into the layer.",
      body);
}

// name -> counters, whatever they are.
std::string numerics_section(const Document& counters) {
  Cells rows{{""}};
  for (const std::string& name : counters.keys()) {
    const std::string place = fmt::format("\"{}\"", name);
    auto& row = rows.emplace_back(1, name);
    for (const std::string& key : counters.keys(place)) {
      auto column = std::ranges::find(rows[0], key);
      if (column == rows[0].end()) column = rows[0].insert(rows[0].end(), key);
      row.resize(std::max(row.size(), static_cast<size_t>(column - rows[0].begin()) + 1));
      row[static_cast<size_t>(column - rows[0].begin())] = counters.text_at(fmt::format("{}.\"{}\"", place, key));
    }
  }
  if (rows.size() == 1) return "";
  for (auto& row : rows) row.resize(rows[0].size());
  return html::section("Numerics", "Counted in the last epoch.", html::table(rows));
}

}  // namespace lp
