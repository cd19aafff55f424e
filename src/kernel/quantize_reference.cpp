// Quantization as its header defines it, one element at a time, by way of round_code and double precision.
#include "quantize_reference.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/parallel.h"
#include "lptrain/number/half.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 12;                                     // elements a thread takes at once
constexpr Format kIntegers{Format::Family::Fixed, true, false, 40, 0};  // more than any code needs

int64_t channel_of(const QuantizeKey& key, int64_t i) { return i / key.lanes.inner % key.lanes.channels; }

// f(i) for every element.
template <class F>
void for_elements(const QuantizeKey& key, F&& f) {
  parallel_for(key.lanes.size(), kGrain, f);
}

template <class T>
T scaled_down(const QuantizeKey& key, const T* x, const float* scale, int64_t i) {
  const int64_t c = channel_of(key, i);
  const T shifted = key.offset ? x[i] - static_cast<T>(key.offset[c]) : x[i];
  const float* step = key.decision ? key.decision : scale;
  return step ? shifted / static_cast<T>(step[c]) : shifted;
}

template <class T>
T scaled_up(const QuantizeKey& key, double value, const float* scale, int64_t i) {
  const int64_t c = channel_of(key, i);
  T y = static_cast<T>(value);
  if (scale) y *= static_cast<T>(scale[c]);
  if (key.offset) y += static_cast<T>(key.offset[c]);
  return y;
}

// The grid's own steps are 2^-F.
int64_t wrapped_code(const QuantizeKey& key, double v, double u) {
  const bool is_unit = key.rounding == Rounding::pseudo_stochastic;
  return round_code(key.format, v, key.rounding, key.overflow, is_unit ? std::ldexp(u, -key.format.fraction_bits) : u);
}

int64_t code_of(const QuantizeKey& key, double v, int64_t i) {
  const double u = key.rounding == Rounding::pseudo_stochastic
                       ? std::ldexp(1.0, -key.cut)
                       : static_cast<double>(key.noise.uniform(key.first + static_cast<uint64_t>(i)));
  if (!key.format.is_integer_grid()) return round_code(key.format, v, key.rounding, key.overflow, u);
  if (std::isnan(v)) v = 0;
  if (key.overflow == Overflow::wrap) return wrapped_code(key, v, u);
  const int64_t code = round_code(kIntegers, std::ldexp(v, key.format.fraction_bits), key.rounding, u);
  return std::clamp(code + key.zero_point, key.lo, key.hi);
}

double value_of(const QuantizeKey& key, int64_t code, double v) {
  const double value = key.format.value(key.format.is_integer_grid() ? code - key.zero_point : code);
  return value == 0 && key.format.is_float() ? std::copysign(0.0, v) : value;
}

uint16_t pattern_of(const QuantizeKey& key, int64_t code, double v) {
  const bool is_minus_zero = code == 0 && std::signbit(v);
  return static_cast<uint16_t>(key.format.to_bits(code) | (is_minus_zero ? 0x8000u : 0u));
}

template <class T, class C>
void quantize_as(const QuantizeKey& key, const T* x, const float* scale, C* codes) {
  for_elements(key, [&](int64_t i) { codes[i] = static_cast<C>(code_of(key, scaled_down(key, x, scale, i), i)); });
}

template <class T>
void quantize_half(const QuantizeKey& key, const T* x, const float* scale, uint16_t* codes) {
  for_elements(key, [&](int64_t i) {
    const double v = scaled_down(key, x, scale, i);
    codes[i] = pattern_of(key, code_of(key, v, i), v);
  });
}

template <class T, class C>
void dequantize_as(const QuantizeKey& key, const C* codes, const float* scale, T* y) {
  for_elements(key, [&](int64_t i) { y[i] = scaled_up<T>(key, value_of(key, codes[i], 0), scale, i); });
}

template <class T>
void dequantize_half(const QuantizeKey& key, const uint16_t* codes, const float* scale, T* y) {
  const auto value = key.format == kBf16 ? bf16_value : f16_value;
  for_elements(key, [&](int64_t i) { y[i] = scaled_up<T>(key, value(codes[i]), scale, i); });
}

}  // namespace

void quantize_reference(const QuantizeKey& key, DType x_type, const void* x, const float* scale, DType codes_type, void* codes) {
  visit_real(x_type, [&]<class T>() {
    const T* a = static_cast<const T*>(x);
    switch (codes_type) {
      case DType::i8: return quantize_as(key, a, scale, static_cast<int8_t*>(codes));
      case DType::u8: return quantize_as(key, a, scale, static_cast<uint8_t*>(codes));
      case DType::i16: return quantize_as(key, a, scale, static_cast<int16_t*>(codes));
      case DType::i32: return quantize_as(key, a, scale, static_cast<int32_t*>(codes));
      default: return quantize_half(key, a, scale, static_cast<uint16_t*>(codes));
    }
  });
}

void dequantize_reference(const QuantizeKey& key, DType codes_type, const void* codes, const float* scale, DType y_type,
                          void* y) {
  visit_real(y_type, [&]<class T>() {
    T* b = static_cast<T*>(y);
    switch (codes_type) {
      case DType::i8: return dequantize_as(key, static_cast<const int8_t*>(codes), scale, b);
      case DType::u8: return dequantize_as(key, static_cast<const uint8_t*>(codes), scale, b);
      case DType::i16: return dequantize_as(key, static_cast<const int16_t*>(codes), scale, b);
      case DType::i32: return dequantize_as(key, static_cast<const int32_t*>(codes), scale, b);
      default: return dequantize_half(key, static_cast<const uint16_t*>(codes), scale, b);
    }
  });
}

void quantize_values_reference(const QuantizeKey& key, DType type, const void* x, const float* scale, void* y) {
  visit_real(type, [&]<class T>() {
    for_elements(key, [&](int64_t i) {
      const double v = scaled_down(key, static_cast<const T*>(x), scale, i);
      static_cast<T*>(y)[i] = scaled_up<T>(key, value_of(key, code_of(key, v, i), v), scale, i);
    });
  });
}

}  // namespace lp
