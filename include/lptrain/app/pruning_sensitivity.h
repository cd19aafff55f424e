// Which layers can bear the loss of weights: the accuracy of a trained network when one layer at a time is pruned.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/sensitivity.h"
#include "lptrain/prune/criterion.h"
#include "lptrain/prune/pattern.h"

namespace lp {

// "0.5,0.9" as it is; "0.4..0.95" by tenths: 0.4 0.5 ... 0.9 0.95; "0.4,0.5,...,0.95" in the step before the dots. Throws
// Error(usage) unless all are in 0..1, 1 excluded.
std::vector<double> sparsities_in(const std::string& list);

// As sensitivity_of. What was pruned before stays gone and counts. Nothing is trained, so the criterion must not listen to
// training, nor ask for norms; pattern and criterion must leave the sparsity open. The model is as before afterwards.
Sensitivity sensitivity_to_pruning(const Trained& trained, const std::vector<double>& sparsities,
                                   const Choice<Criterion>& criterion, const Pattern& pattern, const Console& console);

}  // namespace lp
