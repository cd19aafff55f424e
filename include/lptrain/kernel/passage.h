// Where gradients pass through relu, max-pool and quantizer at once, and the loops that send errors back there.
#pragma once
#include <cstdint>

#include "lptrain/number/dtype.h"

namespace lp {

inline constexpr uint8_t kDead = 255;  // a place of a window where no gradient passes

// Rows of C channels, in f32. Pointers need no more than the alignment of their type. NaN never lies within bounds.

// where = low <= y <= high ? where : kDead, for n elements
void mark_passage(int64_t n, const float* y, float low, float high, uint8_t* where);

// dx = low <= x <= high ? dy : 0, for n elements; dx may be dy.
void pass_within(int64_t n, const float* x, float low, float high, const float* dy, float* dx);

// y[r,c] = x[r,c] s[c]; y may be x.
void scale_columns(int64_t rows, int64_t C, const float* x, const float* s, float* y);

// The least and greatest of 0 and the dy[r,c] s[c] whose where is not kDead; s may be null: 1; where may be null: none is dead.
// NaN propagates to both.
void passed_extremes(int64_t rows, int64_t C, const float* dy, const float* s, const uint8_t* where, float* low, float* high);

// sums[c] = sum over rows of the codes (i8, u8, exact; bf16, in f32 over 32 rows at a time, in f64 over these).
void code_column_sums(int64_t rows, int64_t C, DType type, const void* codes, double* sums);

}  // namespace lp
