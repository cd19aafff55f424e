// Configs that begin where a run ended: what is made of a trained network without training it from the start.
#pragma once
#include <string>
#include <string_view>

#include "lptrain/train/config.h"

namespace lp {

// The run's model, data and last phase under the name NAME-<what>, without epochs, beginning from its weights as the rewritings
// make them. Unchecked.
Document begun_from(const std::string& run, std::string_view what, const Rewritings& rewrite);

}  // namespace lp
