// What a network costs, as a table.
#include "lptrain/app/model_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "lptrain/app/console.h"
#include "lptrain/app/product_plan.h"
#include "lptrain/base/text.h"
#include "lptrain/deploy/packed.h"
#include "lptrain/train/step_memory.h"

namespace lp {
namespace {

// Layers that name an accumulator which rows cannot stand for: "fc1 (f16)".
std::vector<std::string> modelled_layers(const RunConfig& config, const Model& model) {
  const PhaseSpec& phase = config.phases.back();
  std::vector<std::string> list;
  for (size_t i = 0; i < model.lines().size(); ++i) {
    const LayerLine& line = model.lines()[i];
    const auto plans = plan_products(line, phase.precision, phase.train.batch, config.dtype(), sees_input(model.lines(), i));
    if (std::ranges::any_of(plans, &ProductPlan::is_modelled))
      list.push_back(fmt::format("{} ({})", line.name, phase.precision.accumulator_of(line.name).name()));
  }
  return list;
}

// How small coding makes it, where that is worth its while; a line.
std::string coded_text(const StoredBytes& bytes, int64_t f32_bytes) {
  if (worthwhile(bytes) == Coding::dense) return "";
  return fmt::format("{} sparse, {} with Huffman's words: {:.1f} times smaller than f32\n", human_bytes(bytes.sparse),
                     human_bytes(bytes.huffman),
                     static_cast<double>(f32_bytes) / static_cast<double>(std::max<int64_t>(1, bytes.huffman)));
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
          c.bit_operations ? human_count(static_cast<double>(c.bit_operations)) : "",
          c.energy_joules > 0 ? human_quantity(c.energy_joules, "J") : ""};
}

}  // namespace

void ModelSummary::fields(Fields& f) {
  f("name", name, "of the config");
  f("model", model, "name");
  f("dataset", dataset, "name");
  f("input", input, "shape of one example");
  cost.fields(f);
  f("f32_bytes", f32_bytes, "of all parameters in f32");
  f("dense_bytes", bytes.dense, "of the packed tensors, every code at its own width");
  f("sparse_bytes", bytes.sparse, "with zeros left out where that is smaller");
  f("huffman_bytes", bytes.huffman, "with words of varying length besides");
  f("modelled", modelled, "layers whose accumulators are modelled: exact, and slow");
  f("training_bytes", training_bytes, "of memory that training will take at most, program and data included");
}

std::string ModelSummary::text() const {
  Cells cells{{"layer", "kind", "output", "parameters", "bytes", "weights", "activations", "MACs", "bit-ops", "energy"}};
  for (const LayerCost& c : cost.layers) cells.push_back(cells_of(c));
  const double shrunk = cost.bytes ? static_cast<double>(f32_bytes) / static_cast<double>(cost.bytes) : 1;
  return fmt::format(
      "{}: {} on {} {}\n\n{}\n\n{} parameters, {:.3g} bits a weight, {} packed ({:.3g}x smaller than f32), {:.1f}% of the "
      "weights "
      "are zero\n{}{} MACs, {} bit-operations and about {} an example (arithmetic alone; estimate after Horowitz 2014, 45 nm)\n"
      "training takes about {}{}",
      name, model, dataset, input, table_text(cells), cost.parameters, cost.bits_per_weight, human_bytes(cost.bytes), shrunk,
      100 * cost.sparsity, coded_text(bytes, f32_bytes), human_count(static_cast<double>(cost.macs)),
      human_count(static_cast<double>(cost.bit_operations)), human_quantity(cost.energy_joules, "J"), human_bytes(training_bytes),
      modelled.empty() ? ""
                       : fmt::format("\naccumulators are modelled in {}: by the scalar row \"reference\", exactly and slowly",
                                     join(modelled)));
}

ModelSummary summarize_run(const RunConfig& config, const Dataset& data, Model& model) {
  ModelSummary s;
  s.name = config.name;
  s.model = model.spec().name;
  s.dataset = data.name;
  s.input = data.shape.text();
  s.cost = cost_of(model);
  s.f32_bytes = s.cost.parameters * 4;
  s.bytes = stored_bytes(pack(model));
  s.modelled = modelled_layers(config, model);
  s.training_bytes = predicted_resident_bytes(config, data);
  return s;
}

ModelSummary summarize_run(const RunConfig& config, const Dataset& data) {
  Model model = made_model(config, config.phases.back(), data.shape, std::ssize(data.classes));
  return summarize_run(config, data, model);
}

}  // namespace lp
