// Codes at their own width in memory, and the matrix product that unpacks them on the way into the cache.
#pragma once
#include "lptrain/kernel/product.h"

namespace lp {

// How many bits codes in bytes have, and which: unsigned, two's complement, or the sign of -1 and 1 (one bit, set where -1).
struct CodeWidth {
  int bits = 8;
  bool is_signed = true, are_signs = false;
  int64_t row_bytes(int64_t k) const { return bits * ((k + 7) / 8); }
};

// planes[rows, bits, (k + 7) / 8] of codes[rows, k], and back: a row is one plane of bits behind the other, the lowest first, the
// first code in the lowest bit of the first byte. Codes beyond the width lose their high bits.
void pack_codes(const CodeWidth& width, int64_t rows, int64_t k, const void* codes, uint8_t* planes);
void unpack_codes(const CodeWidth& width, int64_t rows, int64_t k, const uint8_t* planes, void* codes);

// The product that matmul(key, a, b, c) makes of b[n,k] in planes: bytes to i32, with transpose_b, without transpose_a and
// accumulation. Rows of b are unpacked into the cache, as many at a time as fit there; each such panel runs on the row of the
// table that is chosen for it. With few rows of a, codes are unpacked and multiplied in registers where the machine can do that.
void matmul_packed(const MatmulKey& key, const void* a, const CodeWidth& width, const uint8_t* planes, void* c);

}  // namespace lp
