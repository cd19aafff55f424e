// From the exact integers of a product to reals: scales, zero point, bias.
#pragma once
#include <cstdint>

namespace lp {

// What turns the sum of x-codes times w-codes into a real: scales, zero point, bias. T is the type of the result, f32 or f64.
template <class T>
struct Rescale {
  float x_scale = 1;
  const float* w_scale = nullptr;  // [cols], or one number if !per_column
  bool per_column = true;
  const T* bias = nullptr;          // [cols], or null: none
  int32_t zero_point = 0;           // of x
  const int32_t* w_sums = nullptr;  // [cols], sums of the w-codes (code_sums); read only if zero_point != 0
  const float* x_scales = nullptr;  // [rows], in place of x_scale; or null
};

// y[rows, cols] = (acc - zero_point * w_sums[c]) * (x_scale * w_scale[c]) + bias[c], rounded in exactly this order, all in T:
//   a = T(acc - zero_point * w_sums[c])       the integer difference is exact, then rounded once to T (nearest even)
//   m = T(x_scale or x_scales[r]) * T(w_scale[c])    rounded to T
//   y = T(T(a * m) + bias[c])                 product, then sum: two roundings, never fused; without a bias, T(a * m)
// Simulated and native products share this function; so their results are equal bit for bit.
// acc holds i32 (8-bit codes), integers in f64 (16-bit codes), whose difference must fit the same type, or f32 (halves, without
// a zero point). y may be acc.
template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const int32_t* acc, T* y);
template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const float* acc, T* y);
template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const double* acc, T* y);

// sums[o] = sum over k of w[o, k], the codes of a weight matrix [O, K] (i8, u8 or i16). Error unless K < 2^31 / the largest
// |code|.
template <class C>
void code_sums(int64_t O, int64_t K, const C* w, int32_t* sums);

}  // namespace lp
