// The keyed shuffle.
#include "lptrain/data/permutation.h"

#include <algorithm>
#include <map>

#include "data/fixtures.h"

using namespace lp;

TEST_CASE("every index once, another order for another key") {
  for (int64_t n : {0, 1, 2, 17, 1000}) {
    std::vector<int64_t> order = permutation(n, Key(1));
    std::ranges::sort(order);
    for (int64_t i = 0; i < n; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  }
  CHECK(permutation(100, Key(1)) == permutation(100, Key(1)));
  CHECK(permutation(100, Key(1)) != permutation(100, Key(2)));
}

TEST_CASE("all orders of three are equally likely") {
  std::map<std::vector<int64_t>, int> seen;
  for (uint64_t k = 0; k < 6000; ++k) ++seen[permutation(3, Key(k))];
  CHECK(seen.size() == 6);
  for (const auto& [order, count] : seen) CHECK(std::abs(count - 1000) < 160);  // 5.5 deviations
}
