// Pictures in memory: from and to PNG/JPEG bytes, and to another size.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// Bytes, row-major, channels innermost (1 grey, 3 colour).
struct Image {
  int height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

// PNG or JPEG, made grey (1) or colour (3). Sides above kMostPixels, damage and other formats are Error(data) naming `file`.
inline constexpr int kMostPixels = 8192;  // per side
Image decode_image(std::string_view bytes, std::string_view file, int channels);

// Bilinear with the triangle widened by the scale when shrinking, so that nothing is skipped; equal sizes return the same bytes.
Image resize(const Image& image, int height, int width);

std::string encode_png(const Image& image);

}  // namespace lp
