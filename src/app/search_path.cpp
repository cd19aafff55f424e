// Bisection, then greed.
#include "lptrain/app/search_path.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace lp {
namespace {

// The largest k in 0..n with holds(k), which is known of 0 and taken to be true below and false above.
template <class Holds>
size_t largest(size_t n, Holds holds) {
  size_t low = 0, high = n + 1;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

// Layers that can be lowered, the least harmed first.
std::vector<size_t> order_of(const Rungs& rungs, size_t formats, const std::vector<double>& harm) {
  std::vector<size_t> order;
  for (size_t l = 0; l < rungs.size(); ++l)
    if (rungs[l] + 1 < formats) order.push_back(l);
  std::ranges::stable_sort(order, {}, [&](size_t l) { return harm[l]; });
  return order;
}

Rungs lowered(Rungs rungs, const std::vector<size_t>& order, size_t count) {
  for (size_t i = 0; i < count; ++i) ++rungs[order[i]];
  return rungs;
}

}  // namespace

std::optional<Rungs> narrowest_uniform(size_t layers, size_t formats, const Meets& meets) {
  if (!meets(Rungs(layers, 0))) return {};
  return Rungs(layers, largest(formats - 1, [&](size_t rung) { return meets(Rungs(layers, rung)); }));
}

Rungs narrowest_by_layer(Rungs start, size_t formats, const Meets& meets, const Harm& harm) {
  std::vector<size_t> order = order_of(start, formats, harm(start));
  while (!order.empty()) {
    const size_t count = largest(order.size(), [&](size_t k) { return meets(lowered(start, order, k)); });
    if (count == 0) break;
    start = lowered(start, order, count);
    order = order_of(start, formats, harm(start));
  }
  for (const size_t layer : order)
    while (start[layer] + 1 < formats && meets(lowered(start, {layer}, 1))) ++start[layer];
  return start;
}

size_t most_questions(size_t layers, size_t formats) {
  const size_t steps = layers * (formats - 1);  // each accepted question lowers something
  return 1 + std::bit_width(formats - 1) + steps * std::bit_width(layers) + layers;
}

}  // namespace lp
