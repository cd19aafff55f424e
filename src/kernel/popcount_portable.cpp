// The tiles of bit products, for any machine.
#include <cstring>

#include "popcount.h"

namespace lp::portable {
namespace {

typedef uint32_t Lanes [[gnu::vector_size(16)]];
constexpr int kRows = 4;

typedef uint8_t Bytes [[gnu::vector_size(16)]];

uint16_t bits_of(const uint8_t* codes, int bit) {
  uint64_t eights[2], bits = 0;
  std::memcpy(eights, codes, sizeof eights);
  for (int i = 0; i < 2; ++i) bits |= (eights[i] >> bit & 0x0101010101010101u) * 0x0102040810204080u >> 56 << 8 * i;
  return static_cast<uint16_t>(bits);
}
inline Bytes added(Bytes x, uint16_t bits, Bytes y) {
  uint64_t eights[2];
  for (int i = 0; i < 2; ++i) {
    const uint64_t bit_by_byte = (bits >> 8 * i & 0xff) * 0x0101010101010101u & 0x8040201008040201u;
    eights[i] = ((bit_by_byte + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u) * 0xff;
  }
  Bytes bytes;
  std::memcpy(&bytes, eights, sizeof bytes);
  return x + (bytes & y);
}
inline Lanes differing(Lanes row, Lanes n, Lanes m) { return (row ^ n) & m; }
inline Lanes count(Lanes x) {
  x -= x >> 1 & 0x55555555u;
  x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0fu;
  x += x >> 8;
  return (x + (x >> 16)) & 0x3fu;
}

}  // namespace

#include "popcount.inl"

}  // namespace lp::portable
