// Counting what a network costs.
#include "lptrain/app/model_summary.h"

#include <fmt/format.h>

#include "lptrain/app/console.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// Numbers and bits of the parameters below a layer's name.
struct ParamCount : Visitor {
  std::string layer;
  int64_t numbers = 0, bits = 0;
  explicit ParamCount(std::string name) : layer(std::move(name) + ".") {}
  void param(Param& p) override {
    if (!p.name.starts_with(layer) || p.name.find('.', layer.size()) != p.name.npos) return;
    numbers += p.value.size();
    bits += p.value.size() * (p.lens && !p.lens->is_identity() ? p.lens->quantizer.format.bits() : 8 * bytes_of(p.value.dtype()));
  }
};

LayerCost cost_of(const LayerLine& line, Model& model, const Precision& precision) {
  LayerCost cost{line.name, line.kind, line.output.text(), 0, 0, {}, {}, line.cost.macs, 0};
  if (line.name.empty()) return cost;
  ParamCount count(line.name);
  model.visit(count);
  cost.parameters = count.numbers;
  cost.bytes = (count.bits + 7) / 8;
  if (line.cost.macs == 0) return cost;
  const Format weights = precision.of(Role::weights, line.name).format,
               activations = precision.of(Role::activations, line.name).format;
  cost.weights = weights.name();
  cost.activations = activations.name();
  cost.bit_operations = line.cost.macs * weights.bits() * activations.bits();
  return cost;
}

// Values and gradients of everything a step holds at once: an upper bound, since codes and freed tensors are smaller.
int64_t training_bytes(const RunConfig& config, const Dataset& data, const Model& model, int64_t parameters) {
  const TrainSpec& train = config.phases.back().train;
  const int64_t width = bytes_of(config.dtype()), slots = static_cast<int64_t>(train.optimizer->slots().size());
  int64_t outputs = data.shape.size();
  for (const LayerLine& line : model.lines()) outputs += line.output.size();
  int64_t examples = data.train.examples->inputs.bytes();
  if (data.test.examples != data.train.examples) examples += data.test.examples->inputs.bytes();
  return parameters * width * (2 + slots) + 2 * outputs * width * train.batch + examples;
}

std::string shown(int64_t count) { return count ? fmt::format("{}", count) : ""; }

std::vector<std::string> cells_of(const LayerCost& c) {
  return {c.name.empty() ? "-" : c.name,
          c.kind,
          c.output,
          shown(c.parameters),
          shown(c.bytes),
          c.weights,
          c.activations,
          shown(c.macs),
          c.bit_operations ? human_count(static_cast<double>(c.bit_operations)) : ""};
}

}  // namespace

void LayerCost::fields(Fields& f) {
  f("name", name, "of the layer");
  f("kind", kind, "of the layer");
  f("output", output, "shape for one example");
  f("parameters", parameters, "trained numbers");
  f("bytes", bytes, "of them, packed at their width");
  f("weights", weights, "format");
  f("activations", activations, "format of the input");
  f("macs", macs, "multiply-accumulates for one example");
  f("bit_operations", bit_operations, "macs times the bits of both operands");
}

void ModelSummary::fields(Fields& f) {
  f("name", name, "of the config");
  f("model", model, "name");
  f("dataset", dataset, "name");
  f("input", input, "shape of one example");
  f("layers", layers, "in order");
  f("parameters", parameters, "of all layers");
  f("bytes", bytes, "of them, packed");
  f("f32_bytes", f32_bytes, "of them in f32");
  f("macs", macs, "for one example");
  f("bit_operations", bit_operations, "for one example");
  f("training_bytes", training_bytes, "estimate of the memory that training takes");
}

std::string ModelSummary::text() const {
  Cells cells{{"layer", "kind", "output", "parameters", "bytes", "weights", "activations", "MACs", "bit-ops"}};
  for (const LayerCost& c : layers) cells.push_back(cells_of(c));
  const double shrunk = bytes ? static_cast<double>(f32_bytes) / static_cast<double>(bytes) : 1;
  return fmt::format(
      "{}: {} on {} {}\n\n{}\n\n{} parameters, {} packed ({:.3g}x smaller than f32), {} MACs and {} bit-operations an example\n"
      "training takes about {}",
      name, model, dataset, input, table_text(cells), parameters, human_bytes(bytes), shrunk,
      human_count(static_cast<double>(macs)), human_count(static_cast<double>(bit_operations)), human_bytes(training_bytes));
}

ModelSummary summarize_run(const RunConfig& config, const Dataset& data) {
  const PhaseSpec& phase = config.phases.back();
  Model model(config.model, data.shape, std::ssize(data.classes), phase.precision, config.dtype(), Key(phase.train.seed));
  ModelSummary s;
  s.name = config.name;
  s.model = model.spec().name;
  s.dataset = data.name;
  s.input = data.shape.text();
  for (const LayerLine& line : model.lines()) {
    const LayerCost& cost = s.layers.emplace_back(cost_of(line, model, phase.precision));
    s.parameters += cost.parameters;
    s.bytes += cost.bytes;
    s.macs += cost.macs;
    s.bit_operations += cost.bit_operations;
  }
  s.f32_bytes = s.parameters * 4;
  s.training_bytes = training_bytes(config, data, model, s.parameters);
  return s;
}

}  // namespace lp
