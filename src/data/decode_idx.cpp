// The IDX reader.
#include "lptrain/data/decode_idx.h"

#include <cstring>

#include "lptrain/data/bytes.h"

namespace lp {

Tensor decode_idx(std::string_view bytes, std::string_view file) {
  ByteReader in(bytes, file);
  const uint32_t magic = in.u32_big_endian();
  const uint32_t type = magic >> 8, rank = magic & 0xff;
  if (magic >> 16 != 0) in.fail(fmt::format("not an IDX file: it starts with {:#010x}, wanted 0x0000<type><rank>", magic));
  if (type != 8) in.fail(fmt::format("IDX element type {:#04x} is not read, only 0x08 (unsigned byte)", type));
  if (rank < 1 || rank > 4) in.fail(fmt::format("IDX rank {} is not read, only 1 to 4", rank));
  std::vector<int64_t> extents;
  uint64_t count = 1;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    extents.push_back(in.u32_big_endian());
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(extents.back()), &count) || count > uint64_t{1} << 40)
      in.fail("the header claims more than 2^40 elements");
  }
  const std::string_view elements = in.take(count, "what the header announces");
  in.finish();
  Tensor tensor(Shape(extents), DType::u8);
  std::memcpy(tensor.raw(), elements.data(), elements.size());
  return tensor;
}

Examples decode_idx_pair(const Input& images, const Input& labels) {
  Examples examples;
  const Tensor pixels = decode_idx(images.read(), images.name), classes = decode_idx(labels.read(), labels.name);
  const Shape& s = pixels.shape();
  if (s.rank() != 3 && s.rank() != 4)
    fail(ErrorKind::data, "{}: holds an array {}, wanted images [N,H,W]", images.name, s.text());
  if (classes.shape().rank() != 1)
    fail(ErrorKind::data, "{}: holds an array {}, wanted labels [N]", labels.name, classes.shape().text());
  if (classes.size() != s[0])
    fail(ErrorKind::data, "{} holds {} images, but {} {} labels", images.name, s[0], labels.name, classes.size());
  examples.inputs = pixels.reshape({s[0], s[1], s[2], s.rank() == 4 ? s[3] : 1});
  examples.labels.assign(classes.data<uint8_t>().begin(), classes.data<uint8_t>().end());
  return examples;
}

}  // namespace lp
