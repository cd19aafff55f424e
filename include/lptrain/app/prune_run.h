// Pruning of a trained run: the config of what comes out, and what became of accuracy and layers.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/scores.h"

namespace lp {

// The config of a network that is pruned as `prune` (the content of "prune") says and trained on for some epochs, 0 for none: the
// run's model, data and last phase, beginning from its weights, with assignments (--set) applied. Without a schedule, criteria
// that listen to training judge in the middle of it.
RunConfig pruned_config(const std::string& run, const Document& prune, int64_t epochs,
                        const std::vector<std::string>& assignments);

struct PrunedLayer {
  std::string layer, weights;  // weights: their format
  int64_t weight_count = 0;
  double sparsity_before = 0, sparsity = 0;  // behind the quantizer
  void fields(Fields& f);
};

struct PrunedRun : ScoreChange {
  std::string status = "finished", run, source;
  Pattern pattern;
  double sparsity_before = 0, sparsity = 0;
  std::vector<PrunedLayer> layers;  // with weights, in order
  void fields(Fields& f);
  std::string text() const;  // a table of layers, one of accuracies, and what is faster by it
};
// Measures both.
PrunedRun compare_pruned(const std::string& source, const std::string& run, const std::string& data);

}  // namespace lp
