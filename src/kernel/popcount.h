// Products of codes with few levels, counted instead of multiplied: what the rows "popcount" of both product tables are made of.
//
// The right operand w holds -1, 0 and 1: its planes are n, where it is negative (bit 1 of the code), and m, where it is not zero
// (bit 0). The left one is a constant and weighted bits b of its code in two's complement:
//   bit  x = b0    signs  x = 1 - 2 b1    two_bits  x = b0 + 2 b1    ternary, signed_two_bits  x = b0 - 2 b1
// Since sum_k b w = popcount((b ^ n) & m) - popcount(n), a sum of products is, modulo 2^32,
//   sum_k x w = constant sum_k w - (sum of weights) popcount(n) + sum over bits: weight popcount((b ^ n) & m)
// Where m is 0, b may be anything: rows end where w does, and what follows them in memory does not matter.
// With two planes of signs it is XNOR-Net's product.   Source: Rastegari et al. 2016, section 3.2
#pragma once
#include "lptrain/kernel/product.h"
#include "tile.h"

namespace lp {

// How the planes of the left operand lie behind each other, the one of the highest bit first, and how their counts are joined:
// factor * (ratio * first + second), or factor * first.
struct BitRows {
  Walk walk;  // of one plane
  int64_t planes, plane_stride;
  uint32_t ratio, factor;
};

// Codes as planes of bits, the lowest one first: code = constant + sum of weighted bits, where bit i weighs 2^i, but the highest
// one `top`.
struct BitPlanes {
  const uint8_t* lowest;
  int64_t stride;
  int count, constant, top;
};

// The inner loops, compiled once per instruction set from popcount.inl.
struct BitLoops {
  int64_t rows, lanes;  // of a tile: so many rows at most; columns of a panel are one or two vectors of lanes
  // to[(n + 7) / 8 bytes] = one bit of each of n codes, the first one lowest. Returns how many are set.
  uint32_t (*pack)(const uint8_t* codes, int64_t n, int bit, uint8_t* to);
  void (*unpack)(const BitPlanes& planes, int64_t n, uint8_t* to);  // to[n]: the codes again
  // c[p, j] (+)= start[j] + joined counts of (a[p] ^ n) & m; packed holds [step, {n, m}, columns of the panel].
  void (*tile)(int64_t rows, const uint8_t* const* a, const BitRows& how, const uint32_t* packed, const int32_t* start,
               const Target& target);
};
namespace portable {
extern const BitLoops kBitLoops;
}
namespace avx2 {
extern const BitLoops kBitLoops;
}
namespace avx512_vpopcntdq {
extern const BitLoops kBitLoops;
}

const BitLoops& bit_loops();  // of the best instruction set that is allowed

const char* matmul_popcount_refuses(const MatmulKey& key);
const char* conv2d_popcount_refuses(const ConvKey& key);
void matmul_popcount_on(const BitLoops& loops, const MatmulKey& key, const void* a, const void* b, void* c);
ConvReady conv2d_popcount_on(const BitLoops& loops, const ConvKey& key, const void* b);

// The rows' functions, by instruction set.
template <const BitLoops& loops>
void matmul_popcount(const MatmulKey& key, const void* a, const void* b, void* c) {
  matmul_popcount_on(loops, key, a, b, c);
}
template <const BitLoops& loops>
ConvReady conv2d_popcount_ready(const ConvKey& key, const void* b) {
  return conv2d_popcount_on(loops, key, b);
}
template <const BitLoops& loops>
void conv2d_popcount(const ConvKey& key, const void* a, const void* b, void* c) {
  conv2d_popcount_on(loops, key, b)(a, c);
}

}  // namespace lp
