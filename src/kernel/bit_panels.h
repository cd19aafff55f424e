// Codes as planes of bits: rows and images of the left operand of a counted product, and panels of the right one.
#pragma once
#include <vector>

#include "popcount.h"

namespace lp {

// How codes with few levels are made of the bits of their bytes (see popcount.h).
struct Planes {
  int64_t count;  // of planes, from the bit `high` on downwards
  int high;
  uint32_t ratio, factor;
  uint32_t constant;                                                         // 0 or 1
  uint32_t weights() const { return factor * (count > 1 ? ratio + 1 : 1); }  // their sum
};
Planes planes_of(Levels levels);
// Why sums of so many products are not counted, or nullptr: short ones are packed no faster than they are multiplied.
const char* counting_refuses(DType type, Levels left, Levels right, int64_t terms);

// What a row of a product is made of: pieces of pixels that lie in one stretch of memory. The bits of a pixel fill whole bytes.
struct Pieces {
  int64_t count, pixels, channels;
  int64_t codes() const { return pixels * channels; }
  int64_t bytes_of_pixel() const { return (channels + 7) / 8; }
  int64_t words() const { return (pixels * bytes_of_pixel() + 3) / 4; }
};

// to[pixels, bytes of a pixel] = one bit of each code. Returns how many are set.
uint32_t pack_pixels(const BitLoops& loops, const uint8_t* codes, int64_t pixels, int64_t channels, int bit, uint8_t* to);

// The right operand w[columns, pieces, codes], packed for tiles.
class BitPanels {
 public:
  BitPanels(const BitLoops& loops, Levels left, const Pieces& pieces, int64_t columns, const uint8_t* w);
  int64_t count() const { return (columns_ + width_ - 1) / width_; }
  int64_t width() const { return width_; }
  // The sums of so many rows in the columns of one panel, in c[row * columns + column].
  void multiply(int64_t panel, int64_t rows, const uint8_t* const* a, const BitRows& how, bool accumulate, int32_t* c) const;

 private:
  int64_t columns_of(int64_t panel) const;
  void pack(const Pieces& pieces, const Planes& left, const uint8_t* w, int64_t panel);

  const BitLoops& loops_;
  int64_t columns_, width_, words_;  // of a panel
  std::vector<uint32_t> packed_;
  std::vector<int32_t> start_;
};

}  // namespace lp
