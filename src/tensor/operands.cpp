// Operands of products in the memory that their kernels want, and their sums as reals.
#include "operands.h"

#include <bit>
#include <cmath>

#include "lptrain/kernel/epilogue.h"
#include "lptrain/number/half.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// codes - zero_point as halves; exact, so that cutting off the low bits of a float makes a bf16.
template <class C>
Tensor halves(const Codes& c, DType type) {
  Tensor y(c.codes.shape(), type);
  const C* from = c.codes.data<C>().data();
  uint16_t* to = y.data<uint16_t>().data();
  const int32_t zero_point = c.zero_point;
  const bool is_bf16 = type == DType::bf16;
  parallel_chunks(y.size(), kGrain, [&](int64_t begin, int64_t end) {
    if (is_bf16)
      for (int64_t i = begin; i < end; ++i)
        to[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(from[i] - zero_point)) >> 16);
    else
      for (int64_t i = begin; i < end; ++i) to[i] = f16_bits(static_cast<float>(from[i] - zero_point));
  });
  return y;
}

template <class Acc, class T>
void rescale_as(const void* acc_memory, int64_t rows, int64_t columns, const Scales& s, const Tensor* bias, T* y) {
  const Acc* acc = static_cast<const Acc*>(acc_memory);
  Rescale<T> how;
  how.w_scale = s.columns.data<float>().data();
  how.per_column = s.columns.size() > 1;
  how.bias = bias ? bias->data<T>().data() : nullptr;
  how.zero_point = s.zero_point;
  how.w_sums = s.zero_point ? s.sums.data<int32_t>().data() : nullptr;
  const auto row_steps = s.rows.data<float>();
  how.x_scale = row_steps[0];
  if (row_steps.size() > 1) how.x_scales = row_steps.data();
  rescale(how, rows, columns, acc, y);
}

}  // namespace

Tensor operand(const Value& v, DType type) {
  if (is_real(type)) return v.tensor();
  const Codes& c = *v.codes();
  if (is_half(type) && c.codes.dtype() == DType::u8) return halves<uint8_t>(c, type);
  if (is_half(type) && c.codes.dtype() == DType::i8) return halves<int8_t>(c, type);
  return convert(c.codes, type);
}

Tensor steps_of(const Codes& c) {
  const float unit = std::ldexp(1.0f, -(c.format.is_integer_grid() ? c.format.fraction_bits : 0));
  return unit == 1.0f ? c.scale : scaled(c.scale, unit);
}

void rescale(DType acc_type, const void* acc, int64_t rows, int64_t columns, const Scales& s, const Tensor* bias, DType type,
             void* y) {
  visit_real(type, [&]<class T>() {
    T* out = static_cast<T*>(y);
    switch (acc_type) {
      case DType::i32: return rescale_as<int32_t, T>(acc, rows, columns, s, bias, out);
      case DType::f32: return rescale_as<float, T>(acc, rows, columns, s, bias, out);
      default: return rescale_as<double, T>(acc, rows, columns, s, bias, out);
    }
  });
}

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

}  // namespace lp
