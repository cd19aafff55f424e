// The keyed shuffle.
#include "lptrain/data/permutation.h"

#include <numeric>
#include <utility>

namespace lp {

std::vector<int64_t> permutation(int64_t count, Key key) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[key.below(static_cast<uint64_t>(i), static_cast<uint64_t>(i) + 1)]);
  return order;
}

}  // namespace lp
