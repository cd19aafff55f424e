// What a network costs: numbers, multiplications, bits and memory, layer by layer.
#pragma once
#include <string>
#include <vector>

#include "lptrain/deploy/coding.h"
#include "lptrain/nn/cost.h"
#include "lptrain/train/config.h"

namespace lp {

struct ModelSummary {
  std::string name, model, dataset, input;
  ModelCost cost;
  int64_t f32_bytes = 0;       // of all parameters in f32
  StoredBytes bytes;           // of the weights as they stand, packed (deploy/coding.h)
  int64_t training_bytes = 0;  // predicted_resident_bytes (train/step_memory.h)
  std::vector<std::string> modelled;  // layers whose accumulators are modelled, with their sums: exact, and slow
  void fields(Fields& f);
  std::string text() const;
};

// With the precision of the last phase. Sparsity is that of the weights that the model holds: of a model built anew, the initial
// ones.
ModelSummary summarize_run(const RunConfig& config, const Dataset& data, Model& model);
ModelSummary summarize_run(const RunConfig& config, const Dataset& data);  // builds the model; throws what Model does

}  // namespace lp
