// Sums, means and maxima along axes.
#include <numeric>
#include <vector>

#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

std::vector<int> all_axes(const Shape& shape) {
  std::vector<int> axes(static_cast<size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// factor * sum over the axes, where the factor is 1 / (the number of terms) for a mean.
Var summed(const Var& x, const std::vector<int>& axes, bool keep, bool is_mean, const char* what) {
  require(bool(x.value), "{}: the input is empty", what);
  const Shape& from = x.shape();
  Shape kept = from;
  for (int axis : axes) kept = kept.with(checked_axis(from, axis, what), 1);
  require(!is_mean || from.size() > 0, "{}: {} has no elements", what, from.text());
  const double factor = is_mean ? static_cast<double>(kept.size()) / static_cast<double>(from.size()) : 1.0;
  const Tensor total = sum(x.tensor(), axes, keep);
  return record(is_mean ? scaled(total, factor) : total, {{x, [from, kept, factor](const Value& dy) {
                                                             const Tensor d = dy.tensor().reshape(kept);
                                                             return broadcast_to(factor == 1 ? d : scaled(d, factor), from);
                                                           }}});
}

// For each (before, after) the first place of the largest element along the axis between; NaN is the greatest.
template <class T>
void find_maxima(const Shape& shape, int axis, const T* x, T* y, int32_t* where) {
  const int64_t extent = shape[axis], after = shape.after(axis);
  for (int64_t i = 0; i < shape.before(axis) * after; ++i) {
    const T* a = x + i / after * extent * after + i % after;
    int64_t best = 0;
    for (int64_t k = 1; k < extent && a[best * after] == a[best * after]; ++k)
      if (!(a[k * after] <= a[best * after])) best = k;
    y[i] = a[best * after];
    where[i] = static_cast<int32_t>(best);
  }
}

template <class T>
void spread(const Shape& shape, int axis, const T* dy, const int32_t* where, T* dx) {
  const int64_t extent = shape[axis], after = shape.after(axis);
  for (int64_t i = 0; i < shape.before(axis) * after; ++i) dx[(i / after * extent + where[i]) * after + i % after] = dy[i];
}

}  // namespace

Var sum(const Var& x, const std::vector<int>& axes, bool keep) { return summed(x, axes, keep, false, "sum"); }
Var mean(const Var& x, const std::vector<int>& axes, bool keep) { return summed(x, axes, keep, true, "mean"); }

Var sum_all(const Var& x) {
  require(bool(x.value), "sum_all: the input is empty");
  return summed(x, all_axes(x.shape()), false, false, "sum_all");
}

Var mean_all(const Var& x) {
  require(bool(x.value), "mean_all: the input is empty");
  return summed(x, all_axes(x.shape()), false, true, "mean_all");
}

Var max(const Var& x, int axis, bool keep) {
  require(bool(x.value), "max: the input is empty");
  const Shape& from = x.shape();
  const int a = checked_axis(from, axis, "max");
  require(from[a] >= 1, "max: axis {} of {} has no elements", a, from.text());
  Tensor y(keep ? from.with(a, 1) : from.without(a), x.value.dtype()), where(y.shape(), DType::i32);
  visit_real(y.dtype(), [&]<class T>() {
    find_maxima(from, a, x.tensor().data<T>().data(), y.data<T>().data(), where.data<int32_t>().data());
  });
  return record(y, {{x, [from, a, where](const Value& dy) {
                       Tensor dx = Tensor::zeros(from, dy.dtype());
                       visit_real(dx.dtype(), [&]<class T>() {
                         spread(from, a, dy.tensor().data<T>().data(), where.data<int32_t>().data(), dx.data<T>().data());
                       });
                       return dx;
                     }}});
}

}  // namespace lp
