// Broadcasting, moving and summing elements.
#include "lptrain/tensor/math.h"

#include <algorithm>
#include <cmath>

#include "lptrain/kernel/map.h"
#include "lptrain/kernel/quantize.h"

namespace lp {
namespace {

// Strides, in elements, with which `from` is read when it is broadcast to `to`: 0 along repeated axes.
std::array<int64_t, Shape::kMaxRank> broadcast_strides(const Shape& from, const Shape& to) {
  std::array<int64_t, Shape::kMaxRank> strides{};
  int64_t step = 1;
  for (int i = 1; i <= from.rank(); ++i) {
    strides[static_cast<size_t>(to.rank() - i)] = from[-i] == 1 ? 0 : step;
    step *= from[-i];
  }
  return strides;
}

// Whether a tensor of shape `whole` is rows of shape `tail`.
bool is_tail(const Shape& tail, const Shape& whole) {
  return tail.size() > 0 && tail.rank() <= whole.rank() && whole.dropped_front(whole.rank() - tail.rank()) == tail;
}

// f(flat index in `shape`, offset by strides) for every element, the last axis innermost.
template <class F>
void walk(const Shape& shape, const std::array<int64_t, Shape::kMaxRank>& strides, F f) {
  std::array<int64_t, Shape::kMaxRank> at{};
  int64_t offset = 0;
  for (int64_t i = 0, n = shape.size(); i < n; ++i) {
    f(i, offset);
    for (int a = shape.rank() - 1; a >= 0; --a) {
      const size_t k = static_cast<size_t>(a);
      offset += strides[k];
      if (++at[k] < shape[a]) break;
      offset -= strides[k] * shape[a];
      at[k] = 0;
    }
  }
}

// Copies runs of `bytes`: run r of y comes from run index(r) of x.
template <class F>
void copy_runs(const Tensor& x, Tensor& y, int64_t runs, int64_t bytes, F source_and_target) {
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(y.raw());
  parallel_for(runs, std::max<int64_t>(1, kGrain / std::max<int64_t>(bytes, 1)), [&](int64_t r) {
    const auto [s, t] = source_and_target(r);
    std::memcpy(to + t * bytes, from + s * bytes, static_cast<size_t>(bytes));
  });
}

}  // namespace

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcast(x.shape(), shape, "broadcast") == shape, "broadcast: {} does not fit {}", x.shape().text(), shape.text());
  Tensor y(shape, x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    T* b = y.data<T>().data();
    walk(shape, broadcast_strides(x.shape(), shape), [&](int64_t i, int64_t j) { b[i] = a[j]; });
  });
  return y;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor y(shape, x.dtype());
  if (is_tail(shape, x.shape())) {  // a bias, or everything: the frequent cases have kernels
    visit_real(x.dtype(), [&]<class T>() {
      const T* a = x.data<T>().data();
      if (y.size() == 1)
        y.data<T>()[0] = static_cast<T>(sum(x.size(), a));
      else
        column_sums(x.size() / std::max<int64_t>(y.size(), 1), y.size(), a, y.data<T>().data());
    });
    return y;
  }
  std::vector<double> sums(static_cast<size_t>(shape.size()), 0.0);
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    walk(x.shape(), broadcast_strides(shape, x.shape()),
         [&](int64_t i, int64_t j) { sums[static_cast<size_t>(j)] += static_cast<double>(a[i]); });
    std::ranges::transform(sums, y.data<T>().begin(), [](double s) { return static_cast<T>(s); });
  });
  return y;
}

Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep) {
  Shape kept = x.shape();
  for (int axis : axes) kept = kept.with(checked_axis(x.shape(), axis, "sum"), 1);
  const Tensor y = sum_to(x, kept);
  if (keep) return y;
  std::vector<int64_t> extents;
  for (int i = 0; i < x.shape().rank(); ++i)
    if (std::ranges::none_of(axes, [&](int axis) { return checked_axis(x.shape(), axis, "sum") == i; }))
      extents.push_back(kept[i]);
  return y.reshape(Shape(extents));
}

Tensor permute(const Tensor& x, const std::vector<int>& order) {
  const Shape& from = x.shape();
  require(static_cast<int>(order.size()) == from.rank(), "permute: {} axes named for {}", order.size(), from.text());
  std::array<int64_t, Shape::kMaxRank> strides{};
  std::vector<int64_t> extents;
  uint32_t seen = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const int axis = checked_axis(from, order[i], "permute");
    seen |= 1u << axis;
    extents.push_back(from[axis]);
    strides[i] = from.after(axis);
  }
  require(seen == (1u << order.size()) - 1, "permute: each axis of {} must be named once", from.text());
  Tensor y(Shape(extents), x.dtype());
  int moved = from.rank();  // the axes behind these stay where they are, and go together
  while (moved > 0 && checked_axis(from, order[static_cast<size_t>(moved - 1)], "permute") == moved - 1) --moved;
  const int64_t run = y.shape().size() > 0 ? y.shape().dropped_front(moved).size() : 1;
  const size_t element = static_cast<size_t>(bytes_of(x.dtype())), bytes = static_cast<size_t>(run) * element;
  const auto* a = static_cast<const std::byte*>(x.raw());
  auto* b = static_cast<std::byte*>(y.raw());
  walk(Shape(extents.data(), static_cast<size_t>(moved)), strides, [&](int64_t i, int64_t j) {
    std::memcpy(b + static_cast<size_t>(i) * bytes, a + static_cast<size_t>(j) * element, bytes);
  });
  return y;
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end, int64_t step) {
  const int a = checked_axis(x.shape(), axis, "slice");
  require(step >= 1 && 0 <= begin && begin <= end && end <= x.shape()[a], "slice: {}..{} step {} of axis {} of {}", begin, end,
          step, a, x.shape().text());
  if (a == 0 && step == 1) return x.rows(begin, end);
  const int64_t count = (end - begin + step - 1) / step, extent = x.shape()[a];
  Tensor y(x.shape().with(a, count), x.dtype());
  copy_runs(x, y, x.shape().before(a) * count, x.shape().after(a) * bytes_of(x.dtype()),
            [=](int64_t r) { return std::pair(r / count * extent + begin + r % count * step, r); });
  return y;
}

Tensor place(const Tensor& x, const Shape& shape, int axis, int64_t begin, int64_t step) {
  const int a = checked_axis(shape, axis, "place");
  const int64_t count = x.shape()[a], extent = shape[a];
  require(count == 0 || begin + (count - 1) * step < extent, "place: {} at {} step {} does not fit {}", x.shape().text(), begin,
          step, shape.text());
  Tensor y = Tensor::zeros(shape, x.dtype());
  copy_runs(x, y, x.shape().before(a) * count, x.shape().after(a) * bytes_of(x.dtype()),
            [=](int64_t r) { return std::pair(r, r / count * extent + begin + r % count * step); });
  return y;
}

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  require(!parts.empty(), "concat: nothing to join");
  const int a = checked_axis(parts[0].shape(), axis, "concat");
  int64_t extent = 0;
  for (const Tensor& p : parts) {
    require(p.shape().rank() == parts[0].shape().rank() && p.shape().with(a, 0) == parts[0].shape().with(a, 0) &&
                p.dtype() == parts[0].dtype(),
            "concat along axis {}: {} and {} differ elsewhere", a, parts[0].shape().text(), p.shape().text());
    extent += p.shape()[a];
  }
  Tensor y(parts[0].shape().with(a, extent), parts[0].dtype());
  int64_t begin = 0;
  for (const Tensor& p : parts) {
    const int64_t count = p.shape()[a], at = begin;
    copy_runs(p, y, p.shape().before(a) * count, p.shape().after(a) * bytes_of(p.dtype()),
              [=](int64_t r) { return std::pair(r, r / count * extent + at + r % count); });
    begin += count;
  }
  return y;
}

Tensor add(const Tensor& x, const Tensor& y) {
  return zip(x, y, [](auto a, auto b) { return a + b; });
}
Tensor scaled(const Tensor& x, double factor) {
  return map(x, [factor](auto a) { return a * static_cast<decltype(a)>(factor); });
}

Tensor add_into(Tensor x, const Tensor& y) {
  if (!x.is_sole_owner()) return add(x, y);
  require(x.shape() == y.shape() && x.dtype() == y.dtype(), "add: {} and {}", x.shape().text(), y.shape().text());
  visit_real(x.dtype(), [&]<class T>() {
    T* a = x.data<T>().data();
    const T* b = y.data<T>().data();
    parallel_chunks(x.size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) a[i] += b[i];
    });
  });
  return x;
}

double dot(const Tensor& x, const Tensor& y) {
  require(x.size() == y.size() && x.dtype() == y.dtype(), "dot: {} and {}", x.shape().text(), y.shape().text());
  return visit_real(x.dtype(), [&]<class T>() {
    double s = 0;
    const T *a = x.data<T>().data(), *b = y.data<T>().data();
    for (int64_t i = 0; i < x.size(); ++i) s += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return s;
  });
}

double sum_of_squares(const Tensor& x) {
  return visit_real(x.dtype(), [&]<class T>() { return sum_squares(x.size(), x.data<T>().data()); });
}

double largest_magnitude(const Tensor& x) {
  if (x.dtype() == DType::f32) {
    float most = 0;
    absmax({1, 1, x.size()}, x.dtype(), x.raw(), &most);
    return static_cast<double>(most);
  }
  double most = 0;  // f64: absmax answers in f32, which has not the range
  for (double a : x.data<double>()) {
    if (std::isnan(a)) return a;
    most = std::max(most, std::abs(a));
  }
  return most;
}

}  // namespace lp
