// Notes, and codes behind one another bit by bit.
#include "packed_parts.h"

#include <limits>

#include "lptrain/kernel/quantize.h"
#include "lptrain/tensor/math.h"

namespace lp {

void PackedNote::fields(Fields& f) {
  f("format", format, "of the codes");
  f("scale_format", scale_format, "of the scales: f32, or one that they are packed in");
  f("type", type, "of the reals: f32 or f64");
  f("shape", shape, "extents", {0, Shape::kMaxRank});
  f("lanes", lanes, "outer, channels, inner: element (i,c,j) has scale c; of rows filled up to whole blocks", {0, 3});
  f("zero_point", zero_point, "code of 0", {-0x1p31, 0x1p31 - 1});
  f("is_listed", is_listed, "codes are numbers of reals in the list of levels");
  f.claim(type == "f32" || type == "f64", "\"type\" must be f32 or f64");
}

Tensor reals_of(const PackedNote& note, const PackedParts& parts) {
  Tensor y(parts.codes.shape(), note.type == "f64" ? DType::f64 : DType::f32);
  QuantizeKey key{note.format};
  key.zero_point = static_cast<int32_t>(note.zero_point);
  key.lanes = {note.lanes[0], note.lanes[1], note.lanes[2]};
  if (parts.offset) key.offset = parts.offset.data<float>().data();
  dequantize(key, DType::i32, parts.codes.raw(), parts.scale.data<float>().data(), y.dtype(), y.raw());
  return y.shape() == Shape(note.shape) ? y : slice(y, y.shape().rank() - 1, 0, note.shape.back());
}

int64_t packed_bytes(int64_t codes, int bits) { return (codes * bits + 7) / 8; }

Tensor fixed_bits(std::span<const uint32_t> patterns, int bits) {
  Tensor bytes = Tensor::zeros(Shape{packed_bytes(std::ssize(patterns), bits)}, DType::u8);
  uint8_t* out = bytes.data<uint8_t>().data();
  uint64_t held = 0;  // bits that are not written yet
  int count = 0;
  for (const uint32_t pattern : patterns) {
    held |= uint64_t{pattern} << count;
    for (count += bits; count >= 8; count -= 8, held >>= 8) *out++ = static_cast<uint8_t>(held);
  }
  if (count > 0) *out = static_cast<uint8_t>(held);
  return bytes;
}

std::vector<uint32_t> read_fixed_bits(const Tensor& bytes, int64_t count, int bits) {
  std::vector<uint32_t> patterns(static_cast<size_t>(count));
  const uint8_t* in = bytes.data<uint8_t>().data();
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  uint64_t held = 0;
  int filled = 0;
  for (uint32_t& pattern : patterns) {
    for (; filled < bits; filled += 8) held |= uint64_t{*in++} << filled;
    pattern = static_cast<uint32_t>(held & mask);
    held >>= bits;
    filled -= bits;
  }
  return patterns;
}

Tensor packed_bits(const Tensor& codes, const Format& format) {
  std::vector<uint32_t> patterns;
  for (const int32_t code : codes.data<int32_t>()) patterns.push_back(static_cast<uint32_t>(format.to_bits(code)));
  return fixed_bits(patterns, format.bits());
}

Tensor unpacked_bits(const Tensor& bytes, const Shape& shape, const Format& format, std::string_view place) {
  Tensor codes(shape, DType::i32);
  const std::vector<uint32_t> patterns = read_fixed_bits(bytes, shape.size(), format.bits());
  for (size_t i = 0; i < patterns.size(); ++i) {
    const int64_t read = format.from_bits(patterns[i]);
    if (!format.is_float() && (read < format.lo() || read > format.hi()))
      fail(ErrorKind::data, "{}: holds a code that {} does not have: damaged", place, format.name());
    codes.data<int32_t>()[i] = static_cast<int32_t>(read);
  }
  return codes;
}

bool codes_fit(const Format& f) {
  return f.lo() >= std::numeric_limits<int32_t>::min() && f.hi() <= std::numeric_limits<int32_t>::max();
}

}  // namespace lp
