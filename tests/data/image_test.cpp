// Pictures: PNG round trip, resizing, hostile bytes.
#include "lptrain/data/image.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

Image pattern(int height, int width, int channels) {
  Image image{height, width, channels, {}};
  for (int i = 0; i < height * width * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 37 % 251));
  return image;
}

// The smallest claim of a PNG of any size: signature and IHDR, no data.
std::string png_header(uint32_t width, uint32_t height) {
  std::string chunk = "IHDR" + big_endian(width) + big_endian(height) + std::string("\x08\x00\x00\x00\x00", 5);
  const uint32_t sum =
      static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(chunk.size())));
  return "\x89PNG\r\n\x1a\n" + big_endian(13) + chunk + big_endian(sum);
}

// A grey JPEG of 16 x 8: a ramp from black on the left to 240 on the right.
std::string small_jpeg() {
  static constexpr std::string_view kHex =
      "ffd8ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f13201513121213271c1e17202e2931302e292d2c333a4a3e333646372c2d405741464c"
      "4e525352323e5a615a50604a51524fffc0000b080008001001011100ffc4001500010100000000000000000000000000000607ffc4001610"
      "00030000000000000000000000000000000642ffda0008010100003f0026bf25397e4fffd9";
  std::string bytes;
  for (size_t i = 0; i < kHex.size(); i += 2) bytes += static_cast<char>(std::stoi(std::string(kHex.substr(i, 2)), nullptr, 16));
  return bytes;
}

}  // namespace

TEST_CASE("PNG holds every byte, grey and colour") {
  for (int channels : {1, 3}) {
    const Image image = pattern(7, 5, channels);
    const Image back = decode_image(encode_png(image), "x.png", channels);
    CHECK(back.height == 7);
    CHECK(back.width == 5);
    CHECK(back.pixels == image.pixels);
  }
  CHECK(decode_image(encode_png(pattern(4, 4, 1)), "x", 3).channels == 3);
  CHECK(decode_image(encode_png(pattern(4, 4, 3)), "x", 1).pixels.size() == 16);
}

TEST_CASE("resize keeps constants, doubles and halves by hand-computed values") {
  const Image flat{5, 9, 3, std::vector<uint8_t>(5 * 9 * 3, 77)};
  for (const auto& [h, w] : {std::pair{3, 4}, {11, 20}, {1, 1}}) {
    const Image r = resize(flat, h, w);
    CHECK(r.pixels == std::vector<uint8_t>(static_cast<size_t>(h * w * 3), 77));
  }
  const Image row{1, 2, 1, {0, 100}};
  CHECK(resize(row, 1, 4).pixels == std::vector<uint8_t>{0, 25, 75, 100});
  const Image four{1, 4, 1, {0, 80, 160, 240}};
  // weights 0 1/4.. of the triangle of half-width 2 at 0.5: 0.75 0.75 0.25 (over 1.75)
  CHECK(resize(four, 1, 2).pixels == std::vector<uint8_t>{57, 183});
  CHECK(resize(four, 1, 4).pixels == four.pixels);
}

TEST_CASE("damaged and huge pictures are refused") {
  const auto message = [](const std::string& bytes) {
    return error_of(ErrorKind::data, [&] { decode_image(bytes, "p.png", 1); });
  };
  CHECK(contains(message(""), "p.png: the file is empty"));
  CHECK(contains(message("GIF89a........................"), "p.png: not a readable PNG or JPEG"));
  CHECK(contains(message(png_header(100000, 100000)), "p.png"));
  CHECK(contains(message(png_header(8193, 1)), "p.png"));
  CHECK(contains(message(png_header(8000, 8000)), "p.png: damaged image"));
  const std::string good = encode_png(pattern(9, 9, 3));
  for (size_t n = 0; n + 20 < good.size(); n += 3) CHECK_THROWS_AS(decode_image(good.substr(0, n), "cut", 3), Error);
  fuzz(good, 3000, [](const std::string& bytes) { decode_image(bytes, "fuzz", 3); });
}

TEST_CASE("JPEG: close to what was packed; damage is an error or another picture, never a crash") {
  const Image image = decode_image(small_jpeg(), "x.jpg", 1);
  CHECK(image.height == 8);
  CHECK(image.width == 16);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 16; ++x) CHECK(std::abs(image.pixels[static_cast<size_t>(16 * y + x)] - 16 * x) < 16);
  fuzz(small_jpeg(), 5000, [](const std::string& bytes) { decode_image(bytes, "fuzz", 3); });
}
