// Arithmetic on tensors of reals (f32, f64): what the rules of differentiable ops are written with.
#pragma once
#include <vector>

#include "lptrain/base/parallel.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

inline constexpr int64_t kGrain = 16384;  // elements a thread takes at a time

// y_i = f(x_i). f is called as f(T) with T = float or double.
template <class F>
Tensor map(const Tensor& x, F f) {
  Tensor y(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    T* b = y.data<T>().data();
    parallel_chunks(x.size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) b[i] = f(a[i]);
    });
  });
  return y;
}

// z_i = f(x_i, y_i) for tensors of the same shape and type.
template <class F>
Tensor zip(const Tensor& x, const Tensor& y, F f) {
  require(x.shape() == y.shape() && x.dtype() == y.dtype(), "element-wise: {} {} and {} {}", name_of(x.dtype()), x.shape().text(),
          name_of(y.dtype()), y.shape().text());
  Tensor z(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T *a = x.data<T>().data(), *b = y.data<T>().data();
    T* c = z.data<T>().data();
    parallel_chunks(x.size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) c[i] = f(a[i], b[i]);
    });
  });
  return z;
}

// x repeated along axes of extent 1 (and new leading axes) to `shape`; the sum over those axes is its transpose (in f64, or f64
// over runs of 32 rows in T).
Tensor broadcast_to(const Tensor& x, const Shape& shape);
Tensor sum_to(const Tensor& x, const Shape& shape);

// Sums over the given axes, which keep extent 1 if `keep`, else vanish. Sums are held as by sum_to, in an order fixed by the
// thread count alone.
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep = false);

Tensor permute(const Tensor& x, const std::vector<int>& order);  // y's axis i is x's axis order[i]; any dtype
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end, int64_t step = 1);  // any dtype
Tensor concat(const std::vector<Tensor>& parts, int axis);                              // any dtype
// Zeros of `shape` with x laid at begin, begin + step ... along an axis: the transpose of slice.
Tensor place(const Tensor& x, const Shape& shape, int axis, int64_t begin, int64_t step);

Tensor add(const Tensor& x, const Tensor& y);  // same shape
Tensor add_into(Tensor x, const Tensor& y);    // x + y, in x's memory if nobody else holds it
Tensor scaled(const Tensor& x, double factor);
double dot(const Tensor& x, const Tensor& y);  // sum x_i y_i in f64
double sum_of_squares(const Tensor& x);
double largest_magnitude(const Tensor& x);  // max |x|; NaN if any is NaN

}  // namespace lp
