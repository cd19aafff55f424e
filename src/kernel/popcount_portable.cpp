// The tiles of bit products, for any machine.
#include <cstring>

#include "popcount.h"

namespace lp::portable {
namespace {

typedef uint32_t Lanes [[gnu::vector_size(16)]];
constexpr int kRows = 4;

uint64_t bits_of(const uint8_t* codes, int bit) {
  uint64_t bits = 0;
  for (int i = 0; i < 64; i += 8) {
    uint64_t eight;
    std::memcpy(&eight, codes + i, sizeof eight);
    bits |= ((eight >> bit & 0x0101010101010101u) * 0x0102040810204080u) >> 56 << i;
  }
  return bits;
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
