// Moves between reals and codes, and the measurements that scales are made of.
#pragma once
#include <cstdint>

#include "lptrain/base/random.h"
#include "lptrain/number/dtype.h"
#include "lptrain/number/format.h"
#include "lptrain/number/rounding.h"

namespace lp {

// A tensor seen as [outer, channels, inner]; the scale of element (i,c,j) is scale[c].
// Per tensor: outer = 1, channels = 1, inner = n.
struct Lanes {
  int64_t outer = 1, channels = 1, inner = 1;
  int64_t size() const { return outer * channels * inner; }
};

// With T the real type (f32 or f64), v = T(T(x - offset_c) / decision_c), both rounded as IEEE 754 says, decision_c being
// scale_c unless given, and u = noise.uniform(first + i) for element i, every row of this family computes exactly
//   integer grids (int, uint, fixed point, ternary): code = clamp(round(v 2^F) + zero_point, lo, hi); NaN is taken for 0;
//                                                    wrap keeps the low bits of the rounded integer (zero_point = 0)
//   other formats: code = round_code(format, v, rounding, overflow, u); lo, hi and zero_point have no meaning there
// where round to an integer is round_code on a grid of all integers: stochastic takes ceil if u < v - floor(v), so that a real
// that is on the grid stays what it is; pseudo_stochastic, for integer grids only, sees v 2^F in units of 2^-cut.
struct QuantizeKey {
  Format format;
  Rounding rounding = Rounding::nearest_even;
  Overflow overflow = Overflow::saturate;
  int64_t lo = format.lo(), hi = format.hi();  // codes kept, of integer grids (narrow range: lo = -hi)
  int32_t zero_point = 0;                      // of integer grids
  Lanes lanes = {};
  Key noise = {};
  uint64_t first = 0;               // logical index of element 0
  int cut = 0;                      // bits that pseudo_stochastic looks at: 0..kMostCut
  const float* offset = nullptr;    // [channels], or null: none
  const float* decision = nullptr;  // [channels], what x is divided by; null: the scale, which results are multiplied with
};

inline constexpr int kMostCut = 30;  // bits behind these count as 0

// In all functions: scale is [channels], or null: all 1; pointers need no more than the alignment of their type.
// Error if codes do not fit into codes_type.

// x (f32 or f64) -> codes in memory type `codes_type`: i8 u8 i16 i32 hold the code; bf16 and f16 hold the bit pattern (their
// own formats only; with Overflow::infinity and nearest_even that is the plain conversion, but every NaN becomes the canonical
// one).
void quantize(const QuantizeKey& key, DType x_type, const void* x, const float* scale, DType codes_type, void* codes);

// y = scale_c value(code - zero_point) (+ offset_c): the value is rounded to T, then the product, then the sum.
void dequantize(const QuantizeKey& key, DType codes_type, const void* codes, const float* scale, DType y_type, void* y);

// The same as quantize and dequantize in one pass that stores no codes; any format; x and y may be the same memory.
// Signed floats keep the sign of zero, and NaN if they have it.
void quantize_values(const QuantizeKey& key, DType type, const void* x, const float* scale, void* y);

// Why the vector rows leave this call to the scalar reference ("x is f64"), or nullptr if they take it.
const char* vector_rows_refuse(const QuantizeKey& key, DType x_type);

// Per channel over outer and inner: the largest |x|; the least and greatest x; the mean of |x| (sum in f64). NaN propagates.
// Without elements: 0. f64 is rounded to f32 at the end. The same bits on every instruction set and number of threads.
void absmax(const Lanes& lanes, DType type, const void* x, float* out);
void minmax(const Lanes& lanes, DType type, const void* x, float* low, float* high);
void mean_abs(const Lanes& lanes, DType type, const void* x, float* out);

// The largest e with all numbers (but infinities and NaN) multiples of 2^e; 0 if they are all 0.
int common_exponent(DType type, int64_t n, const void* x);

}  // namespace lp
