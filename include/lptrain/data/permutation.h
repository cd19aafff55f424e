// Shuffling without state.
#pragma once
#include <cstdint>
#include <vector>

#include "lptrain/base/random.h"

namespace lp {

// 0..count-1 in an order that follows from the key (Fisher & Yates).
std::vector<int64_t> permutation(int64_t count, Key key);

}  // namespace lp
