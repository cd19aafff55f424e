// The catalogue of differentiable ops. Each is defined beside its gradient in src/grad/<family>.cpp and proved by a row of
// tests/grad/op_cases.h. All work in f32 or f64 (both operands alike); shapes follow NumPy's broadcasting where it says so. Ops
// that only move or compare elements (reshape, slice, max_pool, relu) keep codes; all others see the reals.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lptrain/base/random.h"
#include "lptrain/grad/tape.h"
#include "lptrain/kernel/product.h"
#include "lptrain/tensor/encoding.h"

namespace lp {

// ---- arithmetic, with broadcasting
Var add(const Var& x, const Var& y);
Var sub(const Var& x, const Var& y);
Var mul(const Var& x, const Var& y);
Var div(const Var& x, const Var& y);
Var scale(const Var& x, double factor);
Var shift(const Var& x, double term);
Var neg(const Var& x);
Var square(const Var& x);
Var sqrt(const Var& x);
Var exp(const Var& x);
Var log(const Var& x);
Var abs(const Var& x);                             // gradient sign(x), 0 at 0
Var clamp(const Var& x, double low, double high);  // gradient 1 inside and at the bounds, as PyTorch's

// ---- products. `error` sees dL/dy before either gradient is formed: the place where errors are quantized. `accumulator` holds
// the sums of the product and of both its gradients, which are those of the exact product (straight through); if
// it counts, then into an array of three: y, dx, dw. y[m,n] = sum_k x[m,k] w[k,n]
Var matmul(const Var& x, const Var& w, Prepare error = {}, const Accumulator& accumulator = {});
// y[N,O] = sum_i x[N,I] w[O,I] + b[O]; b may be empty (Var{}). x may have more leading axes.
Var linear(const Var& x, const Var& w, const Var& b, Prepare error = {}, const Accumulator& accumulator = {});
// NHWC x[N,H,W,C], w[O,KH,KW,C/groups], b[O] or empty; formula in kernel/product.h.
struct Conv2d {
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, groups = 1;
};
Var conv2d(const Var& x, const Var& w, const Var& b, const Conv2d& how, Prepare error = {}, const Accumulator& accumulator = {});

// ---- pooling, NHWC
struct Pool2d {
  int64_t kernel_h = 2, kernel_w = 2, stride_h = 2, stride_w = 2, pad_h = 0, pad_w = 0;
};

// ---- an op with its neighbours
// y = quantize(max_pool2d(relu(op(x)))), each of the three if wanted: the same numbers as these ops one after the other give, and
// the same gradients, made a block of images at a time while it is in cache (tensor/block.h). Of f32.
struct BlockNeighbours {
  bool relu = false;
  std::optional<Pool2d> pool;
  std::optional<Encoding> encoding;  // of a quantizer whose scale is known
  bool is_observed = false;          // its scale rule wants to know the extremes
};
// How the error is quantized: by any scale rule, on the whole tensor; or, if `foresee` answers, by a scale that is known, or
// follows from the tensor's least and greatest element (extremes(), f32 [2]), before that is made.
struct ErrorQuantizer {
  Prepare quantize;  // empty: not at all
  std::function<std::optional<Encoding>(const std::function<Tensor()>& extremes)> foresee;
};
struct ConvBlock {
  Var y;
  Tensor extremes;  // of y before it was quantized, f32 [2]: if observed
};
ConvBlock conv2d_block(const Var& x, const Var& w, const Var& b, const Conv2d& how, const BlockNeighbours& neighbours,
                       const ErrorQuantizer& error = {});
// Whether a pool is one that blocks can hold: windows that do not overlap, of at most 255 places.
bool fits_block(const Pool2d& pool);
Var max_pool2d(const Var& x, const Pool2d& how);  // the first of equal largest elements gets the gradient
Var avg_pool2d(const Var& x, const Pool2d& how);  // padding is not counted
Var global_avg_pool(const Var& x);                // [N,H,W,C] -> [N,C]

// ---- activations (the list stands in grad/activation.h)
Var relu(const Var& x);
Var leaky_relu(const Var& x, double slope = 0.01);
Var sigmoid(const Var& x);
Var tanh(const Var& x);
Var gelu(const Var& x);  // x Phi(x), exact (erf).   Source: Hendrycks & Gimpel 2016
Var silu(const Var& x);  // x sigmoid(x)

// ---- normalization
// y = (x - mean_c) / sqrt(var_c + eps) * gamma_c + beta_c over all axes but the last; var is the biased variance.
// Source: Ioffe & Szegedy 2015
struct BatchNorm {
  Var y;
  Tensor mean, variance;  // of this batch, [C]; variance is the unbiased one, as running averages want it
  Tensor extremes;        // of y before it was quantized, f32 [2]: if its neighbours wanted that
};
// A pool cannot be among the neighbours.
BatchNorm batch_norm(const Var& x, const Var& gamma, const Var& beta, double eps, const BlockNeighbours& behind = {});
// The same with given statistics (inference): an affine map per channel.
Var batch_norm_fixed(const Var& x, const Var& gamma, const Var& beta, const Tensor& mean, const Tensor& variance, double eps,
                     const BlockNeighbours& behind = {});
// y = (x - mean) / sqrt(var + eps) * gamma + beta over the last axis of each row.   Source: Ba, Kiros & Hinton 2016
Var layer_norm(const Var& x, const Var& gamma, const Var& beta, double eps);

// ---- one step of a recurrent layer, from its products with the input and with the state before: x and h [N,G H], gate after
// gate as PyTorch orders them; s is the sigmoid. Gates i f g o: c' = s(f) c + s(i) tanh(g), h' = s(o) tanh(c'). Gives [2,N,H]:
// h', then c'.
//   Source: Hochreiter & Schmidhuber 1997; with forget gates Gers, Schmidhuber & Cummins 2000
Var lstm_cell(const Var& x, const Var& h, const Var& c);
// Gates r z n: n = tanh(x_n + s(r) h_n), h' = (1 - s(z)) n + s(z) state. Gives [N,H].
//   Source: Cho et al. 2014, with the reset behind the product (as in cuDNN), so that one product serves all gates
Var gru_cell(const Var& x, const Var& h, const Var& state);

// ---- shape
Var reshape(const Var& x, const Shape& shape);
Var permute(const Var& x, const std::vector<int>& order);
Var slice(const Var& x, int axis, int64_t begin, int64_t end, int64_t step = 1);
Var concat(const std::vector<Var>& parts, int axis);
Var pad(const Var& x, int axis, int64_t before, int64_t after);  // with zeros
// x[T, ...] -> T values [...], sharing bytes; backward lays their gradients into one tensor.
std::vector<Var> unstack(const Var& x);

// ---- reductions and distributions
Var sum(const Var& x, const std::vector<int>& axes, bool keep = false);
Var mean(const Var& x, const std::vector<int>& axes, bool keep = false);
Var sum_all(const Var& x);
Var mean_all(const Var& x);
Var max(const Var& x, int axis, bool keep = false);  // the first of equal largest elements gets the gradient
Var softmax(const Var& x);                           // over the last axis
Var log_softmax(const Var& x);

// ---- attention of a sequence to itself: q, k and v [N,T,C], cut along C into heads of size d
// y_h = softmax(q_h k_h^T / sqrt(d)) v_h; causal: step t sees none behind it.   Source: Vaswani et al. 2017, eq. 1
Var attention(const Var& q, const Var& k, const Var& v, int64_t heads, bool causal);

// ---- lookup and noise
// table[V,D] -> [shape..., D]; throws on an index outside 0..V-1. Keeps codes.
Var embedding(const Var& table, std::span<const int32_t> indices, const Shape& shape);
Var dropout(const Var& x, double rate, Key noise);  // keeps x_i / (1 - rate) if noise.uniform(i) >= rate, else 0; 0 <= rate < 1

// ---- losses: a scalar, the mean over the batch. Labels are classes 0..K-1, one for each row of the scores [N,K]
// (more leading axes may stand before K).
// -sum_k t_k log_softmax_k, t = (1-s) onehot + s/K, s = label_smoothing
Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double label_smoothing = 0);
// Mean over all elements of -t log sigmoid(z) - (1-t) log sigmoid(-z), t = 1 for the label's column, else 0; with a single
// column the label, 0 or 1, is t.
Var binary_cross_entropy(const Var& logits, std::span<const int32_t> labels);
// Mean over all elements of max(0, 1 - t y)^2, t = +-1 in the place of 1 and 0 above.   Source: Tang 2013
Var squared_hinge(const Var& y, std::span<const int32_t> labels);
// Mean over the batch of T^2 sum_k p_k log(p_k / q_k), p = softmax(teacher / T), q = softmax(logits / T): the gradient stays as
// large as that of a cross entropy, whatever the temperature T.   Source: Hinton, Vinyals & Dean 2015, section 2
Var distillation(const Var& logits, const Tensor& teacher, double temperature);
// How alike two networks see the examples of a batch of B: with X the rows of x (each example flattened), G = X X^T and its rows
// scaled to length 1, the mean over all B^2 pairs of (G - G_teacher)^2. The two may differ in all but B.
//   Source: Tung & Mori 2019 (similarity-preserving distillation), eq. 1-4
Var similarity(const Var& x, const Tensor& teacher);
// Mean of (y - target)^2, shapes alike.
Var mse(const Var& y, const Var& target);

}  // namespace lp
