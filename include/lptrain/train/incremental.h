// Incremental quantization: a share of the weights goes to its grid for good, the others make up for it.
#pragma once
#include "lptrain/base/random.h"
#include "lptrain/nn/model.h"
#include "lptrain/train/config.h"

namespace lp {

// Whether a grid stays where it is, so that what was put on it is still there later: its scale is "widest" or fixed.
bool keeps_grid(const Quantizer& q);

// Of the weights of each layer that a quantizer is for, phase.incremental->share (to the nearest whole number of elements) become
// q(w): those that the phase before held, then the largest magnitudes, or any; the earlier one of equals. Held weights are seen
// as they are and do not move, whatever gradient, momentum or decay say; the others are reals.
//   w_i := w_i - lr dL/dw_i T_i,   T_i = 0 if i is held, else 1
// With a share of 1 the weights are on the grid, seen through their quantizer, and none of them moves. Before the first step of
// a phase; `key` decides which are "any".   Source: Zhou et al. 2017 (INQ), eq. 3-8
void hold_share(Model& model, const PhaseSpec& phase, Key key);

// What a phase says of weights that are held: none without "incremental"; with a share of 1 all, and they do not move. After the
// model was made to move what the phase trains.
void keep_held(Model& model, const PhaseSpec& phase);

}  // namespace lp
