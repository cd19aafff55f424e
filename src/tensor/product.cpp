// Choosing the arithmetic of a product, running it, and rescaling its sums to reals.
#include "lptrain/tensor/product.h"

#include "lptrain/kernel/map.h"
#include "lptrain/kernel/packed.h"
#include "lptrain/tensor/math.h"
#include "operands.h"

namespace lp {
namespace {

// Why the codes of a value cannot enter a product that keeps `axis`, or "".
std::string unusable(const Value& v, int axis) {
  const Codes* c = v.codes();
  if (!c) return "an operand has no codes";
  if (c->codes.dtype() == DType::i32) return fmt::format("codes of {} are wider than 16 bits", c->format.name());
  if (!c->is_per_tensor() && c->axis != axis) return "a scale varies along the axis that is summed over";
  return "";
}

// Reals of the wanted type from what a product kernel left in `acc`; in its memory where that fits.
Tensor finish(Tensor acc, const Shape& shape, const Scales& s, const Tensor* bias, DType type) {
  Tensor y = acc.dtype() == type && acc.is_sole_owner() ? acc.reshape(shape) : Tensor(shape, type);
  rescale(acc.dtype(), acc.raw(), shape.rows(), shape.back(), s, bias, type, y.raw());
  return y;
}

// What a product left, with what its sums mean; without scales: reals.
struct Sums {
  Tensor acc;
  std::optional<Scales> scales = {};
};

// Sums of integers as codes, if each row has one scale; else reals.
Value as_codes(const Sums& sums, const Shape& shape, DType type) {
  static const Format format = Format::parse("int32");
  if (!sums.scales) return sums.acc.reshape(shape);
  const Scales& s = *sums.scales;
  if (sums.acc.dtype() != DType::i32 || type != DType::f32 || s.columns.size() > 1 || s.zero_point != 0)
    return finish(sums.acc, Shape{shape[0], shape.after(0)}, s, nullptr, type).reshape(shape);
  Tensor scale(Shape{s.rows.size()});
  for (size_t i = 0; i < scale.data<float>().size(); ++i)
    scale.data<float>()[i] = s.rows.data<float>()[i] * s.columns.data<float>()[0];
  return Value(Codes{sums.acc.reshape(shape), format, scale, scale.size() > 1 ? 0 : -1}, type);
}

Tensor with_bias(Tensor y, const Tensor* bias) {
  if (bias)
    visit_real(y.dtype(), [&]<class T>() {
      T* p = y.data<T>().data();
      add_bias(y.shape().rows(), y.shape().back(), p, bias->data<T>().data(), p);
    });
  return y;
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

Tensor run_conv(const ConvKey& key, const Tensor& a, const Tensor& b, const Shape& shape) {
  Tensor c(shape, key.c);
  conv2d(key, a.raw(), b.raw(), c.raw());
  return c;
}

Tensor run_matmul(const MatmulKey& key, const Tensor& a, const Tensor& b) {
  Tensor c(Shape{key.m, key.n}, key.c);
  matmul(key, a.raw(), b.raw(), c.raw());
  return c;
}

// What the codes of a format can be. Those of binary are its reals.
Levels levels_of(const Format& format) {
  if (format.family == Format::Family::Binary) return Levels::signs;
  const int64_t low = format.lo(), high = format.hi();
  if (low == 0 && high <= 3) return high == 1 ? Levels::bit : Levels::two_bits;
  if (low >= -2 && high <= 1) return low == -2 ? Levels::signed_two_bits : Levels::ternary;
  return Levels::any;
}

// Of the codes themselves, whatever holds their sums.
Arithmetic of_codes(const Value& a, int axis_kept_a, const Value& b, int axis_kept_b) {
  const DType real = a.dtype();
  for (auto [v, axis] : {std::pair(&a, axis_kept_a), std::pair(&b, axis_kept_b)})
    if (std::string why = unusable(*v, axis); !why.empty()) return {real, real, real, why};
  const DType ta = a.codes()->codes.dtype(), tb = b.codes()->codes.dtype();
  if (is_half(ta) || is_half(tb)) {
    const DType half = is_half(ta) ? ta : tb;
    if (real == DType::f64) return {real, real, real, "compute is f64"};
    for (const DType t : {ta, tb})
      if (t != half && !is_byte(t))
        return {real, real, real, fmt::format("{} x {} has no common product", name_of(ta), name_of(tb))};
    return {half, half, DType::f32, ""};
  }
  if (b.codes()->zero_point != 0) return {real, real, real, "the second operand has a zero point"};
  if (is_byte(ta) && is_byte(tb)) return {ta, tb, DType::i32, "", {}, levels_of(a.codes()->format), levels_of(b.codes()->format)};
  return on_words("codes wider than 8 bits");
}

bool is_integer(const Arithmetic& how) { return !is_real(how.a) && !is_half(how.a); }

}  // namespace

MatmulKey Arithmetic::key(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) const {
  return {m, n, k, a, b, result, transpose_a, transpose_b, false, accumulator, levels_a, levels_b};
}
ConvKey Arithmetic::key(ConvPass pass, const ConvShape& shape) const {
  return {pass, shape, a, b, result, accumulator, levels_a, levels_b};
}

Arithmetic on_words(std::string why) { return {DType::i16, DType::i16, DType::f64, std::move(why)}; }

Arithmetic on_reals(DType real, std::string why, const Accumulator& accumulator) {
  return {real, real, real, std::move(why), accumulator.counts_codes() ? Accumulator{} : accumulator};
}

Arithmetic arithmetic_of(const Value& a, int axis_kept_a, const Value& b, int axis_kept_b, const Accumulator& accumulator) {
  Arithmetic how = of_codes(a, axis_kept_a, b, axis_kept_b);
  if (is_real(how.a)) return on_reals(how.a, how.why, accumulator);
  if (!accumulator.is_native() && !accumulator.counts_codes())
    return on_reals(a.dtype(), fmt::format("sums of reals are held in {}", accumulator.format.name()), accumulator);
  if (is_integer(how)) how.accumulator = accumulator;
  return how;
}

namespace {

// x w^T with w unpacked in the cache: bytes in one s32, and no zero point, which would ask for sums of the weights. Else nothing.
std::optional<Sums> sums_with_packed(const Value& x, const PackedCodes& w) {
  const int64_t m = x.shape()[0], n = w.shape[0];
  const Arithmetic how = arithmetic_of(x, 0, Value(w.meaning), 0);
  if (how.result != DType::i32 || w.shape[1] > kExactTerms || x.codes()->zero_point != 0) return {};
  Tensor acc(Shape{m, n}, how.result);
  matmul_packed(how.key(m, n, w.shape[1], false, true), x.codes()->codes.raw(), width_of(w.meaning.format),
                w.planes.data<uint8_t>().data(), acc.raw());
  return Sums{std::move(acc), Scales{steps_of(*x.codes()), steps_of(w.meaning)}};
}

Sums sums_of(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Accumulator& accumulator) {
  if (const PackedCodes* weights = b.packed_codes()) {
    if (!transpose_a && transpose_b && accumulator.is_native())
      if (std::optional<Sums> sums = sums_with_packed(a, *weights)) return *std::move(sums);
    return sums_of(a, transpose_a, Value(unpacked(*weights), b.dtype()), transpose_b, accumulator);
  }
  const int64_t m = a.shape()[transpose_a ? 1 : 0], k = a.shape()[transpose_a ? 0 : 1], n = b.shape()[transpose_b ? 0 : 1];
  Arithmetic how = arithmetic_of(a, transpose_a ? 1 : 0, b, transpose_b ? 0 : 1, accumulator);
  const bool is_long = how.result == DType::i32 && k > kExactTerms && how.is_native();
  if (is_long && !(transpose_a && !transpose_b)) how = on_words("");
  const MatmulKey key = how.key(m, n, k, transpose_a, transpose_b);
  const Tensor qa = operand(a, how.a), qb = operand(b, how.b);
  if (is_real(how.a)) return {run_matmul(key, qa, qb)};
  const auto piece = [&](int64_t begin, int64_t end) {
    return run_matmul(how.key(m, n, end - begin, transpose_a, transpose_b), qa.rows(begin, end), qb.rows(begin, end));
  };
  Tensor acc = is_long && how.result == DType::i32 ? in_exact_pieces(k, 1, Shape{m, n}, piece) : run_matmul(key, qa, qb);
  Scales s{steps_of(*a.codes()), steps_of(*b.codes()), is_half(how.a) ? 0 : a.codes()->zero_point};
  const Tensor& codes = b.codes()->codes;
  if (s.zero_point) s.sums = sums_over_rest(transpose_b ? codes : permute(codes, {1, 0}));
  return {std::move(acc), std::move(s)};
}

}  // namespace

Tensor matmul(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Tensor* bias,
              const Accumulator& accumulator) {
  Sums sums = sums_of(a, transpose_a, b, transpose_b, accumulator);
  const Shape shape = sums.acc.shape();
  return sums.scales ? finish(std::move(sums.acc), shape, *sums.scales, bias, a.dtype()) : with_bias(sums.acc, bias);
}

Value matmul_sums(const Value& a, bool transpose_a, const Value& b, bool transpose_b, const Accumulator& accumulator) {
  const Sums sums = sums_of(a, transpose_a, b, transpose_b, accumulator);
  return as_codes(sums, sums.acc.shape(), a.dtype());
}

ConvForward conv_forward(const Value& x, const Value& w, const ConvShape& shape, const Accumulator& accumulator) {
  if (const PackedCodes* weights = w.packed_codes())
    return conv_forward(x, Value(unpacked(*weights), w.dtype()), shape, accumulator);
  Arithmetic how = arithmetic_of(x, -1, w, 0, accumulator);
  if (how.result == DType::i32 && shape.KH * shape.KW * shape.C / shape.groups > kExactTerms && how.is_native())
    how = on_words("");
  ConvForward f{how.key(ConvPass::forward, shape), {}, operand(w, how.b), {}};
  if (is_real(how.a)) {
    f.x = x.tensor();
    return f;
  }
  f.scales = Scales{steps_of(*x.codes()), steps_of(*w.codes()), is_half(how.a) ? 0 : x.codes()->zero_point};
  if (f.scales->zero_point) f.scales->sums = sums_over_rest(w.codes()->codes);
  if (f.scales->zero_point && (shape.pad_h > 0 || shape.pad_w > 0)) {
    const Tensor padded = padded_codes(*x.codes(), shape);
    f.x = padded.dtype() == how.a ? padded : convert(padded, how.a);
    f.key.shape = without_padding(shape);
  } else {
    f.x = operand(x, how.a);
  }
  return f;
}

Tensor conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias,
                      const Accumulator& accumulator) {
  const Shape y{shape.N, shape.OH(), shape.OW(), shape.O};
  const ConvForward f = conv_forward(x, w, shape, accumulator);
  const Tensor acc = run_conv(f.key, f.x, f.w, y);
  return f.scales ? finish(acc, y, *f.scales, bias, x.dtype()) : with_bias(acc, bias);
}

Tensor conv2d_backward_data(const Value& dy, const Value& w, const ConvShape& shape, const Accumulator& accumulator) {
  const Shape dx{shape.N, shape.H, shape.W, shape.C};
  Arithmetic how = arithmetic_of(dy, -1, w, -1, accumulator);
  const bool is_short = shape.KH * shape.KW * shape.O / shape.groups <= kExactTerms || !how.is_native();
  if (is_integer(how) && (dy.codes()->zero_point != 0 || !is_short)) how = on_reals(dy.dtype(), "", accumulator);
  const Tensor acc = run_conv(how.key(ConvPass::backward_data, shape), operand(dy, how.a), operand(w, how.b), dx);
  if (is_real(how.a)) return acc;
  return finish(acc, dx, {steps_of(*dy.codes()), steps_of(*w.codes())}, nullptr, dy.dtype());
}

Value conv2d_backward_weights(const Value& x, const Value& dy, const ConvShape& shape, const Accumulator& accumulator) {
  const Shape dw{shape.O, shape.KH, shape.KW, shape.C / shape.groups};
  Arithmetic how = arithmetic_of(x, -1, dy, 3, accumulator);
  if (is_integer(how) && x.codes()->zero_point != 0) how = on_reals(x.dtype(), "", accumulator);
  const Tensor qx = operand(x, how.a), qe = operand(dy, how.b);
  auto piece = [&](int64_t begin, int64_t end) {
    ConvShape part = shape;
    part.N = end - begin;
    return run_conv(how.key(ConvPass::backward_weights, part), qx.rows(begin, end), qe.rows(begin, end), dw);
  };
  const bool has_pieces = how.result == DType::i32 && how.is_native();
  const Tensor acc = has_pieces ? in_exact_pieces(shape.N, shape.OH() * shape.OW(), dw, piece) : piece(0, shape.N);
  if (is_real(how.a)) return acc;
  // Here the errors' channels are rows of the result.
  return as_codes({acc, Scales{steps_of(*dy.codes()), steps_of(*x.codes())}}, dw, x.dtype());
}

}  // namespace lp
