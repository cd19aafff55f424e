// What a network costs: numbers, multiplications, bits and memory, layer by layer.
#pragma once
#include <string>
#include <vector>

#include "lptrain/train/config.h"

namespace lp {

// One layer; formats are those of the last phase.
struct LayerCost {
  std::string name, kind, output;     // output: shape for one example
  int64_t parameters = 0, bytes = 0;  // bytes: at the width they are stored in, packed
  std::string weights, activations;   // formats of the product's operands; "" for layers without one
  int64_t macs = 0;                   // multiply-accumulates for one example
  int64_t bit_operations = 0;  // macs * bits of a weight * bits of an activation.   Source: Baskin et al. 2018 (UNIQ), section 5
  void fields(Fields& f);
};

struct ModelSummary {
  std::string name, model, dataset, input;
  std::vector<LayerCost> layers;
  int64_t parameters = 0, bytes = 0, f32_bytes = 0, macs = 0, bit_operations = 0;
  int64_t training_bytes = 0;  // estimate: parameters, gradients, optimizer state, outputs and their gradients of one batch, data
  void fields(Fields& f);
  std::string text() const;
};

// Builds the model. Throws what Model does.
ModelSummary summarize_run(const RunConfig& config, const Dataset& data);

}  // namespace lp
