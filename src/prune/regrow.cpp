// Exchanging weights.
#include "lptrain/prune/regrow.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace lp {

void Regrow::fields(Fields& f) {
  f("share", share, "of the weights that are left that an exchange replaces at first; it falls along half a cosine", {0, 1});
  f("every", every, "steps between exchanges", {1, 1e9});
  f("until", until, "share of the phase from which on nothing is exchanged", {0, 1});
  f("by", by, "how the new ones are chosen: by the gradient they would have, or by lot");
}

double Regrow::share_at(double done) const {
  return done < until ? share / 2 * (1 + std::cos(std::numbers::pi * done / until)) : 0;
}

Tensor exchanged(const Tensor& w, const Tensor& mask, const Tensor& wish, double share) {
  require(mask.shape() == w.shape() && wish.shape() == w.shape(), "a mask {} and wishes {} for weights {}", mask.shape().text(),
          wish.shape().text(), w.shape().text());
  Tensor next = mask.clone();
  visit_real(w.dtype(), [&]<class T>() {
    const auto x = w.data<T>(), wanted = wish.data<T>();
    const auto m = next.data<T>();
    std::vector<size_t> left, gone;
    for (size_t i = 0; i < m.size(); ++i) (m[i] != 0 ? left : gone).push_back(i);
    const size_t count = std::min(static_cast<size_t>(share * static_cast<double>(left.size())), gone.size());
    std::ranges::stable_sort(left, {}, [&](size_t i) { return std::abs(x[i]); });
    std::ranges::stable_sort(gone, std::ranges::greater{}, [&](size_t i) { return wanted[i]; });
    for (size_t k = 0; k < count; ++k) m[left[k]] = T(0), m[gone[k]] = T(1);
  });
  return next;
}

}  // namespace lp
