// The tiles of bit products, for AVX2: bits are counted by looking up halves of bytes.
#ifdef __AVX2__
#include <immintrin.h>

#include <cstring>

#include "popcount.h"

namespace lp::avx2 {
namespace {

typedef uint32_t Lanes [[gnu::vector_size(32)]];
constexpr int kRows = 3;

uint32_t bits_of(const uint8_t* codes, int bit) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_sll_epi16(x, _mm_cvtsi32_si128(7 - bit))));
}
typedef uint8_t Bytes [[gnu::vector_size(32)]];
inline Bytes added(Bytes x, uint32_t bits, Bytes y) {
  const __m256i which =
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
  const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), which);
  return x + (reinterpret_cast<Bytes>(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit)) & y);
}
inline Lanes differing(Lanes row, Lanes n, Lanes m) { return (row ^ n) & m; }
inline Lanes count(Lanes lanes) {
  const __m256i counts =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i x = reinterpret_cast<__m256i>(lanes), halves = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(x, halves));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), halves));
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
  return reinterpret_cast<Lanes>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

}  // namespace

#include "popcount.inl"

}  // namespace lp::avx2
#endif
