// Gradient clipping: steps that stay small where the loss is steep.
#pragma once
#include <span>

#include "lptrain/tensor/tensor.h"

namespace lp {

// sqrt of the sum of squares over all elements of all tensors, summed in f64. NaN or infinity if any element is.
double global_norm(std::span<const Tensor> gradients);

// Both return a norm of all gradients together, as it was before: the Euclidean one, and the largest magnitude. Where it exceeds
// `most` (> 0), the gradients become g most / norm (the direction stays), and min(max(g, -most), most). A norm that is not finite
// is returned and nothing is changed: the caller skips the step or ends the run. Tensors whose bytes somebody else holds are
// replaced, not written to.   Source: Pascanu et al. 2013
double clip_by_norm(std::span<Tensor> gradients, double most);
double clip_by_value(std::span<Tensor> gradients, double most);

}  // namespace lp
