// Softmax over the last axis, and its logarithm.
#include <cmath>

#include "lptrain/grad/ops.h"
#include "rows.h"

namespace lp {
namespace {

void check(const Var& x, const char* what) {
  require(x.value && x.shape().rank() >= 1 && x.shape().back() >= 1,
          "{}: x is {}, expected at least one element along the last axis", what, x.value ? x.shape().text() : "empty");
}

}  // namespace

// dx = y (dy - sum_k dy_k y_k)
Var softmax(const Var& x) {
  check(x, "softmax");
  const Tensor y = by_row(x.tensor(), [](const auto* a, auto* b, int64_t n, int64_t) { softmax_row(a, b, n); });
  return record(y, {{x, [y](const Value& dy) {
                       return by_row(dy.tensor(), y, []<class T>(const T* d, const T* p, T* dx, int64_t n, int64_t) {
                         T mean = 0;
                         for (int64_t k = 0; k < n; ++k) mean += d[k] * p[k];
                         for (int64_t k = 0; k < n; ++k) dx[k] = p[k] * (d[k] - mean);
                       });
                     }}});
}

// dx = dy - exp(y) sum_k dy_k
Var log_softmax(const Var& x) {
  check(x, "log_softmax");
  const Tensor y = by_row(x.tensor(), []<class T>(const T* a, T* b, int64_t n, int64_t) {
    const LogSum<T> l = softmax_row(a, b, n);
    for (int64_t k = 0; k < n; ++k) b[k] = a[k] - l.most - l.log_total;
  });
  return record(y, {{x, [y](const Value& dy) {
                       return by_row(dy.tensor(), y, []<class T>(const T* d, const T* l, T* dx, int64_t n, int64_t) {
                         T total = 0;
                         for (int64_t k = 0; k < n; ++k) total += d[k];
                         for (int64_t k = 0; k < n; ++k) dx[k] = d[k] - std::exp(l[k]) * total;
                       });
                     }}});
}

}  // namespace lp
