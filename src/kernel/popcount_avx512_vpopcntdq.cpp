// The tiles of bit products, for AVX-512 that counts bits by itself.
#ifdef __AVX512VPOPCNTDQ__
#include <immintrin.h>

#include <cstring>

#include "popcount.h"

namespace lp::avx512_vpopcntdq {
namespace {

typedef uint32_t Lanes [[gnu::vector_size(64)]];
constexpr int kRows = 12;  // with two vectors a row, 24 of the 32 registers are sums

uint64_t bits_of(const uint8_t* codes, int bit) {
  return _mm512_test_epi8_mask(_mm512_loadu_si512(codes), _mm512_set1_epi8(static_cast<char>(1 << bit)));
}
typedef uint8_t Bytes [[gnu::vector_size(64)]];
inline Bytes added(Bytes x, uint64_t bits, Bytes y) {
  const auto to = reinterpret_cast<__m512i>(x);
  return reinterpret_cast<Bytes>(_mm512_mask_add_epi8(to, bits, to, reinterpret_cast<__m512i>(y)));
}
inline Lanes differing(Lanes row, Lanes n, Lanes m) {
  constexpr int kTruth = (0xf0 ^ 0xcc) & 0xaa;
  return reinterpret_cast<Lanes>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(row), reinterpret_cast<__m512i>(n),
                                                           reinterpret_cast<__m512i>(m), kTruth));
}
inline Lanes count(Lanes x) { return reinterpret_cast<Lanes>(_mm512_popcnt_epi32(reinterpret_cast<__m512i>(x))); }

}  // namespace

#include "popcount.inl"

}  // namespace lp::avx512_vpopcntdq
#endif
