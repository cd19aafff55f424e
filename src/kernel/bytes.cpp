// Transposition and sign flips of byte matrices.
#include "bytes.h"

#include <algorithm>
#include <cstring>

#include "lptrain/base/parallel.h"

namespace lp {
namespace {

constexpr int64_t kSide = 8;

// Swaps the `bits` wide off-diagonal fields of two rows: three rounds of it transpose 8 x 8 bytes.
void exchange(uint64_t& low, uint64_t& high, int bits, uint64_t mask) {
  const uint64_t difference = ((low >> bits) ^ high) & mask;
  high ^= difference;
  low ^= difference << bits;
}

void transpose_block(const uint8_t* from, int64_t from_stride, uint64_t flip, uint8_t* to, int64_t to_stride) {
  uint64_t row[kSide];
  for (int64_t i = 0; i < kSide; ++i) {
    std::memcpy(&row[i], from + i * from_stride, kSide);
    row[i] ^= flip;
  }
  for (int i = 0; i < 4; ++i) exchange(row[i], row[i + 4], 32, 0x00000000ffffffffull);
  for (int i : {0, 1, 4, 5}) exchange(row[i], row[i + 2], 16, 0x0000ffff0000ffffull);
  for (int i : {0, 2, 4, 6}) exchange(row[i], row[i + 1], 8, 0x00ff00ff00ff00ffull);
  for (int64_t i = 0; i < kSide; ++i) std::memcpy(to + i * to_stride, &row[i], kSide);
}

}  // namespace

void transpose_window(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t columns, uint8_t flip, uint8_t* to,
                      int64_t to_stride) {
  const int64_t whole_rows = rows / kSide * kSide, whole_columns = columns / kSide * kSide;
  for (int64_t j = 0; j < whole_columns; j += kSide)
    for (int64_t i = 0; i < whole_rows; i += kSide)
      transpose_block(from + i * from_stride + j, from_stride, flip * 0x0101010101010101ull, to + j * to_stride + i, to_stride);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_stride + i] = from[i * from_stride + j] ^ flip;
}

void transpose_bytes(int64_t rows, int64_t columns, const uint8_t* from, uint8_t* to) {
  constexpr int64_t strip = 8 * kSide;  // whole cache lines of `to`
  parallel_chunks(rows, strip, [&](int64_t begin, int64_t end) {
    transpose_window(from + begin * columns, columns, end - begin, columns, 0, to + begin, rows);
  });
}

void flip_bytes(const uint8_t* from, int64_t n, uint8_t flip, uint8_t* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i] ^ flip;
}

}  // namespace lp
