// From a trained run to one with fewer weights.
#include "lptrain/app/prune_run.h"

#include <algorithm>

#include "lptrain/app/begun_from.h"
#include "lptrain/app/console.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/text.h"
#include "lptrain/nn/cost.h"

namespace lp {
namespace {

// What listens to training before it judges, judges in the middle of it.
bool needs_a_moment(const Document& prune) {
  if (!prune.has("criterion") || prune.has("schedule")) return false;
  const std::string name = prune.text_at("criterion");
  const auto row = std::ranges::find(choices<Criterion>(), name, &ChoiceRow<Criterion>::name);
  return row != choices<Criterion>().end() && row->make()->listens();
}

// What became faster by it, and what did not.
std::string speed_text(const Pattern& pattern, const std::string& run) {
  if (pattern.kind == Pattern::Kind::rows)
    return fmt::format("not smaller and faster yet: `lptrain shrink {}` takes out what is pruned", run);
  return "smaller where zeros are left out of the file, not faster: only filters and neurons can be taken out, see `lptrain "
         "shrink`";
}

}  // namespace

RunConfig pruned_config(const std::string& run, const Document& prune, int64_t epochs,
                        const std::vector<std::string>& assignments) {
  Document d = begun_from(run, "prune", {});
  d.set("prune", prune.dump(0), "prune");
  if (needs_a_moment(prune)) d.set("prune.schedule", R"({"one_shot": {"at": 0.5}})", "prune");
  d.set("train.epochs", fmt::format("{}", epochs), "prune");
  return read_config(std::move(d), assignments);
}

void PrunedLayer::fields(Fields& f) {
  f("layer", layer, "name");
  f("weights", weights, "format");
  f("weight_count", weight_count, "weights, those that are zero included");
  f("sparsity_before", sparsity_before, "share of them that was zero", {0, 1});
  f("sparsity", sparsity, "share of them that is zero", {0, 1});
}

void PrunedRun::fields(Fields& f) {
  f("status", status, "finished");
  f("run", run, "the folder that was written");
  f("source", source, "the network that was pruned");
  ScoreChange::fields(f);
  f("pattern", pattern, "which weights went together");
  f("sparsity_before", sparsity_before, "share of all weights that was zero", {0, 1});
  f("sparsity", sparsity, "share of all weights that is zero", {0, 1});
  f("layers", layers, "with weights, in order");
}

std::string PrunedRun::text() const {
  Cells rows{{"layer", "weights", "format", "zero before", "zero"}};
  int64_t count = 0;
  for (const PrunedLayer& l : layers) {
    rows.push_back({l.layer, grouped(l.weight_count), l.weights, percent(l.sparsity_before), percent(l.sparsity)});
    count += l.weight_count;
  }
  rows.push_back({"all", grouped(count), "", percent(sparsity_before), percent(sparsity)});
  return table_text(rows) + "\n\n" + ScoreChange::text() + "\n\n" + speed_text(pattern, run);
}

PrunedRun compare_pruned(const std::string& source, const std::string& run, const std::string& data) {
  const TrainedPair pair = trained_pair(source, run, false, data);
  PrunedRun result;
  static_cast<ScoreChange&>(result) = score_change(pair.before, pair.after);
  result.run = run;
  result.source = source;
  result.pattern = pair.after.config.phases.back().prune->pattern;
  const ModelCost was = cost_of(*pair.before.model), is = cost_of(*pair.after.model);
  result.sparsity_before = was.sparsity;
  result.sparsity = is.sparsity;
  for (const LayerCost& c : is.layers) {
    if (c.weight_count == 0) continue;
    const auto found = std::ranges::find(was.layers, c.name, &LayerCost::name);
    result.layers.push_back({c.name, c.weights, c.weight_count, found == was.layers.end() ? 0 : found->sparsity, c.sparsity});
  }
  return result;
}

}  // namespace lp
