// Networks that only answer: weights at the width that they are seen in, and nothing else.
#pragma once
#include "lptrain/nn/model.h"

namespace lp {

// Keeps of each parameter that is seen through a lens what evaluation sees: packed codes (less than 8 bits), codes, or reals; the
// master copy and the mask are released. The model gives the same bits as before, in evaluation; it can no longer be trained,
// stored or counted. Weights that take the gain of a batch norm into themselves stay as they are.
void freeze(Model& model);

int64_t held_bytes(Model& model);  // by its parameters, now

}  // namespace lp
