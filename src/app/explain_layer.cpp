// Explaining roles and layers of a config's model.
#include <algorithm>
#include <typeinfo>

#include "lptrain/app/console.h"
#include "lptrain/app/explain.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

std::string weight_shape(const LayerLine& line) {
  if (!line.product) return "";
  const ConvShape& s = *line.product;
  return line.kind == "linear" ? Shape{s.O, s.C}.text() : Shape{s.O, s.KH, s.KW, s.C / s.groups}.text();
}

std::string_view doc_of_kind(const std::string& kind) {
  const auto found = std::ranges::find(choices<Layer>(), kind, &ChoiceRow<Layer>::name);
  return found == choices<Layer>().end() ? "" : found->doc;
}

std::string product_text(const ProductPlan& p) {
  std::string text = fmt::format("  {:<8} {} x {} -> {}, row \"{}\"", p.pass, p.a, p.b, p.result, p.row);
  if (!p.why.empty()) text += fmt::format("\n           not narrower: {}", p.why);
  for (const FasterRow& row : p.faster) text += fmt::format("\n           not \"{}\": {}", row.row, row.why);
  return text;
}

std::string places_text(const std::vector<RolePlace>& places) {
  Cells cells;
  for (const RolePlace& p : places) cells.push_back({fmt::format("  {}", p.place), p.quantizer});
  return table_text(cells);
}

const LayerLine& line_of(const std::string& name, const std::vector<LayerLine>& lines) {
  const auto found = std::ranges::find(lines, name, &LayerLine::name);
  if (found != lines.end()) return *found;
  std::vector<std::string> names;
  for (const LayerLine& line : lines)
    if (!line.name.empty()) names.push_back(line.name);
  fail(ErrorKind::usage, "explain: the model has no layer \"{}\"{}", name, suggestion(name, names));
}

}  // namespace

std::string rule_name(const Quantizer& q) {
  if (q.scale) return q.scale.name();
  const Scale& rule = q.rule();
  for (const auto& row : choices<Scale>()) {
    const auto made = row.make();
    if (typeid(*made) == typeid(rule)) return std::string(row.name);
  }
  return "";
}

std::string quantizer_text(const Quantizer& q) {
  if (q.is_identity()) return fmt::format("{}: not quantized", q.format.name());
  return fmt::format("{}{}, scale {} per {}{}, rounding {}, gradient {}", q.format.name(), q.narrow ? " narrow" : "",
                     rule_name(q), q.per.name(), q.zero_point ? " with zero point" : "", word_of(q.rounding), q.gradient.name());
}

void RolePlace::fields(Fields& f) {
  f("place", place, "layer, or role");
  f("quantizer", quantizer, "in words");
}

void RoleExplanation::fields(Fields& f) {
  f("role", role, "name");
  f("doc", doc, "which numbers");
  f("places", places, "by layer");
}

std::string RoleExplanation::text() const {
  const std::string text = fmt::format("{}: {} (a role: key precision.{})", role, doc, role);
  return places.empty() ? text : fmt::format("{}\n{}", text, places_text(places));
}

RoleExplanation explain_role(Role role, const Precision* precision, const std::vector<std::string>& layers) {
  RoleExplanation r{std::string(word_of(role)), std::string(doc_of(role)), {}};
  if (!precision) return r;
  if (role == Role::input)
    r.places.push_back({"input", quantizer_text(precision->of(role, ""))});
  else
    for (const std::string& layer : layers) r.places.push_back({layer, quantizer_text(precision->of(role, layer))});
  return r;
}

RoleExplanation explain_accumulator(const Precision* precision, const std::vector<std::string>& layers) {
  RoleExplanation r{"accumulator", std::string(kAccumulatorDoc), {}};
  if (precision)
    for (const std::string& layer : layers) r.places.push_back({layer, precision->accumulator_of(layer).name()});
  return r;
}

void LayerExplanation::fields(Fields& f) {
  f("name", name, "of the layer");
  f("kind", kind, "of the layer");
  f("doc", doc, "what the kind does");
  f("output", output, "shape for one example");
  f("weights", weights, "shape");
  f("parameters", parameters, "trained numbers");
  f("macs", macs, "multiply-accumulates for one example");
  f("batch", batch, "that the products are planned for");
  f("quantizers", quantizers, "by role");
  f("products", products, "forward, dx, dw");
}

std::string LayerExplanation::text() const {
  std::string text =
      fmt::format("{} ({}): {}\n  output {}{}{}, {} parameters, {} MACs an example", name, kind, doc, output,
                  weights.empty() ? "" : ", weights ", weights, parameters, human_count(static_cast<double>(macs)));
  if (!quantizers.empty()) text += fmt::format("\n\nroles\n{}", places_text(quantizers));
  if (!products.empty()) text += fmt::format("\n\nproducts of batches of {}, on this machine", batch);
  for (const ProductPlan& p : products) text += fmt::format("\n{}", product_text(p));
  return text;
}

LayerExplanation explain_layer(const std::string& name, const Model& model, const RunConfig& config) {
  const std::vector<LayerLine>& lines = model.lines();
  const LayerLine& line = line_of(name, lines);
  const PhaseSpec& phase = config.phases.back();
  LayerExplanation layer{name,
                         line.kind,
                         std::string(doc_of_kind(line.kind)),
                         line.output.text(),
                         weight_shape(line),
                         line.cost.params,
                         line.cost.macs,
                         phase.train.batch,
                         {},
                         {}};
  if (!line.product) {  // the table of an embedding, or gates, if anything
    const Role role = line.kind == "embedding" ? Role::weights : Role::activations;
    if (std::ranges::find(model.layers(), name) != model.layers().end())
      layer.quantizers.push_back({std::string(word_of(role)), quantizer_text(phase.precision.of(role, name))});
    return layer;
  }
  const bool is_first = sees_input(lines, static_cast<size_t>(&line - lines.data()));
  for (size_t i = 0; i < kRoles; ++i) {
    const Role role = static_cast<Role>(i);
    if (role == Role::input && !is_first) continue;
    const std::string& of = role == Role::weights ? line.owner() : name;
    layer.quantizers.push_back(
        {std::string(word_of(role)), quantizer_text(phase.precision.of(role, role == Role::input ? "" : of))});
  }
  layer.quantizers.push_back({"accumulator", phase.precision.accumulator_of(name).name()});
  layer.products = plan_products(line, phase.precision, phase.train.batch, config.dtype(), is_first);
  return layer;
}

}  // namespace lp
