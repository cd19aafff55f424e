// Networks written anew so that they compute the same, in a form that narrow numbers like better.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "lptrain/nn/model.h"

namespace lp {

// A network as a file has it: its description, and its tensors under their names.
struct Network {
  ModelSpec spec;  // with layers
  std::map<std::string, Tensor> tensors;
};

struct Rewritten {
  Network network;
  std::vector<std::string> changes;  // lines for people: "bn1 folded into conv1"
};

// Each batch norm that directly follows a convolution or linear layer becomes part of it, and that layer gets a bias:
//   w'_o = w_o g_o,  b'_o = (b_o - mean_o) g_o + beta_o,  g = gamma / sqrt(variance + eps)
// computed in f64, so evaluation gives the same up to rounding. The layers of a "repeat" are folded together or not at all.
// Throws Error(data) if a tensor is missing or of another size.   Source: Jacob et al. 2018, section 3.2
Rewritten fold_batch_norm(Network network);

// Cross-layer equalization: where nothing but relu, pooling, flatten or dropout lies between two layers with weights, channel c
// of the first is divided by s_c and multiplied in the second, with
//   s_c = sqrt(r1_c / r2_c),  r1_c = max |w1| of output channel c,  r2_c = max |w2| that channel c meets
// so that both have the range sqrt(r1_c r2_c); pairs are visited by turns until no s_c is far from 1. Evaluation gives the same
// up to rounding. Errors as above.   Source: Nagel et al. 2019, section 4.1 (eq. 11)
Rewritten equalize(Network network);

}  // namespace lp
