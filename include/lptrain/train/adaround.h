// AdaRound: rounding that is learned, so that a layer's output, not each of its weights, stays what it was.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "lptrain/train/config.h"

namespace lp {

// Layer after layer, each weight becomes the one of its two neighbours on the grid with which the layer's output is nearest to
// that of `reals`, a twin without quantizers:
//   min_v  E |w * x - w~ * x_q|^2 + regularization sum_i (1 - |2 h(v_i) - 1|^beta),   w~ = s (floor(w / s) + h(v)),
//   h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1),  beta from 20 to 2 over the last four fifths of the steps, which the second term
//   waits for
// x_q is the layer's input as the quantized network sees it, with the layers before it rounded. Begins at nearest rounding, and
// keeps that where learning does not lower the error. The weights become reals of the grid, so the scale must not depend on them:
// it is observed, learned or fixed, else Error(usage). Layers whose weights are not on an integer grid stay as they are. Lines
// for people.
//   Source: Nagel et al. 2020, eq. 21-25 and section 4
std::vector<std::string> adaround(Model& model, Model& reals, std::span<const Tensor> batches, const AdaRoundSpec& spec);

}  // namespace lp
