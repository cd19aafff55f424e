// Layer by layer: formats, cost, kernels, and where the numbers lie.
#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/app/html.h"
#include "lptrain/app/numerics_text.h"
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

std::string histogram_figure(const TensorView& view) {
  const std::string caption = view.format.empty() ? "not quantized" : fmt::format("{}, {} levels", view.format, view.levels);
  return html::figure(histogram_plot(view, kWidth, kHeight).svg(view.name() + ": histogram"), caption);
}

// SQNR of a role in a layer, if it was looked at.
std::string sqnr_cell(const std::vector<TensorView>& views, const std::string& layer, Role role) {
  const TensorView* view = find_view(views, layer, role);
  return view ? view->sqnr_text() : "";
}

}  // namespace

std::string layers_section(const ModelCost& cost, const RunConfig& config, const Model& model,
                           const std::vector<TensorView>& views) {
  const Precision& precision = config.phases.back().precision;
  const std::vector<Role> roles = other_roles(precision, cost);
  Cells rows{{"layer", "kind", "output", "weights", "activations"}};
  for (Role role : roles) rows[0].emplace_back(word_of(role));
  for (const char* heading :
       {"parameters", "MACs", "bit-operations", "energy", "zeros", "kernel", "SQNR of weights, dB", "SQNR of activations, dB"})
    rows[0].emplace_back(heading);
  for (size_t i = 0; i < cost.layers.size(); ++i) {
    const LayerCost& c = cost.layers[i];
    if (c.parameters == 0) continue;
    auto& row = rows.emplace_back(cells_of(c, roles, precision, forward_row(model, i, config)));
    for (const Role role : {Role::weights, Role::activations}) row.push_back(sqnr_cell(views, c.name, role));
  }
  return html::section(
      "Layers",
      "For one example; layers without parameters are left out. Energy: an estimate of the arithmetic alone, after "
      "Horowitz 2014 (45 nm). Kernel: what runs the forward product on this machine. SQNR: signal to quantization noise; "
      "of activations, as 64 validation examples pass; 6 dB are a bit.",
      html::table(rows));
}

std::string histograms_section(const std::vector<TensorView>& views) {
  std::vector<std::string> layers;
  std::string first, rest;
  for (const TensorView& view : views) {
    if (layers.empty() || layers.back() != view.layer) layers.push_back(view.layer);
    (layers.size() <= kMostUnfolded ? first : rest) += histogram_figure(view);
  }
  if (first.empty()) return "";
  std::string body = html::gallery(first);
  if (!rest.empty()) body += html::folded(fmt::format("{} more layers", layers.size() - kMostUnfolded), html::gallery(rest));
  return html::section(
      "Where the numbers lie",
      "Before they are quantized, in multiples of their scale; the height of a bar is the square root of how many. "
      "Upright lines are the numbers that the format has, where they are few enough to be told apart. Activations "
      "are what 64 validation examples bring into the layer, errors what comes back.",
      body);
}

std::string numerics_section(std::span<const EpochScores> history) {
  if (history.empty() || !history.back().numerics) return "";
  const EpochScores& last = history.back();
  std::string body, figures;
  for (const Remark& remark : remarks_on(history)) body += fmt::format("<li>{}</li>", escaped(remark.sentence()));
  if (!body.empty()) body = fmt::format("<ul class=\"remarks\">{}</ul>\n", body);
  for (const Plot& plot : numerics_plots(history)) figures += html::figure(plot.svg("numerics over time", "wide"));
  if (!figures.empty()) body += html::columns(figures);
  for (const Cells& cells : {role_cells(*last.numerics), update_cells(*last.numerics), sum_cells(*last.numerics)})
    if (cells.size() > 1) body += html::table(cells);
  return html::section(
      "Numerics",
      "Counted in the last epoch, at every step. Become 0: of those that were not 0. Cut off: beyond the ends of "
      "the format. An update is lost if the optimizer, computing in 64 bits, would have changed a weight, and its "
      "master copy stayed the same. An addition is lost if the sum stayed the same, and what was added was not 0.",
      body);
}

}  // namespace lp
