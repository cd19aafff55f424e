// matmul, linear and conv2d: forward lines and rules. Their arithmetic is chosen by tensor/product.h from the codes of the
// operands.
#include "lptrain/tensor/product.h"

#include <algorithm>

#include "errors.h"
#include "lptrain/grad/ops.h"
#include "lptrain/tensor/block.h"

namespace lp {
namespace {

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
  if (b.value) edges.push_back({b, [errors](const Value& e) { return errors.column_sum(e); }});
  return edges;
}

const Tensor* bias_of(const Var& b) { return b.value ? &b.tensor() : nullptr; }

// The accumulators of the three products of a layer.
struct Accumulators {
  Accumulator y, dx, dw;
  explicit Accumulators(const Accumulator& a) : y(a.of_pass(0)), dx(a.of_pass(1)), dw(a.of_pass(2)) {}
};

}  // namespace

Var matmul(const Var& x, const Var& w, Prepare error, const Accumulator& accumulator) {
  require(x.shape().rank() == 2 && w.shape().rank() == 2 && x.shape()[1] == w.shape()[0],
          "matmul: x {} and w {}: inner sizes differ", x.shape().text(), w.shape().text());
  const Accumulators in(accumulator);
  return record(
      matmul(x.value, false, w.value, false, nullptr, in.y),
      {{x, [w = w.value, in](const Value& dy) { return Value(matmul(dy, false, w, true, nullptr, in.dx)); }},   // [m,n][k,n]^T
       {w, [x = x.value, in](const Value& dy) { return Value(matmul(x, true, dy, false, nullptr, in.dw)); }}},  // [m,k]^T[m,n]
      std::move(error));
}

Var linear(const Var& x, const Var& w, const Var& b, Prepare error, const Accumulator& accumulator) {
  require(x.shape().rank() >= 1 && w.shape().rank() == 2 && x.shape().back() == w.shape()[1],
          "linear: x is {}, w is {}: inner sizes differ", x.shape().text(), w.shape().text());
  check_bias(b, w.shape()[0], "linear");
  const Shape full = x.shape(), rows{full.rows(), full.back()}, out = full.with(-1, w.shape()[0]), flat{rows[0], w.shape()[0]};
  const Value x2 = reshaped(x.value, rows);
  const Accumulators in(accumulator);
  const Errors errors{error ? fold_of(w.value) : Fold{}};
  std::vector<Edge> edges{{x,
                           [=, w = w.value](const Value& e) {
                             const auto [d, v] = errors.for_dx(reshaped(e, flat), w);
                             return Value(matmul(d, false, v, false, nullptr, in.dx).reshape(full));  // [N,O][O,I]
                           }},
                          {w, [=](const Value& e) {  // [N,O]^T[N,I]
                             return matmul_sums(errors.unfolded(reshaped(e, flat)), true, x2, false, in.dw);
                           }}};
  return record(matmul(x2, false, w.value, true, bias_of(b), in.y).reshape(out), with_bias_edge(std::move(edges), b, errors),
                errors.prepare(std::move(error)));
}

namespace {

std::vector<Edge> conv_edges(const Var& x, const Var& w, const Var& b, const ConvShape& s, const Errors& errors,
                             const Accumulators& in) {
  std::vector<Edge> edges{
      {x,
       [=, w = w.value](const Value& e) {
         const auto [d, v] = errors.for_dx(e, w);
         return Value(conv2d_backward_data(d, v, s, in.dx));
       }},
      {w, [=, x = x.value](const Value& e) { return conv2d_backward_weights(x, errors.unfolded(e), s, in.dw); }}};
  return with_bias_edge(std::move(edges), b, errors);
}

// The result of a convolution as a pool sees it.
PoolShape window_of(const ConvShape& s, const std::optional<Pool2d>& pool) {
  const Pool2d p = pool.value_or(Pool2d{1, 1, 1, 1, 0, 0});
  return {s.N, s.OH(), s.OW(), s.O, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w, p.pad_h, p.pad_w};
}

// dy of a block -> the error at the convolution's sums.
Prepare error_behind(const Tensor& where, const PoolShape& window, const Errors& errors, const ErrorQuantizer& error) {
  return [=, ratios = errors.fold.ratios](const Value& dy) {
    const Tensor* r = ratios ? &ratios : nullptr;
    if (!error.quantize) return block_error(dy.tensor(), where, window, nullptr, nullptr);
    std::optional<Encoding> encoding;
    if (error.foresee) encoding = error.foresee([&] { return error_extremes(dy.tensor(), where, r); });
    if (encoding) return block_error(dy.tensor(), where, window, r, &*encoding);
    return error.quantize(block_error(dy.tensor(), where, window, r, nullptr));
  };
}

}  // namespace

Var conv2d(const Var& x, const Var& w, const Var& b, const Conv2d& how, Prepare error, const Accumulator& accumulator) {
  const ConvShape s = conv_shape(x.shape(), w.shape(), how);
  check_bias(b, s.O, "conv2d");
  const Errors errors{error ? fold_of(w.value) : Fold{}};
  const Accumulators in(accumulator);
  return record(conv2d_forward(x.value, w.value, s, bias_of(b), in.y), conv_edges(x, w, b, s, errors, in),
                errors.prepare(std::move(error)));
}

bool fits_block(const Pool2d& p) {
  return p.stride_h >= p.kernel_h && p.stride_w >= p.kernel_w && p.kernel_h * p.kernel_w < kDead;
}

ConvBlock conv2d_block(const Var& x, const Var& w, const Var& b, const Conv2d& how, const BlockNeighbours& neighbours,
                       const ErrorQuantizer& error) {
  const ConvShape s = conv_shape(x.shape(), w.shape(), how);
  check_bias(b, s.O, "conv2d_block");
  require(x.value.dtype() == DType::f32, "conv2d_block: reals are f32, found {}", name_of(x.value.dtype()));
  require(!neighbours.pool || fits_block(*neighbours.pool), "conv2d_block: windows overlap or have more than 254 places");
  const Errors errors{error.quantize ? fold_of(w.value) : Fold{}};
  const PoolShape window = window_of(s, neighbours.pool);
  BlockSteps steps{neighbours.relu, {}, neighbours.encoding, false, neighbours.is_observed};
  if (neighbours.pool) steps.pool = window;
  steps.is_recorded = !x.is_constant() || !w.is_constant() || (b.value && !b.is_constant());
  BlockResult result = conv2d_forward(x.value, w.value, s, bias_of(b), steps);
  return {record(result.y, conv_edges(x, w, b, s, errors, Accumulators({})), error_behind(result.where, window, errors, error)),
          result.extremes};
}

}  // namespace lp
