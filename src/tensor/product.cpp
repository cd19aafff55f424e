// Choosing the arithmetic of a product, running it, and rescaling its exact integers to reals.
#include "lptrain/tensor/product.h"

#include <cmath>

#include "lptrain/kernel/epilogue.h"
#include "lptrain/kernel/map.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr int64_t kExactTerms = 65793;  // of u8 x s8 products in s32

bool is_byte(DType t) { return t == DType::i8 || t == DType::u8; }
bool is_half(DType t) { return t == DType::bf16 || t == DType::f16; }

// Why the codes of a value cannot enter a product that keeps `axis`, or "".
std::string unusable(const Value& v, int axis) {
  const Codes* c = v.codes();
  if (!c) return "an operand has no codes";
  if (c->codes.dtype() == DType::i32) return fmt::format("codes of {} are wider than 16 bits", c->format.name());
  if (!c->is_per_tensor() && c->axis != axis) return "a scale varies along the axis that is summed over";
  return "";
}

const Tensor& operand(const Value& v, bool codes) { return codes ? v.codes()->codes : v.tensor(); }

// The scale of one code step: real = step_c * (code - zero_point).
Tensor steps_of(const Codes& c) {
  const float unit = std::ldexp(1.0f, -(c.format.is_integer_grid() ? c.format.fraction_bits : 0));
  return unit == 1.0f ? c.scale : scaled(c.scale, unit);
}

// What an exact integer result c[rows, columns] is multiplied with, and what its zero points take away.
struct Scales {
  Tensor rows, columns;    // steps along either axis; one element if constant
  int32_t zero_point = 0;  // of the operand whose rows are summed with `sums`
  Tensor sums;             // i32 [columns]
};

template <class Acc, class T>
void rescale_to(const Acc* acc, int64_t rows, int64_t columns, const Scales& s, const Tensor* bias, T* y) {
  Rescale<T> how;
  how.w_scale = s.columns.data<float>().data();
  how.per_column = s.columns.size() > 1;
  how.bias = bias ? bias->data<T>().data() : nullptr;
  how.zero_point = s.zero_point;
  how.w_sums = s.zero_point ? s.sums.data<int32_t>().data() : nullptr;
  const auto row_steps = s.rows.data<float>();
  how.x_scale = row_steps[0];
  if (row_steps.size() == 1) return rescale(how, rows, columns, acc, y);
  for (int64_t r = 0; r < rows; ++r) {
    how.x_scale = row_steps[static_cast<size_t>(r)];
    rescale(how, 1, columns, acc + r * columns, y + r * columns);
  }
}

// Reals of the wanted type from what a product kernel left in `acc`.
Tensor finish(const Tensor& acc, const Shape& shape, const Scales& s, const Tensor* bias, DType type) {
  Tensor y(shape, type);
  const int64_t rows = shape.rows(), columns = shape.back();
  visit_real(type, [&]<class T>() {
    T* out = y.data<T>().data();
    if (acc.dtype() == DType::i32) return rescale_to(acc.data<int32_t>().data(), rows, columns, s, bias, out);
    rescale_to(acc.data<double>().data(), rows, columns, s, bias, out);
  });
  return y;
}

Tensor with_bias(Tensor y, const Tensor* bias) {
  if (bias)
    visit_real(y.dtype(), [&]<class T>() {
      T* p = y.data<T>().data();
      add_bias(y.shape().rows(), y.shape().back(), p, bias->data<T>().data(), p);
    });
  return y;
}

// Sums of the codes over all but the first axis: what a zero point of the other operand is multiplied with.
Tensor sums_over_rest(const Tensor& codes) {
  Tensor sums(Shape{codes.shape()[0]}, DType::i32);
  int32_t* out = sums.data<int32_t>().data();
  const int64_t O = codes.shape()[0], K = codes.shape().after(0);
  switch (codes.dtype()) {
    case DType::i8: code_sums(O, K, codes.data<int8_t>().data(), out); break;
    case DType::u8: code_sums(O, K, codes.data<uint8_t>().data(), out); break;
    default: code_sums(O, K, codes.data<int16_t>().data(), out); break;
  }
  return sums;
}

Tensor widened(const Tensor& codes, DType type) {
  return codes.dtype() == type || type == DType::u8 || type == DType::i8 ? codes : convert(codes, type);
}

// Adds an i32 result to integers held in f64.
void add_exactly(const Tensor& part, Tensor& total) {
  const auto p = part.data<int32_t>();
  auto t = total.data<double>();
  for (size_t i = 0; i < p.size(); ++i) t[i] += p[i];
}

// Runs `part(begin, end)`, which sums over terms begin..end-1 of `count` (each worth `terms` products) into an i32 tensor, in
// pieces that s32 holds.
template <class Part>
Tensor in_exact_pieces(int64_t count, int64_t terms, const Shape& shape, Part part) {
  const int64_t piece = std::max<int64_t>(1, kExactTerms / std::max<int64_t>(terms, 1));
  if (count <= piece) return part(0, count);
  Tensor total = Tensor::zeros(shape, DType::f64);
  for (int64_t begin = 0; begin < count; begin += piece) add_exactly(part(begin, std::min(begin + piece, count)), total);
  return total;
}

// x with `pad` codes of its zero point around height and width, so that the product itself needs no padding.
Tensor padded_codes(const Codes& c, const ConvShape& s) {
  Tensor y(Shape{s.N, s.H + 2 * s.pad_h, s.W + 2 * s.pad_w, s.C}, c.codes.dtype());
  const int64_t bytes = bytes_of(c.codes.dtype()), row = s.W * s.C * bytes, out_row = (s.W + 2 * s.pad_w) * s.C * bytes;
  auto* to = static_cast<std::byte*>(y.raw());
  const auto* from = static_cast<const std::byte*>(c.codes.raw());
  for (int64_t i = 0; i < y.size(); ++i) std::memcpy(to + i * bytes, &c.zero_point, static_cast<size_t>(bytes));
  for (int64_t n = 0; n < s.N; ++n)
    for (int64_t h = 0; h < s.H; ++h)
      std::memcpy(to + ((n * (s.H + 2 * s.pad_h) + h + s.pad_h) * out_row) + s.pad_w * s.C * bytes, from + (n * s.H + h) * row,
                  static_cast<size_t>(row));
  return y;
}

ConvShape without_padding(ConvShape s) {
  s.H += 2 * s.pad_h;
  s.W += 2 * s.pad_w;
  s.pad_h = s.pad_w = 0;
  return s;
}

Tensor run_conv(ConvPass pass, const ConvShape& s, const Tensor& a, const Tensor& b, const Shape& shape, DType type) {
  Tensor c(shape, type);
  conv2d({pass, s, a.dtype(), b.dtype(), type}, a.raw(), b.raw(), c.raw());
  return c;
}

Tensor run_matmul(MatmulKey key, const Tensor& a, const Tensor& b) {
  Tensor c(Shape{key.m, key.n}, key.c);
  key.a = a.dtype();
  key.b = b.dtype();
  matmul(key, a.raw(), b.raw(), c.raw());
  return c;
}

}  // namespace

Arithmetic arithmetic_of(const Value& a, int axis_kept_a, const Value& b, int axis_kept_b) {
  const DType real = a.dtype();
  for (auto [v, axis] : {std::pair(&a, axis_kept_a), std::pair(&b, axis_kept_b)})
    if (std::string why = unusable(*v, axis); !why.empty()) return {real, real, real, why};
  const DType ta = a.codes()->codes.dtype(), tb = b.codes()->codes.dtype();
  if (is_half(ta) || is_half(tb)) {
    if (ta != tb) return {real, real, real, fmt::format("{} x {} has no common product", name_of(ta), name_of(tb))};
    if (real == DType::f64) return {real, real, real, "compute is f64"};
    return {ta, tb, DType::f32, ""};
  }
  if (b.codes()->zero_point != 0) return {real, real, real, "the second operand has a zero point"};
  if (is_byte(ta) && is_byte(tb)) return {ta, tb, DType::i32, ""};
  return {DType::i16, DType::i16, DType::f64, "codes wider than 8 bits"};
}

Tensor matmul(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Tensor* bias) {
  const int64_t m = a.shape()[transpose_a ? 1 : 0], k = a.shape()[transpose_a ? 0 : 1], n = b.shape()[transpose_b ? 0 : 1];
  require(b.shape()[transpose_b ? 1 : 0] == k, "matmul: inner sizes of {} and {} differ", a.shape().text(), b.shape().text());
  const Arithmetic how = arithmetic_of(a, transpose_a ? 1 : 0, b, transpose_b ? 0 : 1);
  MatmulKey key{m, n, k, how.a, how.b, how.result, transpose_a, transpose_b};
  const bool codes = !is_real(how.a);
  if (!codes || is_half(how.a)) return with_bias(run_matmul(key, operand(a, codes), operand(b, codes)), bias);
  const Tensor qa = widened(a.codes()->codes, how.a), qb = widened(b.codes()->codes, how.b);
  Tensor acc;
  if (how.result == DType::i32 && k > kExactTerms && transpose_a && !transpose_b) {
    acc = in_exact_pieces(k, 1, Shape{m, n}, [&](int64_t begin, int64_t end) {
      MatmulKey part = key;
      part.k = end - begin;
      return run_matmul(part, qa.rows(begin, end), qb.rows(begin, end));
    });
  } else if (how.result == DType::i32 && k > kExactTerms) {
    key.c = DType::f64;
    acc = run_matmul(key, convert(qa, DType::i16), convert(qb, DType::i16));
  } else {
    acc = run_matmul(key, qa, qb);
  }
  Scales s{steps_of(*a.codes()), steps_of(*b.codes()), a.codes()->zero_point, {}};
  if (s.zero_point) s.sums = sums_over_rest(transpose_b ? qb : permute(qb, {1, 0}));
  return finish(acc, Shape{m, n}, s, bias, a.dtype());
}

Tensor conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias) {
  const Shape y{shape.N, shape.OH(), shape.OW(), shape.O};
  const Arithmetic how = arithmetic_of(x, -1, w, 0);
  const bool codes = !is_real(how.a);
  if (!codes || is_half(how.a))
    return with_bias(run_conv(ConvPass::forward, shape, operand(x, codes), operand(w, codes), y, how.result), bias);
  const Codes& cx = *x.codes();
  const bool pad = cx.zero_point != 0 && (shape.pad_h > 0 || shape.pad_w > 0);
  const Tensor qx = widened(pad ? padded_codes(cx, shape) : cx.codes, how.a), qw = widened(w.codes()->codes, how.b);
  const DType result = shape.KH * shape.KW * shape.C / shape.groups > kExactTerms ? DType::f64 : how.result;
  const Tensor acc = result == how.result
                         ? run_conv(ConvPass::forward, pad ? without_padding(shape) : shape, qx, qw, y, how.result)
                         : run_conv(ConvPass::forward, pad ? without_padding(shape) : shape, convert(qx, DType::i16),
                                    convert(qw, DType::i16), y, result);
  Scales s{steps_of(cx), steps_of(*w.codes()), cx.zero_point, {}};
  if (s.zero_point) s.sums = sums_over_rest(qw);
  return finish(acc, y, s, bias, x.dtype());
}

Tensor conv2d_backward_data(const Value& dy, const Value& w, const ConvShape& shape) {
  const Shape dx{shape.N, shape.H, shape.W, shape.C};
  Arithmetic how = arithmetic_of(dy, -1, w, -1);
  const bool codes = !is_real(how.a);
  if (!codes || is_half(how.a))
    return run_conv(ConvPass::backward_data, shape, operand(dy, codes), operand(w, codes), dx, how.result);
  if (dy.codes()->zero_point != 0 || shape.KH * shape.KW * shape.O / shape.groups > kExactTerms)
    return run_conv(ConvPass::backward_data, shape, dy.tensor(), w.tensor(), dx, dy.dtype());
  const Tensor acc = run_conv(ConvPass::backward_data, shape, widened(dy.codes()->codes, how.a), widened(w.codes()->codes, how.b),
                              dx, how.result);
  return finish(acc, dx, {steps_of(*dy.codes()), steps_of(*w.codes()), 0, {}}, nullptr, dy.dtype());
}

Tensor conv2d_backward_weights(const Value& x, const Value& dy, const ConvShape& shape) {
  const Shape dw{shape.O, shape.KH, shape.KW, shape.C / shape.groups};
  const Arithmetic how = arithmetic_of(x, -1, dy, 3);
  const bool codes = !is_real(how.a);
  if (!codes || is_half(how.a))
    return run_conv(ConvPass::backward_weights, shape, operand(x, codes), operand(dy, codes), dw, how.result);
  const Codes& cx = *x.codes();
  if (cx.zero_point != 0) return run_conv(ConvPass::backward_weights, shape, x.tensor(), dy.tensor(), dw, x.dtype());
  const Tensor qx = widened(cx.codes, how.a), qe = widened(dy.codes()->codes, how.b);
  auto piece = [&](int64_t begin, int64_t end) {
    ConvShape part = shape;
    part.N = end - begin;
    return run_conv(ConvPass::backward_weights, part, qx.rows(begin, end), qe.rows(begin, end), dw, how.result);
  };
  const Tensor acc = how.result == DType::i32 ? in_exact_pieces(shape.N, shape.OH() * shape.OW(), dw, piece) : piece(0, shape.N);
  // Here the errors' channels are rows of the result, seen as [O, KH KW C].
  const int64_t O = shape.O;
  const Tensor flat = finish(acc.reshape(Shape{O, dw.after(0)}), Shape{O, dw.after(0)},
                             {steps_of(*dy.codes()), steps_of(cx), 0, {}}, nullptr, x.dtype());
  return flat.reshape(dw);
}

}  // namespace lp
