// How a run begins with a trained network that is written anew, and perhaps quantized without training.
#pragma once
#include <string>
#include <vector>

#include "lptrain/nn/rewrite.h"
#include "lptrain/train/config.h"

namespace lp {

// The network that config.init_from holds, for examples of that shape and so many classes, rewritten as config.rewrite says.
// Throws Error(data) if the file holds no config.
Rewritten rewritten_source(const RunConfig& config, const Dataset& data);

// A model of it without quantizers, in the same arithmetic.
Model real_model(const RunConfig& config, const Rewritten& source, const Dataset& data);

// Gives a new model of that network's spec its tensors. If there is a config.ptq, measures its scales; then, as it says, learns
// to round and corrects biases. Lines for people.
std::vector<std::string> begin_with(const RunConfig& config, const Rewritten& source, const Dataset& data, Model& model);

}  // namespace lp
