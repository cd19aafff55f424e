// How a number lies in memory. Which reals exist is a Format's matter; a DType only says bytes.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "lptrain/base/error.h"

namespace lp {

// f16 and bf16 are held as their bit patterns (uint16_t, see number/half.h).
enum class DType : uint8_t { f64, f32, f16, bf16, i8, u8, i16, i32 };

struct DTypeRow {
  DType type;
  std::string_view name;
  int bytes;
  std::string_view safetensors;  // its name in a safetensors file
};
inline constexpr std::array<DTypeRow, 8> kDTypes{{
    {DType::f64, "f64", 8, "F64"},
    {DType::f32, "f32", 4, "F32"},
    {DType::f16, "f16", 2, "F16"},
    {DType::bf16, "bf16", 2, "BF16"},
    {DType::i8, "i8", 1, "I8"},
    {DType::u8, "u8", 1, "U8"},
    {DType::i16, "i16", 2, "I16"},
    {DType::i32, "i32", 4, "I32"},
}};

constexpr const DTypeRow& row_of(DType t) { return kDTypes[static_cast<size_t>(t)]; }
constexpr int bytes_of(DType t) { return row_of(t).bytes; }
constexpr std::string_view name_of(DType t) { return row_of(t).name; }
constexpr bool is_real(DType t) {
  return t == DType::f64 || t == DType::f32;
}  // types that arithmetic outside products is done in
constexpr bool is_half(DType t) { return t == DType::f16 || t == DType::bf16; }
constexpr bool is_byte(DType t) { return t == DType::i8 || t == DType::u8; }

// The DType of a C++ type; f16 and bf16 share uint16_t and have none.
template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::i16;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}

// Calls f.template operator()<T>() with the C++ type of a real DType (f32 or f64).
template <class F>
decltype(auto) visit_real(DType t, F&& f) {
  require(is_real(t), "arithmetic is done in f32 or f64, found {}", name_of(t));
  if (t == DType::f64) return f.template operator()<double>();
  return f.template operator()<float>();
}

}  // namespace lp
