// The operand types that products take, as C++ types: what each is held in, widened to, and summed in; and their sizes.
#pragma once
#include <cstdint>
#include <optional>
#include <type_traits>

#include "lptrain/kernel/product.h"
#include "lptrain/number/dtype.h"
#include "lptrain/number/half.h"

namespace lp {

struct F16 {
  uint16_t bits;
};
struct Bf16 {
  uint16_t bits;
};

// Elements of a convolution's three tensors.
inline int64_t size_x(const ConvShape& s) { return s.N * s.H * s.W * s.C; }
inline int64_t size_w(const ConvShape& s) { return s.O * s.KH * s.KW * s.C / s.groups; }
inline int64_t size_y(const ConvShape& s) { return s.N * s.OH() * s.OW() * s.O; }

// Elements of what a pass multiplies and makes.
inline int64_t size_a(const ConvKey& key) { return key.pass == ConvPass::backward_data ? size_y(key.shape) : size_x(key.shape); }
inline int64_t size_b(const ConvKey& key) {
  return key.pass == ConvPass::backward_weights ? size_y(key.shape) : size_w(key.shape);
}
inline int64_t size_c(const ConvKey& key) {
  switch (key.pass) {
    case ConvPass::forward: return size_y(key.shape);
    case ConvPass::backward_data: return size_x(key.shape);
    case ConvPass::backward_weights: break;
  }
  return size_w(key.shape);
}

// The number an operand stands for, in the narrowest type whose arithmetic is exact for it.
inline double wide(double x) { return x; }
inline float wide(float x) { return x; }
inline float wide(F16 x) { return f16_value(x.bits); }
inline float wide(Bf16 x) { return bf16_value(x.bits); }
inline int32_t wide(int8_t x) { return x; }
inline int32_t wide(uint8_t x) { return x; }
inline int32_t wide(int16_t x) { return x; }

constexpr bool is_integer_product(DType a) { return is_byte(a) || a == DType::i16; }

// What the product of two types is held in; nothing if there is no such product.
constexpr std::optional<DType> product_type(DType a, DType b) {
  if (is_byte(a) && is_byte(b)) return DType::i32;
  if (a != b) return {};
  if (a == DType::f64 || a == DType::i16) return DType::f64;
  if (a == DType::i32) return {};
  return DType::f32;
}

// Calls f.operator()<A, B, C>() with the C++ types of a product; the types must have one.
template <class F>
void visit_product(DType a, DType b, F&& f) {
  switch (a) {
    case DType::f64: return f.template operator()<double, double, double>();
    case DType::f32: return f.template operator()<float, float, float>();
    case DType::f16: return f.template operator()<F16, F16, float>();
    case DType::bf16: return f.template operator()<Bf16, Bf16, float>();
    case DType::i16: return f.template operator()<int16_t, int16_t, double>();
    case DType::i8:
      if (b == DType::i8) return f.template operator()<int8_t, int8_t, int32_t>();
      return f.template operator()<int8_t, uint8_t, int32_t>();
    case DType::u8:
      if (b == DType::i8) return f.template operator()<uint8_t, int8_t, int32_t>();
      return f.template operator()<uint8_t, uint8_t, int32_t>();
    case DType::i32: break;
  }
}

// One sum of products, slowly and surely: modulo 2^32 for bytes (like every integer row), in double for the rest, rounded once at
// the end.
template <class C>
class Sum {
 public:
  template <class A, class B>
  void add(A a, B b) {
    if constexpr (std::is_same_v<C, int32_t>)
      total_ += static_cast<uint32_t>(wide(a) * wide(b));
    else
      total_ += static_cast<double>(wide(a)) * static_cast<double>(wide(b));
  }
  void start_from(C c) { total_ = static_cast<decltype(total_)>(c); }
  C value() const { return static_cast<C>(total_); }

 private:
  std::conditional_t<std::is_same_v<C, int32_t>, uint32_t, double> total_ = 0;
};

}  // namespace lp
