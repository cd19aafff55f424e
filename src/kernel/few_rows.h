// Products of a few rows with packed weights: nothing is gained by unpacking to memory what is used once.
#pragma once
#include "popcount.h"

namespace lp {

inline constexpr int64_t kFewRows = 8, kFewRowsChunk = 64;  // at most; codes that are unpacked at a time
inline constexpr int kFewRowsBits = 7;                      // of a code, so that it fits a signed byte

// c[r, j] = sum_k a[r,k] w[j,k] - the same sum of the row behind the last one, if `corrected`. Rows of a: u8, zeros behind k up
// to a whole chunk. w: planes of codes, one row of them `row_bytes` behind the other.
struct FewRows {
  int64_t rows, n, k, stride;
  bool corrected;
  const uint8_t* a;
  BitPlanes w;
  int64_t row_bytes;
  int32_t* c;
};
void few_rows_vnni(const FewRows& product, int64_t begin, int64_t end);  // columns begin .. end-1; needs avx512_vnni

}  // namespace lp
