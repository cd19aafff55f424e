// Masks: which weights are left, chosen by a criterion in a pattern.
#pragma once
#include <span>
#include <vector>

#include "lptrain/prune/criterion.h"
#include "lptrain/prune/pattern.h"

namespace lp {

// A mask for each layer, 0 or 1, of its weights' shape and type. The layers compete with one another: pass them one at a time for
// a share of each. What went before stays gone and counts.
//   free choice    the units of the least score go, one after the other, until `sparsity` of all weights are gone: of single
//                  weights exactly round(sparsity n); of larger units as many as come nearest to it
//   n:m            of each group of g neighbours floor(sparsity g), those of the least score
//   below()        of a criterion: all units whose score is below it, whatever `sparsity` is
// Equal scores: the layer and the unit that come first go first. The unit with the greatest score in a layer never goes, so no
// layer is cut through.
std::vector<Tensor> chosen_masks(std::span<const Evidence> layers, const Criterion& criterion, const Pattern& pattern,
                                 double sparsity);

// w := w where the mask is not 0, else +0. Of the same shape and type.
void hold(const Tensor& mask, Tensor& w);

double share_of_zeros(std::span<const Tensor> tensors);  // 0 if they hold nothing

}  // namespace lp
