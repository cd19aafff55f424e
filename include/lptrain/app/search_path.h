// In which order a search tries precisions: a strategy that knows nothing of networks.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace lp {

// For each layer the place of its format in a list from wide to narrow.
using Rungs = std::vector<size_t>;

// Does it meet the requirement? An answer costs a training; asked twice, it should cost nothing.
using Meets = std::function<bool(const Rungs&)>;
// For each layer, how much one rung less is expected to hurt, by what it saves. Cheap.
using Harm = std::function<std::vector<double>(const Rungs&)>;

// The narrowest rung that meets the requirement in all layers at once, by bisection: as many questions as it takes to halve the
// list to nothing, and one. Nothing if the widest one does not.
std::optional<Rungs> narrowest_uniform(size_t layers, size_t formats, const Meets& meets);

// From a network that meets the requirement to narrower ones. In rounds: layers in the order of the harm that one rung less
// does, and of that order the longest beginning that can be lowered together, by bisection, until nothing can. Then each layer
// alone, as far as it goes. Every step of the way meets the requirement.
Rungs narrowest_by_layer(Rungs start, size_t formats, const Meets& meets, const Harm& harm);

// At most so many questions are asked by both (rounds may end earlier).
size_t most_questions(size_t layers, size_t formats);

}  // namespace lp
