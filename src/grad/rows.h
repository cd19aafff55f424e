// Loops over the rows of a tensor seen as [rows, last extent].
#pragma once
#include <algorithm>
#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {

// f(r) for every row of a tensor of this shape, over threads.
template <class F>
void for_each_row(const Shape& shape, F&& f) {
  parallel_for(shape.rows(), std::max<int64_t>(1, kGrain / std::max<int64_t>(shape.back(), 1)), f);
}

// f(x's row, y's row, length, r) writes each row of y; T is the type of x.
template <class F>
Tensor by_row(const Tensor& x, F f) {
  Tensor y(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const int64_t n = x.shape().back();
    const T* a = x.data<T>().data();
    T* b = y.data<T>().data();
    for_each_row(x.shape(), [&](int64_t r) { f(a + r * n, b + r * n, n, r); });
  });
  return y;
}

// The same of two tensors of one shape.
template <class F>
Tensor by_row(const Tensor& x, const Tensor& y, F f) {
  Tensor z(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const int64_t n = x.shape().back();
    const T *a = x.data<T>().data(), *b = y.data<T>().data();
    T* c = z.data<T>().data();
    for_each_row(x.shape(), [&](int64_t r) { f(a + r * n, b + r * n, c + r * n, n, r); });
  });
  return z;
}

// log sum_k exp(x_k) = most + log_total: kept apart, so that differences to `most` lose no digits.
template <class T>
struct LogSum {
  T most, log_total;
};

// Writes the softmax of one row.
template <class T>
LogSum<T> softmax_row(const T* x, T* y, int64_t n) {
  const T most = *std::max_element(x, x + n);
  T total = 0;
  for (int64_t k = 0; k < n; ++k) total += y[k] = std::exp(x[k] - most);
  for (int64_t k = 0; k < n; ++k) y[k] /= total;
  return {most, std::log(total)};
}

}  // namespace lp
