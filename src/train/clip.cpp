// Gradient clipping.
#include "lptrain/train/clip.h"

#include <algorithm>
#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

void check_bound(double most) { require(most > 0, "clipping wants a bound above 0, got {}", most); }

// t_i := f(t_i), in place if nobody else holds the bytes.
template <class F>
void change(Tensor& t, F f) {
  if (!t.is_sole_owner()) t = t.clone();
  visit_real(t.dtype(), [&]<class T>() {
    T* x = t.data<T>().data();
    parallel_for(t.size(), kGrain, [&](int64_t i) { x[i] = static_cast<T>(f(static_cast<double>(x[i]))); });
  });
}

}  // namespace

double global_norm(std::span<const Tensor> gradients) {
  double total = 0;
  for (const Tensor& g : gradients) total += sum_of_squares(g);
  return std::sqrt(total);
}

double clip_by_norm(std::span<Tensor> gradients, double most) {
  check_bound(most);
  const double norm = global_norm(gradients);
  if (std::isfinite(norm) && norm > most)
    for (Tensor& g : gradients) change(g, [factor = most / norm](double x) { return x * factor; });
  return norm;
}

double clip_by_value(std::span<Tensor> gradients, double most) {
  check_bound(most);
  double largest = 0;
  for (const Tensor& g : gradients) {
    const double here = largest_magnitude(g);
    if (std::isnan(here)) return here;
    largest = std::max(largest, here);
  }
  if (std::isfinite(largest) && largest > most)
    for (Tensor& g : gradients) change(g, [most](double x) { return std::clamp(x, -most, most); });
  return largest;
}

}  // namespace lp
