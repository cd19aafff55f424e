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
  Shape input = {};  // of one example, where shapes must be known
  int64_t classes = 0;
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

// Structured removal: channels that cannot matter are taken out, so that the network becomes smaller. A channel is what a filter
// or neuron makes, with what batch norms, depthwise convolutions and layers between do to it; channels that meet in a sum are
// one. It goes if everywhere where it is used
//   its value is a constant c, because the weights that make it are all zero or masked ("<tensor>.mask"): then c times the
//     weights that see it joins the biases of the layer that sees it (relu(b), say, of a masked filter with bias b), or
//   the weights that see it are all zero or masked.
// It stays where c would meet the zeros that pad a convolution, or a layer that is not known to treat channels apart; of every
// layer at least one stays. "repeat" is written out where something goes. Columns behind a flatten are in (H,W,C) order. Masks,
// scales and statistics follow. Evaluation gives the same up to rounding, in real arithmetic. Needs network.input and classes.
// Errors as above.
//   A quantizer that measures weights takes those into account that see a pruned channel: with mask_blind before, one that looks
// at their extremes has the same scales afterwards.
Rewritten remove_pruned(Network network);

// What is pruned here makes weights blind there: columns of linear layers and convolutions (rows of depthwise ones) that see 0
// alone, whatever is trained, since all that makes their channel is masked. They are masked, too, unless their format has no
// zero; in real arithmetic the model computes the same.
void mask_blind(Model& model);

// Low-rank factors: w[O,I] of a linear layer becomes u[O,r] v[r,I], two layers NAME_v (without biases) and NAME_u; of a
// convolution [O,KH,KW,C] first r filters of the same window, then 1x1. By the singular values s of w,
//   r = rank, or the smallest with s_1^2 + .. + s_r^2 >= energy (s_1^2 + s_2^2 + ..)
// which leaves the error |w - uv| / |w| = sqrt(the share of the others); a line says it. A layer whose factors would hold no
// fewer numbers stays, as do convolutions with groups. Masks of w end here. Errors as above; Error(usage) if no layer matches.
//   Source: Denton et al. 2014, "Exploiting linear structure within convolutional networks"
struct LowRank {
  std::vector<std::string> layers{"*"};  // globs over names
  std::optional<int64_t> rank;
  std::optional<double> energy;
  void fields(Fields& f);
};
Rewritten factor(Network network, const LowRank& how);

// A rewriting as a config names it: "remove_pruned", {"low_rank": {"rank": 16}}. Rows in src/nn/rewriting.cpp.
struct Rewriting {
  virtual ~Rewriting() = default;
  virtual std::unique_ptr<Rewriting> clone() const = 0;
  virtual void fields(Fields& f) { (void)f; }
  virtual Rewritten apply(Network network) const = 0;  // at least one line: what there was nothing to do for
};
template <>
std::span<const ChoiceRow<Rewriting>> choices<Rewriting>();
using Rewritings = std::vector<Choice<Rewriting>>;
Choice<Rewriting> factoring(const LowRank& how);  // "low_rank" with these fields

}  // namespace lp
