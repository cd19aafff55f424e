// Post-training quantization: how a trained network becomes one in other formats, without training.
#pragma once
#include <string>
#include <vector>

#include "lptrain/nn/rewrite.h"
#include "lptrain/train/config.h"

namespace lp {

// The network that config.init_from holds, rewritten as config.ptq says. Throws Error(data) if the file holds no config.
Rewritten rewritten_source(const RunConfig& config);

// A model of it without quantizers, in the same arithmetic.
Model real_model(const RunConfig& config, const Rewritten& source, const Dataset& data);

// Gives a new model of that network's spec its tensors, and measures its scales; then, as config.ptq says, learns to round and
// corrects biases. Lines for people.
std::vector<std::string> quantize_trained(const RunConfig& config, const Rewritten& source, const Dataset& data, Model& model);

}  // namespace lp
