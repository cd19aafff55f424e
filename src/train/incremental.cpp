// Choosing weights and putting them on their grid.
#include "lptrain/train/incremental.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lptrain/quant/quantize.h"

namespace lp {
namespace {

bool is_chosen_from(const Param& p) { return p.lens && p.lens->role == Role::weights && !p.lens->is_identity(); }

bool holds_all(const PhaseSpec& phase) { return phase.incremental && phase.incremental->share >= 1; }

// What the weights are on their grid, which is measured the first time.
Tensor on_grid(Param& p) {
  Lens& lens = *p.lens;
  const Quantizer& q = lens.quantizer;
  require(keeps_grid(q) && !p.is_remade,
          "incremental: {} needs a grid that stays where it is: the scale widest or fixed, and weights that are seen as they are "
          "(not standardized, no batch norm folded in)",
          p.name);
  const bool is_fixed = q.rule().kind() == Scale::Kind::fixed;
  if (!is_fixed && !lens.observed.high) lens.observed = measure(p.value, q, lens.axis);
  const Fit f = is_fixed ? fit_to(p.value, q, lens.axis) : fit(lens.observed, q);
  QuantizeHow how{&q, lens.axis, f.zero_point};
  if (f.offset) how.offset = Var(f.offset);
  if (f.decision) how.decision = Var(f.decision);
  return quantize(Var(p.value), Var(f.scale), how).tensor();
}

// Elements in the order in which they are to be held.
std::vector<int64_t> order_of(const Param& p, IncrementalSpec::By by, Key key) {
  std::vector<double> rank(static_cast<size_t>(p.value.size()));
  visit_real(p.value.dtype(), [&]<class T>() {
    const T* w = p.value.data<T>().data();
    const T* held = p.held ? p.held.data<T>().data() : nullptr;
    const Key own = key.with(p.name);
    for (size_t i = 0; i < rank.size(); ++i) {
      rank[i] = by == IncrementalSpec::By::random ? own.uniform(i) : std::abs(static_cast<double>(w[i]));
      if (held && held[i] != 0) rank[i] = std::numeric_limits<double>::infinity();
    }
  });
  std::vector<int64_t> order(rank.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](int64_t a, int64_t b) { return rank[static_cast<size_t>(a)] > rank[static_cast<size_t>(b)]; });
  return order;
}

void hold(Param& p, const IncrementalSpec& spec, Key key) {
  const Tensor grid = on_grid(p);
  const std::vector<int64_t> order = order_of(p, spec.by, key);
  const auto count = static_cast<size_t>(std::llround(spec.share * static_cast<double>(order.size())));
  Tensor held = Tensor::zeros(p.value.shape(), p.value.dtype());
  visit_real(p.value.dtype(), [&]<class T>() {
    for (size_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(order[i]);
      if (!p.held || p.held.data<T>()[at] == 0) p.value.data<T>()[at] = grid.data<T>()[at];
      held.data<T>()[at] = 1;
    }
  });
  p.held = spec.share >= 1 ? Tensor() : held;
}

}  // namespace

bool keeps_grid(const Quantizer& q) { return q.rule().kind() == Scale::Kind::fixed || q.scale.name() == "widest"; }

void hold_share(Model& model, const PhaseSpec& phase, Key key) {
  if (!phase.incremental) return;
  for (Param* p : model.params())
    if (is_chosen_from(*p)) hold(*p, *phase.incremental, key);
}

void keep_held(Model& model, const PhaseSpec& phase) {
  for (Param* p : model.params()) {
    if (!phase.incremental || !is_chosen_from(*p)) p->held = {};
    if (holds_all(phase) && is_chosen_from(*p)) p->moves = false;
  }
}

}  // namespace lp
