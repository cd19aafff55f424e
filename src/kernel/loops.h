// The inner loops that are compiled once per instruction set: map.inl, pool.inl, ... inside loops_<isa>.cpp. Only plain data and
// functions pass this border, and those files use no inline function of a shared header: else the linker might keep the copy that
// was compiled for AVX-512 and call it on a machine without.
#pragma once
#include <cstdint>

#include "lptrain/kernel/pool.h"
#include "lptrain/number/rounding.h"

namespace lp {

// An integer as wide as a number of that many bytes.
template <int bytes>
struct Integer;
template <>
struct Integer<1> {
  using type = uint8_t;
};
template <>
struct Integer<2> {
  using type = uint16_t;
};
template <>
struct Integer<4> {
  using type = int32_t;
};
template <>
struct Integer<8> {
  using type = int64_t;
};

template <class T>
struct MapLoops {
  void (*relu)(int64_t n, const T* x, T* y);
  void (*relu_backward)(int64_t n, const T* y, const T* dy, T* dx);
  void (*add)(int64_t n, const T* a, const T* b, T* y);
  void (*scale)(int64_t n, T a, const T* x, T* y);
  void (*axpy)(int64_t n, T a, const T* x, T* y);
  void (*add_bias)(int64_t rows, int64_t cols, const T* x, const T* bias, T* y);
  void (*column_sums)(int64_t rows, int64_t cols, const T* x, T* block, double* total);  // adds to total
  double (*sum)(int64_t n, const T* x);
  double (*sum_squares)(int64_t n, const T* x);
};

template <class T>
struct StatisticsLoops {                                     // a run of one channel; and rows of channels, one element each
  void (*extremes)(int64_t n, const T* x, T* low, T* high);  // widens low..high; a NaN ends up in high, a -NaN in low
  void (*extremes_rows)(int64_t rows, int64_t cols, const T* x, T* low, T* high);
  double (*sum_abs)(int64_t n, const T* x);
  void (*sum_abs_rows)(int64_t rows, int64_t cols, const T* x, double* total);  // adds to total
};

// One image: x and dx [H,W,C], y, dy and where [OH,OW,C].
template <class T>
struct MaxPoolLoops {
  void (*forward)(const PoolShape& s, int64_t OH, int64_t OW, const T* x, T* y, uint8_t* where);
};
template <class T>
struct PoolLoops {
  void (*max_backward)(const PoolShape& s, int64_t OH, int64_t OW, const T* dy, const uint8_t* where, T* dx);
  void (*average)(const PoolShape& s, int64_t OH, int64_t OW, const T* x, T* y);
  void (*average_backward)(const PoolShape& s, int64_t OH, int64_t OW, const T* dy, T* dx);
};

// y = T(acc - shift[c]) * m[c] + bias[c]; bias may be null.
template <class T>
struct RescaleLoops {
  void (*from_i32)(int64_t rows, int64_t cols, const int32_t* acc, const int32_t* shift, const T* m, const T* bias, T* y);
  void (*from_f32)(int64_t rows, int64_t cols, const float* acc, const float* shift, const T* m, const T* bias, T* y);
  void (*from_f64)(int64_t rows, int64_t cols, const double* acc, const double* shift, const T* m, const T* bias, T* y);
};

template <class T>
struct SgdNumbers {
  T lr, momentum, decay;
  bool has_momentum, has_decay, nesterov, first;
};
template <class T>
struct AdamNumbers {
  T step_size, beta1, one_minus_beta1, beta2, one_minus_beta2, root, eps, decay, shrink;  // root = sqrt(1 - beta2^step)
};
template <class T>
struct UpdateLoops {
  void (*sgd)(const SgdNumbers<T>& how, int64_t n, const T* dw, T* w, T* velocity);
  void (*adam)(const AdamNumbers<T>& how, int64_t n, const T* dw, T* w, T* m, T* v);
};

// What the quantizing loops know of a format and of a call.
struct Grid {
  enum class Kind : uint8_t { integers, magnitudes, binary, table };
  Kind kind = Kind::integers;
  Rounding rounding = Rounding::nearest_even;
  // integers: code = clamp(v * power, low, high) rounded + zero_point
  float power = 1, inverse_power = 1, low = 0, high = 0;
  int32_t zero_point = 0, cut = 0;  // cut: bits that pseudo_stochastic looks at
  // magnitudes (floats, powers of two): |code| = (bits of |v| >> shift) - rebias from min_normal on, |v| * to_subnormal below
  int32_t shift = 0, rebias = 0, min_normal = 0, first_normal = 0;  // min_normal: bits of an f32; first_normal: its code
  float to_subnormal = 0, smallest = 0;
  int32_t hi = 0, limit = 0;  // the last code; from code `limit` on, v counts as hi + beyond
  float beyond = 0;
  int32_t from_nan = 0;   // the code that NaN becomes
  int32_t infinity = 0;   // the code beyond hi that stands for infinity, or -1; all others are NaN
  int32_t zero_sign = 0;  // the sign bit if the sign of zero is kept
  // The same without codes: bits of the last real, of what lies beyond it, of NaN's real; 2^23 times the
  // smallest real; whether the bits of a real are odd where its code is even.
  int32_t last_bits = 0, beyond_bits = 0, nan_bits = 0, parity = 0;
  float rounder = 0;
  // table: code = lowest + the number of thresholds at or below v, of which start[bits of v >> start_shift] are known and at most
  // 2^steps - 1 are in doubt; see code_table.h
  const int32_t* start = nullptr;
  int32_t start_shift = 0;
  const float* thresholds = nullptr;
  const double* reals = nullptr;  // of lowest ..., `count` of them and one more
  int32_t steps = 0, lowest = 0, count = 0;
  bool is_plain_bf16 = false;  // f32 to bf16 and back: nearest even, overflow to infinity, no scale, no offset
};

// A run of elements: their scales, offsets and decision scales are one number each, or one per element.
struct Run {
  int64_t n;
  uint32_t index;  // low half of the first element's index in the noise; key: see Key::bits32
  uint64_t key;
  const float* scale;
  const float* offset;    // may be null
  const float* decision;  // what x is divided by
  bool per_element;
};

struct PassageLoops {  // see kernel/passage.h
  void (*mark)(int64_t n, const float* y, float low, float high, uint8_t* where);
  void (*pass_within)(int64_t n, const float* x, float low, float high, const float* dy, float* dx);
  void (*scale_columns)(int64_t rows, int64_t cols, const float* x, const float* s, float* y);
  void (*extremes)(int64_t rows, int64_t cols, const float* dy, const float* s, const uint8_t* where, float* low, float* high);
  void (*all_extremes)(int64_t rows, int64_t cols, const float* dy, const float* s, const uint8_t*, float* low, float* high);
  void (*sum_i8)(int64_t rows, int64_t cols, const int8_t* codes, int32_t* sums);  // the sums add to what is there
  void (*sum_u8)(int64_t rows, int64_t cols, const uint8_t* codes, int32_t* sums);
  void (*sum_bf16)(int64_t rows, int64_t cols, const uint16_t* bits, float* sums);
};

template <class T>
struct NormLoops {  // see kernel/norm.h; the sums add to what is there, moments are those of x - origin
  void (*moments)(int64_t rows, int64_t cols, const T* x, const T* origin, double* first, double* second);
  void (*apply)(int64_t rows, int64_t cols, const T* x, const T* mean, const T* factor, const T* term, T* y);
  void (*backward_sums)(int64_t rows, int64_t cols, const T* dy, const uint8_t* where, const T* x, const T* mean, double* first,
                        double* second);
  void (*backward)(int64_t rows, int64_t cols, const T* dy, const uint8_t* where, const T* x, const T* mean, const T* p,
                   const T* q, const T* s, T* dx);
};

struct SplitLoops {  // see split.h
  void (*split)(int64_t n, const int16_t* x, int8_t* high, uint8_t* low);
  void (*join)(int64_t n, const int32_t* hh, const int32_t* hl, const int32_t* lh, const int32_t* ll, bool accumulate, double* c);
};

struct WidenLoops {  // bit patterns to floats, exactly; see widen.h
  void (*from_f16)(int64_t n, const uint16_t* x, float* y);
  void (*from_bf16)(int64_t n, const uint16_t* x, float* y);
};

template <class C>
struct CodeLoops {  // C = uint16_t: bit patterns of f16 or bf16
  void (*quantize)(const Grid& grid, const Run& run, const float* x, C* codes);
  void (*dequantize)(const Grid& grid, const Run& run, const C* codes, float* y);
};

struct Loops {
  MapLoops<float> map32;
  MapLoops<double> map64;
  StatisticsLoops<float> statistics32;
  StatisticsLoops<double> statistics64;
  MaxPoolLoops<float> max_f32;
  MaxPoolLoops<double> max_f64;
  MaxPoolLoops<int8_t> max_i8;
  MaxPoolLoops<uint8_t> max_u8;
  MaxPoolLoops<int16_t> max_i16;
  PoolLoops<float> pool32;
  PoolLoops<double> pool64;
  RescaleLoops<float> rescale32;
  RescaleLoops<double> rescale64;
  UpdateLoops<float> update32;
  UpdateLoops<double> update64;
  CodeLoops<int8_t> codes_i8;
  CodeLoops<uint8_t> codes_u8;
  CodeLoops<int16_t> codes_i16;
  CodeLoops<int32_t> codes_i32;
  CodeLoops<uint16_t> codes_half;
  void (*quantize_values)(const Grid& grid, const Run& run, const float* x, float* y);
  PassageLoops passage;
  SplitLoops split;
  WidenLoops widen;
  NormLoops<float> norm32;
  NormLoops<double> norm64;
};

namespace portable {
extern const Loops kLoops;
}
namespace avx2 {
extern const Loops kLoops;
}
namespace avx512 {
extern const Loops kLoops;
}

const Loops& loops();  // of the best instruction set that is allowed

}  // namespace lp
