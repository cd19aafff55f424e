// Folding, unfolding, and the bias's gradient.
#include "errors.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lptrain/kernel/map.h"
#include "lptrain/kernel/passage.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// y[r,o] = x[r,o] * f(s_o)
template <class F>
Tensor by_channel(const Tensor& x, const Tensor& s, F f) {
  Tensor y(x.shape(), x.dtype());
  const float* scale = s.data<float>().data();
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    T* b = y.data<T>().data();
    const int64_t columns = x.shape().back();
    parallel_for(x.shape().rows(), std::max<int64_t>(1, kGrain / columns), [&](int64_t r) {
      for (int64_t o = 0; o < columns; ++o) b[r * columns + o] = f(a[r * columns + o], static_cast<T>(scale[o]));
    });
  });
  return y;
}

// y[r,o] = x[r,o] * s_o
Tensor times_channels(const Tensor& x, const Tensor& s) {
  if (x.dtype() != DType::f32) return by_channel(x, s, [](auto d, auto k) { return d * k; });
  Tensor y(x.shape());
  scale_columns(x.shape().rows(), x.shape().back(), x.data<float>().data(), s.data<float>().data(), y.data<float>().data());
  return y;
}

Tensor sum_of_reals(const Tensor& d) {
  Tensor b(Shape{d.shape().back()}, d.dtype());
  visit_real(d.dtype(),
             [&]<class T>() { column_sums(d.shape().rows(), d.shape().back(), d.data<T>().data(), b.data<T>().data()); });
  return b;
}

bool has_sums(const Codes& c) {
  const DType t = c.codes.dtype();
  return c.zero_point == 0 && (t == DType::i8 || t == DType::u8 || t == DType::bf16);
}

}  // namespace

Fold fold_of(const Value& w) {
  const Codes* c = w.codes();
  if (!c || c->is_per_tensor() || c->axis != 0) return {};
  const auto scales = c->scale.data<float>();
  const float unit = *std::ranges::max_element(scales), least = unit / 256;
  return {map(c->scale, [=](auto s) { return std::max(static_cast<float>(s), least) / unit; }), unit,
          *std::ranges::min_element(scales) >= least};
}

Prepare Errors::prepare(Prepare quantize) const {
  if (!quantize) return {};
  return [s = fold.ratios, quantize = std::move(quantize)](const Value& dy) {
    return s ? quantize(Value(times_channels(dy.tensor(), s))) : quantize(dy);
  };
}

Value Errors::unfolded(const Value& e) const {
  const Tensor& s = fold.ratios;
  if (!s) return e;
  const Codes* c = e.codes();
  if (!c || !c->is_per_tensor()) return Value(by_channel(e.tensor(), s, [](auto d, auto k) { return d / k; }));
  Codes out = *c;
  const float t = c->scale_of(0);
  out.axis = e.shape().rank() - 1;
  out.scale = map(s, [t](auto k) { return static_cast<decltype(k)>(t) / k; });
  return Value(std::move(out), e.dtype());
}

std::pair<Value, Value> Errors::for_dx(const Value& e, const Value& w) const {
  const Codes* c = e.codes();
  if (!fold.ratios || !fold.is_exact || !c || !c->is_per_tensor()) return {unfolded(e), w};
  Codes plain = *w.codes();
  plain.axis = -1;
  plain.scale = Tensor::full(Shape{1}, static_cast<double>(fold.unit));
  return {e, Value(std::move(plain), w.dtype())};
}

Value Errors::column_sum(const Value& e) const {
  const Value d = unfolded(e);
  const Codes* c = d.codes();
  if (!c || !has_sums(*c)) return sum_of_reals(d.tensor());
  std::vector<double> sums(static_cast<size_t>(d.shape().back()));
  code_column_sums(d.shape().rows(), d.shape().back(), c->codes.dtype(), c->codes.raw(), sums.data());
  const double unit = std::ldexp(1.0, c->format.is_integer_grid() ? -c->format.fraction_bits : 0);
  Tensor b(Shape{d.shape().back()}, d.dtype());
  visit_real(d.dtype(), [&]<class T>() {
    for (size_t o = 0; o < sums.size(); ++o)
      b.data<T>()[o] = static_cast<T>(sums[o] * unit * static_cast<double>(c->scale_of(static_cast<int64_t>(o))));
  });
  return b;
}

}  // namespace lp
