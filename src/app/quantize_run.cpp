// From a trained run to one that is quantized after training.
#include "lptrain/app/quantize_run.h"

#include <algorithm>
#include <cmath>

#include "lptrain/app/begun_from.h"
#include "lptrain/app/console.h"
#include "lptrain/app/trained.h"
#include "lptrain/nn/cost.h"
#include "lptrain/train/calibration.h"
#include "lptrain/train/ptq.h"

namespace lp {
namespace {

constexpr double kDecay = 0.9;  // of averages over calibration batches

Precision observed_once(Precision p, bool weights_too) {
  const auto change = [&](Role role, std::optional<Quantizer>& q) {
    if (q && (role != Role::weights || weights_too)) q = observed_once(*q);
  };
  for (const Role role : {Role::input, Role::activations, Role::weights}) {
    const size_t i = static_cast<size_t>(role);
    std::optional<Quantizer> own = p.roles[i];
    change(role, own);
    p.roles[i] = *own;
    for (auto& [pattern, rule] : p.overrides) {
      if (rule.both && !rule.roles[i] && role != Role::input) rule.roles[i] = rule.both;
      change(role, rule.roles[i]);
    }
  }
  for (auto& [pattern, rule] : p.overrides) rule.both.reset();
  return p;
}

bool is_narrow(const Precision& p) {
  const auto narrows = [](const std::optional<Quantizer>& q) { return q && !q->is_identity(); };
  for (const Role role : {Role::input, Role::weights, Role::biases, Role::activations}) {
    const size_t i = static_cast<size_t>(role);
    if (!p.roles[i].is_identity()) return true;
    for (const auto& [pattern, rule] : p.overrides)
      if (narrows(rule.roles[i]) || narrows(rule.both)) return true;
  }
  return false;
}

std::optional<double> if_finite(double db) { return std::isfinite(db) ? std::optional(db) : std::nullopt; }

std::vector<QuantizedLayer> layers_of(const Trained& t) {
  constexpr int64_t kExamples = 64;
  Model reals = real_model(t.config, rewritten_source(t.config, t.data), t.data);
  const ModelCost cost = cost_of(*t.model);
  std::vector<QuantizedLayer> layers;
  for (const LayerNoise& n : noise_by_layer(*t.model, reals, calibration_batches(t.data, kExamples, 0))) {
    const LayerCost& c = *std::ranges::find(cost.layers, n.layer, &LayerCost::name);
    layers.push_back({n.layer, c.weights, c.activations, if_finite(n.weights_db), if_finite(n.input_db), if_finite(n.output_db)});
  }
  return layers;
}

}  // namespace

Quantizer observed_once(const Quantizer& q) {
  const bool is_kept =
      q.is_identity() || q.rule().kind() != Scale::Kind::measured || !(q.per == Per::tensor || q.per.is_by_channel());
  if (is_kept) return q;
  Document d = write(q);
  const std::string rule = q.scale ? d.at("scale").dump(0) : "\"absmax\"", name = q.scale ? q.scale.name() : "absmax";
  const bool looks_at_ends = name == "absmax" || name == "pow2";
  d.set("scale",
        looks_at_ends ? fmt::format("{{\"widest\": {{\"of\": {}}}}}", rule)
                      : fmt::format("{{\"ema\": {{\"of\": {}, \"decay\": {}}}}}", rule, kDecay),
        "ptq");
  Quantizer once;
  read(d, once);
  return once;
}

RunConfig quantized_config(const std::string& run, const PtqSpec& ptq, const Rewritings& rewrite,
                           const std::vector<std::string>& assignments) {
  Document d = begun_from(run, "ptq", rewrite);
  d.set("ptq", write(ptq).dump(0), "ptq");
  const RunConfig asked = read_config(d, assignments);
  require(
      is_narrow(asked.precision),
      "ptq: nothing is to be quantized; say in what, for example --set precision.weights=int8 --set precision.activations=uint8");
  Document complete = asked.document;
  complete.set("precision", write(observed_once(asked.precision, asked.ptq && asked.ptq->adaround)).dump(0), "ptq");
  return read_config(complete);
}

void QuantizedLayer::fields(Fields& f) {
  f("layer", layer, "name");
  f("weights", weights, "format");
  f("activations", activations, "format");
  f("weights_db", weights_db, "SQNR of the weights against those before; null: nothing is lost");
  f("input_db", input_db, "of what flows into the product, layers before it included");
  f("output_db", output_db, "of what comes out of it");
}

void QuantizedRun::fields(Fields& f) {
  f("status", status, "finished");
  f("run", run, "the folder that was written");
  f("source", source, "the network that was quantized");
  ScoreChange::fields(f);
  f("layers", layers, "with products, in order");
}

std::string QuantizedRun::text() const {
  const auto shown = [](const std::optional<double>& db) { return db ? fmt::format("{:.1f}", *db) : std::string("exact"); };
  Cells rows{{"layer", "weights", "activations", "SQNR dB: weights", "input", "output"}};
  for (const QuantizedLayer& l : layers)
    rows.push_back({l.layer, l.weights, l.activations, shown(l.weights_db), shown(l.input_db), shown(l.output_db)});
  return table_text(rows) + "\n\n" + ScoreChange::text();
}

QuantizedRun compare_quantized(const std::string& source, const std::string& run, const std::string& data) {
  const TrainedPair pair = trained_pair(source, run, true, data);
  QuantizedRun result;
  static_cast<ScoreChange&>(result) = score_change(pair.before, pair.after);
  result.run = run;
  result.source = source;
  result.layers = layers_of(pair.after);
  return result;
}

}  // namespace lp
