// Tensors to test with: the same for the same key, on any machine.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "lptrain/base/random.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// Element i is f(i), a double.
template <class F>
Tensor tensor_of(const Shape& shape, DType type, F f) {
  Tensor t(shape, type);
  visit_real(type, [&]<class T>() {
    for (int64_t i = 0; i < t.size(); ++i) t.data<T>()[static_cast<size_t>(i)] = static_cast<T>(f(static_cast<uint64_t>(i)));
  });
  return t;
}

inline Tensor random_normal(const Shape& shape, Key key, DType type = DType::f32) {
  return tensor_of(shape, type, [=](uint64_t i) { return key.normal(i); });
}

inline Tensor random_uniform(const Shape& shape, Key key, double low, double high, DType type = DType::f32) {
  return tensor_of(shape, type, [=](uint64_t i) { return low + (high - low) * key.uniform64(i); });
}

// Normal numbers, none nearer than `margin` to any of the kinks.
inline Tensor random_away_from(const Shape& shape, Key key, std::vector<double> kinks, DType type = DType::f32,
                               double margin = 0.05) {
  return tensor_of(shape, type, [=](uint64_t i) {
    double x = 2 * key.normal(i);
    for (double k : kinks)
      if (std::abs(x - k) < margin) x = k + (x < k ? -margin : margin);
    return x;
  });
}

// Numbers in -1..1, all different by at least 1 / size, in random order.
inline Tensor random_distinct(const Shape& shape, Key key, DType type = DType::f32) {
  std::vector<uint64_t> order(static_cast<size_t>(shape.size()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](uint64_t i) { return key.with(i).bits; });
  const double n = static_cast<double>(std::max<int64_t>(shape.size(), 1));
  return tensor_of(shape, type, [&](uint64_t i) { return (2 * static_cast<double>(order[i]) + 1) / n - 1; });
}

// Integers low..high in memory type i8, u8, i16 or i32.
template <class C>
Tensor random_codes(const Shape& shape, Key key, int64_t low, int64_t high) {
  Tensor t(shape, dtype_of<C>());
  for (size_t i = 0; i < t.data<C>().size(); ++i)
    t.data<C>()[i] = static_cast<C>(low + static_cast<int64_t>(key.below(i, static_cast<uint64_t>(high - low + 1))));
  return t;
}

inline std::vector<double> numbers_of(const Tensor& t) {
  return visit_real(t.dtype(), [&]<class T>() { return std::vector<double>(t.data<T>().begin(), t.data<T>().end()); });
}

// max |a - b| / max(1, max |b|): the error of a against b; infinite if shapes differ or a NaN occurs.
inline double difference(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  const std::vector<double> x = numbers_of(a), y = numbers_of(b);
  double most = 0, size = 1;
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(x[i] - y[i]);
    if (!(d <= most)) most = std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
    size = std::max(size, std::abs(y[i]));
  }
  return most / size;
}

}  // namespace lp
