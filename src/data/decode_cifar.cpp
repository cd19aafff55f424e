// The CIFAR reader: planes to pixels.
#include "lptrain/data/decode_cifar.h"

#include "lptrain/data/bytes.h"

namespace lp {
namespace {

constexpr size_t kPlane = 32 * 32, kImage = 3 * kPlane;

// The file's bytes, which must be whole records.
std::string whole_records(const Input& file, size_t record) {
  std::string bytes = file.read();
  if (bytes.empty() || bytes.size() % record != 0)
    fail(ErrorKind::data,
         "{}: {} bytes are not whole records of {} ({} label and {} pixel bytes); the file is cut off or not CIFAR's binary "
         "version",
         file.name, bytes.size(), record, record - kImage, kImage);
  return bytes;
}

void planes_to_pixels(std::string_view planes, std::span<uint8_t> pixels) {
  for (size_t p = 0; p < kPlane; ++p)
    for (size_t c = 0; c < 3; ++c) pixels[p * 3 + c] = static_cast<uint8_t>(planes[c * kPlane + p]);
}

}  // namespace

Examples decode_cifar(std::span<const Input> files, int label_bytes) {
  const size_t record = static_cast<size_t>(label_bytes) + kImage;
  std::vector<std::string> contents;
  size_t count = 0;
  for (const Input& file : files) {
    contents.push_back(whole_records(file, record));
    count += contents.back().size() / record;
  }
  Examples examples{Tensor({static_cast<int64_t>(count), 32, 32, 3}, DType::u8), {}};
  std::span<uint8_t> pixels = examples.inputs.data<uint8_t>();
  for (std::string& content : contents) {
    ByteReader in(content, "CIFAR records");
    while (in.left() > 0) {
      examples.labels.push_back(static_cast<uint8_t>(in.take(record - kImage, "a label").back()));
      planes_to_pixels(in.take(kImage, "an image"), pixels.first(kImage));
      pixels = pixels.subspan(kImage);
    }
    content = {};  // the bytes go as soon as they are used
  }
  return examples;
}

}  // namespace lp
