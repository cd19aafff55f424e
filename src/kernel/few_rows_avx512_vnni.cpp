// Codes unpacked in registers and multiplied there, on AVX512-VNNI.
#ifdef __AVX512VNNI__
#include "few_rows.h"

#include <immintrin.h>

#include <cstring>

namespace lp {
namespace {

int32_t total(__m512i x) {
  alignas(64) int32_t lanes[16];
  _mm512_store_si512(lanes, x);
  int32_t sum = 0;
  for (const int32_t lane : lanes) sum += lane;
  return sum;
}

__mmask64 bits_at(const uint8_t* plane, int64_t bytes) {
  const auto there = static_cast<__mmask16>((1 << bytes) - 1);
  return static_cast<__mmask64>(_mm_cvtsi128_si64(_mm_maskz_loadu_epi8(there, plane)));
}
__mmask64 bits_at(const uint8_t* plane) {
  __mmask64 bits;
  std::memcpy(&bits, plane, sizeof bits);
  return bits;
}

// R rows, weights of N planes.
template <int R, int N>
void columns(const FewRows& f, int64_t begin, int64_t end) {
  const __m512i constant = _mm512_set1_epi8(static_cast<char>(f.w.constant));
  __m512i weight[N];
  for (int i = 0; i < N; ++i) weight[i] = _mm512_set1_epi8(static_cast<char>(i + 1 < N ? 1 << i : f.w.top));
  for (int64_t j = begin; j < end; ++j) {
    const uint8_t* planes = f.w.lowest + j * f.row_bytes;
    __m512i sum[R] = {};
    const auto add_chunk = [&](int64_t at, auto&&... bytes) {
      __m512i codes = constant;
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i)
        codes = _mm512_mask_add_epi8(codes, bits_at(planes + i * f.w.stride + at / 8, bytes...), codes, weight[i]);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r] = _mm512_dpbusd_epi32(sum[r], _mm512_loadu_si512(f.a + r * f.stride + at), codes);
    };
    int64_t at = 0;
    for (; at + kFewRowsChunk <= f.k; at += kFewRowsChunk) add_chunk(at);
    if (at < f.k) add_chunk(at, f.w.stride - at / 8);
    const int32_t correction = f.corrected ? total(sum[R - 1]) : 0;
    for (int r = 0; r < f.rows; ++r) f.c[r * f.n + j] = total(sum[r]) - correction;
  }
}

template <int R, int N = kFewRowsBits>
void columns_of(const FewRows& f, int64_t begin, int64_t end) {
  if constexpr (N > 1)
    if (f.w.count < N) return columns_of<R, N - 1>(f, begin, end);
  columns<R, N>(f, begin, end);
}

}  // namespace

void few_rows_vnni(const FewRows& f, int64_t begin, int64_t end) {
  static constexpr decltype(&columns_of<1>) kColumns[] = {columns_of<1>, columns_of<2>, columns_of<3>,
                                                          columns_of<4>, columns_of<5>, columns_of<6>,
                                                          columns_of<7>, columns_of<8>, columns_of<9>};
  static_assert(sizeof kColumns / sizeof *kColumns == kFewRows + 1);
  kColumns[f.rows - 1 + f.corrected](f, begin, end);
}

}  // namespace lp
#endif
