// Integer-only training: what a config must say so that no number is anything but an integer times a power of two.
#pragma once
#include "lptrain/nn/model.h"
#include "lptrain/train/config.h"

namespace lp {

// With "compute": "integer" a run is one that a machine without floating point repeats bit for bit. Every tensor is a list of
// integers with one exponent, and only these operations occur, forward, backward and in the update:
//   products          sums of products of codes of at most 16 bits, exact (32-bit sums for bytes, up to 65,793 of them; more are
//                     joined exactly); then, if a sum has more than 24 significant bits, it is rounded to 24, ties to even: f32
//                     carries the sums, and has no more
//   requantization    the largest magnitude gives the exponent (scale pow2), or the size of the layer does (layer_shift); then a
//                     shift: what falls off is rounded to nearest even, or compared with a random integer (stochastic)
//   relu, max_pool2d  comparisons
//   loss              integer_cross_entropy (grad/integer.h): additions, shifts, one integer division a class
//   update            dw becomes integers in steps of the grid of the master weights, by a shift that puts the largest where its
//                     "decision" says (so that the step does not depend on how large gradients are, as in NITI and WAGE); times
//                     lr, a power of two; subtracted; clamped
// f32 (f64 for 16-bit sums and for the loss) carries these integers exactly; tests/train/integer_test.cpp repeats steps in 64-bit
// integers and compares every weight. The value of the loss is for people only. Evaluation differs in nothing but rounding
// stochastically.
//   Sources: Wang et al. 2022 (NITI); Wu et al. 2018 (WAGE)
//
// Throws DocumentError that lists all that is not so, with its places: quantizers that are not integer grids with one power of
// two for the tensor, a loss, optimizer or schedule with real arithmetic, layers and parameters other than the weights of linear
// and conv2d.
void require_integers(const RunConfig& config, Model& model);

}  // namespace lp
