// PNG and JPEG through stb, with sizes checked before and memory bounded while it unpacks.
#include <cstdlib>

#include "lptrain/base/error.h"
#include "lptrain/data/image.h"

namespace {

constexpr size_t kMostMemory = size_t{1} << 29;  // one block: a small file cannot unpack to more
void* bounded_malloc(size_t bytes) { return bytes > kMostMemory ? nullptr : std::malloc(bytes); }
void* bounded_realloc(void* block, size_t bytes) { return bytes > kMostMemory ? nullptr : std::realloc(block, bytes); }

}  // namespace

#define STBI_MALLOC(bytes) bounded_malloc(bytes)
#define STBI_REALLOC(block, bytes) bounded_realloc(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_MAX_DIMENSIONS 8192
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace lp {

static_assert(kMostPixels == STBI_MAX_DIMENSIONS);

Image decode_image(std::string_view bytes, std::string_view file, int channels) {
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int length = static_cast<int>(std::min(bytes.size(), size_t{1} << 30));
  int width = 0, height = 0, found = 0;
  if (bytes.empty()) fail(ErrorKind::data, "{}: the file is empty; wanted a PNG or JPEG image", file);
  if (!stbi_info_from_memory(data, length, &width, &height, &found))
    fail(ErrorKind::data, "{}: not a readable PNG or JPEG image ({})", file, stbi_failure_reason());
  if (width < 1 || height < 1 || width > kMostPixels || height > kMostPixels)
    fail(ErrorKind::data, "{}: {} x {} pixels, wanted 1 to {} a side", file, width, height, kMostPixels);
  stbi_uc* pixels = stbi_load_from_memory(data, length, &width, &height, &found, channels);
  if (!pixels) fail(ErrorKind::data, "{}: damaged image ({})", file, stbi_failure_reason());
  Image image{height, width, channels, {}};
  image.pixels.assign(pixels, pixels + static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels));
  stbi_image_free(pixels);
  return image;
}

std::string encode_png(const Image& image) {
  std::string png;
  const auto append = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<char*>(data), static_cast<size_t>(size));
  };
  if (!stbi_write_png_to_func(append, &png, image.width, image.height, image.channels, image.pixels.data(),
                              image.width * image.channels))
    fail(ErrorKind::failure, "a PNG of {} x {} pixels could not be made", image.width, image.height);
  return png;
}

}  // namespace lp
