// How long a network takes to answer, measured.
#pragma once
#include "lptrain/nn/model.h"

namespace lp {

// Seconds that a batch of examples takes: the median of a few passes in evaluation mode, after one that is not counted (weights
// are quantized and packed by then). Takes about a quarter of a second, at least three passes, at most a hundred.
double batch_seconds(Model& model, int64_t batch);

}  // namespace lp
