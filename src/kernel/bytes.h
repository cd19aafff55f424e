// Byte matrices brought into the form that a product instruction wants: transposed, or with the other signedness.
#pragma once
#include <cstdint>

namespace lp {

// What turns i8 x into u8 x + 128, and u8 x into i8 x - 128, by exclusive or.
constexpr uint8_t kSignBit = 0x80;

// to[j * to_stride + i] = from[i * from_stride + j] ^ flip for a rows x columns window; on the calling thread.
void transpose_window(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t columns, uint8_t flip, uint8_t* to,
                      int64_t to_stride);

// to[columns, rows] = from[rows, columns] transposed; on all threads.
void transpose_bytes(int64_t rows, int64_t columns, const uint8_t* from, uint8_t* to);

// to = from ^ flip for n bytes; on the calling thread.
void flip_bytes(const uint8_t* from, int64_t n, uint8_t flip, uint8_t* to);

}  // namespace lp
