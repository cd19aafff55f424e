// matmul, linear and conv2d: forward lines and rules. Their arithmetic is chosen by tensor/product.h from the codes of the
// operands.
#include "lptrain/tensor/product.h"

#include <algorithm>

#include "lptrain/grad/ops.h"
#include "lptrain/kernel/map.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// Errors are quantized at the accumulator. With weights w_o = s_o q_o, S = max_o s_o and r_o = s_o / S, the codes e = round(dy
// r_o / t) of scale t make dx = S sum_o e t q_o and dw = (t / r_o) sum e x: both products stay integer. r_o is at least 1/256, so
// that a small channel still learns; where that binds, dx is computed from the reals.
struct Fold {
  Tensor ratios;         // r_o, or empty: nothing is folded
  float unit = 1;        // S
  bool is_exact = true;  // no r_o was raised
};

Fold fold_of(const Value& w) {
  const Codes* c = w.codes();
  if (!c || c->is_per_tensor() || c->axis != 0) return {};
  const auto scales = c->scale.data<float>();
  const float unit = *std::ranges::max_element(scales), least = unit / 256;
  return {map(c->scale, [=](auto s) { return std::max(static_cast<float>(s), least) / unit; }), unit,
          *std::ranges::min_element(scales) >= least};
}

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

// The error of a product as its rules want it. `e` is what the error quantizer made of dy * r_o.
struct Errors {
  Fold fold;

  Prepare prepare(Prepare quantize) const {
    if (!quantize) return {};
    return [s = fold.ratios, quantize = std::move(quantize)](const Value& dy) {
      return s ? quantize(Value(by_channel(dy.tensor(), s, [](auto d, auto k) { return d * k; }))) : quantize(dy);
    };
  }

  // dy as it takes part in sums over everything but o: codes with the scale t / r_o per channel.
  Value unfolded(const Value& e) const {
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

  // The operands of dx = sum_o dy w: (dy, w), or, when folded and both have codes, (e, S q_w).
  std::pair<Value, Value> for_dx(const Value& e, const Value& w) const {
    const Codes* c = e.codes();
    if (!fold.ratios || !fold.is_exact || !c || !c->is_per_tensor()) return {unfolded(e), w};
    Codes plain = *w.codes();
    plain.axis = -1;
    plain.scale = Tensor::full(Shape{1}, static_cast<double>(fold.unit));
    return {e, Value(std::move(plain), w.dtype())};
  }
};

Value column_sum(const Value& dy) {
  const Tensor& d = dy.tensor();
  Tensor b(Shape{d.shape().back()}, d.dtype());
  visit_real(d.dtype(),
             [&]<class T>() { column_sums(d.shape().rows(), d.shape().back(), d.data<T>().data(), b.data<T>().data()); });
  return b;
}

Value reshaped(const Value& v, const Shape& shape) {
  return v.moved([&](const Tensor& t) { return t.reshape(shape); });
}

ConvShape conv_shape(const Shape& x, const Shape& w, const Conv2d& how) {
  require(x.rank() == 4 && w.rank() == 4, "conv2d: x must be [N,H,W,C] and w [O,KH,KW,C], found {} and {}", x.text(), w.text());
  require(how.groups >= 1 && x[3] % how.groups == 0 && w[0] % how.groups == 0 && w[3] == x[3] / how.groups,
          "conv2d: x {} and w {} do not fit {} groups (w needs {} input channels)", x.text(), w.text(), how.groups,
          x[3] / std::max<int64_t>(how.groups, 1));
  require(
      how.stride_h >= 1 && how.stride_w >= 1 && how.dilation_h >= 1 && how.dilation_w >= 1 && how.pad_h >= 0 && how.pad_w >= 0,
      "conv2d: stride and dilation must be at least 1, padding at least 0");
  const ConvShape s{x[0],         x[1],         x[2],      x[3],      w[0],           w[1],           w[2],
                    how.stride_h, how.stride_w, how.pad_h, how.pad_w, how.dilation_h, how.dilation_w, how.groups};
  require(x[1] + 2 * how.pad_h >= how.dilation_h * (w[1] - 1) + 1 && x[2] + 2 * how.pad_w >= how.dilation_w * (w[2] - 1) + 1,
          "conv2d: the kernel {}x{} (dilation {}x{}) is larger than the padded input {} (padding {}x{})", w[1], w[2],
          how.dilation_h, how.dilation_w, x.text(), how.pad_h, how.pad_w);
  return s;
}

void check_bias(const Var& b, int64_t outputs, const char* what) {
  if (b.value) require(b.shape() == Shape{outputs}, "{}: the bias must be [{}], found {}", what, outputs, b.shape().text());
}

std::vector<Edge> with_bias_edge(std::vector<Edge> edges, const Var& b, const Errors& errors) {
  if (b.value) edges.push_back({b, [errors](const Value& e) { return column_sum(errors.unfolded(e)); }});
  return edges;
}

const Tensor* bias_of(const Var& b) { return b.value ? &b.tensor() : nullptr; }

}  // namespace

Var matmul(const Var& x, const Var& w, Prepare error) {
  require(x.shape().rank() == 2 && w.shape().rank() == 2 && x.shape()[1] == w.shape()[0],
          "matmul: x {} and w {}: inner sizes differ", x.shape().text(), w.shape().text());
  return record(matmul(x.value, false, w.value, false),
                {{x, [w = w.value](const Value& dy) { return Value(matmul(dy, false, w, true)); }},   // [m,n][k,n]^T
                 {w, [x = x.value](const Value& dy) { return Value(matmul(x, true, dy, false)); }}},  // [m,k]^T[m,n]
                std::move(error));
}

Var linear(const Var& x, const Var& w, const Var& b, Prepare error) {
  require(x.shape().rank() >= 1 && w.shape().rank() == 2 && x.shape().back() == w.shape()[1],
          "linear: x is {}, w is {}: inner sizes differ", x.shape().text(), w.shape().text());
  check_bias(b, w.shape()[0], "linear");
  const Shape full = x.shape(), rows{full.rows(), full.back()}, out = full.with(-1, w.shape()[0]), flat{rows[0], w.shape()[0]};
  const Value x2 = reshaped(x.value, rows);
  const Errors errors{error ? fold_of(w.value) : Fold{}};
  std::vector<Edge> edges{
      {x,
       [=, w = w.value](const Value& e) {
         const auto [d, v] = errors.for_dx(reshaped(e, flat), w);
         return Value(matmul(d, false, v, false).reshape(full));  // [N,O][O,I]
       }},
      {w, [=](const Value& e) { return Value(matmul(errors.unfolded(reshaped(e, flat)), true, x2, false)); }}};  // [N,O]^T[N,I]
  return record(matmul(x2, false, w.value, true, bias_of(b)).reshape(out), with_bias_edge(std::move(edges), b, errors),
                errors.prepare(std::move(error)));
}

Var conv2d(const Var& x, const Var& w, const Var& b, const Conv2d& how, Prepare error) {
  const ConvShape s = conv_shape(x.shape(), w.shape(), how);
  check_bias(b, s.O, "conv2d");
  const Errors errors{error ? fold_of(w.value) : Fold{}};
  std::vector<Edge> edges{
      {x,
       [=, w = w.value](const Value& e) {
         const auto [d, v] = errors.for_dx(e, w);
         return Value(conv2d_backward_data(d, v, s));
       }},
      {w, [=, x = x.value](const Value& e) { return Value(conv2d_backward_weights(x, errors.unfolded(e), s)); }}};
  return record(conv2d_forward(x.value, w.value, s, bias_of(b)), with_bias_edge(std::move(edges), b, errors),
                errors.prepare(std::move(error)));
}

}  // namespace lp
