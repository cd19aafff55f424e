// Tensors from one memory type to another.
#include <cmath>

#include "lptrain/base/parallel.h"
#include "lptrain/number/half.h"
#include "lptrain/number/rounding.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// f64 -> half without rounding twice: by way of float only if that is exact.
uint16_t half_bits(const Format& format, uint16_t (*narrow)(float), double x) {
  const float f = static_cast<float>(x);
  if (static_cast<double>(f) == x || std::isnan(x)) return narrow(f);
  return static_cast<uint16_t>(format.to_bits(round_code(format, x, Rounding::nearest_even, Overflow::infinity)));
}

// How an element of each DType is read as and made from a double.
struct F16 {
  using Bits = uint16_t;
  static double read(Bits b) { return f16_value(b); }
  static Bits make(double x) { return half_bits(kF16, f16_bits, x); }
};
struct Bf16 {
  using Bits = uint16_t;
  static double read(Bits b) { return bf16_value(b); }
  static Bits make(double x) { return half_bits(kBf16, bf16_bits, x); }
};
template <class T>
struct Real {
  using Bits = T;
  static double read(T x) { return static_cast<double>(x); }
  static T make(double x) { return static_cast<T>(x); }
};
template <class T>
struct Integer {
  using Bits = T;
  static double read(T x) { return static_cast<double>(x); }
  static T make(double x) {
    const double low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max(), r = std::nearbyint(x);
    return static_cast<T>(r < low ? low : r > high ? high : std::isnan(r) ? 0.0 : r);
  }
};

template <class F>
void visit(DType type, F&& f) {
  switch (type) {
    case DType::f64: return f(Real<double>{});
    case DType::f32: return f(Real<float>{});
    case DType::f16: return f(F16{});
    case DType::bf16: return f(Bf16{});
    case DType::i8: return f(Integer<int8_t>{});
    case DType::u8: return f(Integer<uint8_t>{});
    case DType::i16: return f(Integer<int16_t>{});
    case DType::i32: return f(Integer<int32_t>{});
  }
}

}  // namespace

Tensor convert(const Tensor& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor y(x.shape(), type);
  visit(x.dtype(), [&](auto from) {
    visit(type, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const auto* a = static_cast<const typename From::Bits*>(x.raw());
      auto* b = static_cast<typename To::Bits*>(y.raw());
      parallel_for(x.size(), kGrain, [&](int64_t i) { b[i] = To::make(From::read(a[i])); });
    });
  });
  return y;
}

}  // namespace lp
