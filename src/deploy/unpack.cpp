// Reading packed codes again, with suspicion.
#include <algorithm>
#include <limits>
#include <optional>

#include "lptrain/base/document.h"
#include "lptrain/deploy/coding.h"
#include "lptrain/deploy/packed.h"
#include "lptrain/tensor/math.h"
#include "packed_parts.h"

namespace lp {
namespace {

PackedNote note_of(const std::string& text, const std::string& place) {
  try {
    PackedNote note;
    read(Document::parse(text, place), note);
    return note;
  } catch (const DocumentError& e) {
    fail(ErrorKind::data, "{}: the note is damaged: {}", place, e.what());
  }
}

Shape shape_of(const PackedNote& note, const std::string& place) {
  try {
    return Shape(note.shape);
  } catch (const Error& e) {
    fail(ErrorKind::data, "{}: {}", place, e.what());
  }
}

// The shape that the codes have: that of the reals, its last axis filled up to whole blocks. {} if the lanes do not cover such a
// one. Compared by division: products may not fit.
std::optional<Shape> covered_shape(const std::vector<int64_t>& lanes, const Shape& shape) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 64;
  if (lanes.size() != 3 || std::ranges::any_of(lanes, [](int64_t n) { return n < 1; })) return {};
  if (lanes[1] > kMost / lanes[0] || lanes[2] > kMost / (lanes[0] * lanes[1])) return {};
  const int64_t size = lanes[0] * lanes[1] * lanes[2];
  if (size == shape.size()) return shape;
  if (shape.rank() == 0 || shape.size() == 0 || size % shape.rows() != 0 || size / shape.rows() < shape.back()) return {};
  return shape.with(-1, size / shape.rows());
}

// The tensor beside another one, of so many F32, or of packed codes of a format.
Tensor companion(const TensorFile& file, const std::string& name, const Format& format, int64_t size, const std::string& place) {
  const Tensor* found = file.find(name);
  const bool is_plain = format == kF32;
  if (!found || found->dtype() != (is_plain ? DType::f32 : DType::u8) ||
      found->size() != (is_plain ? size : packed_bytes(size, format.bits())))
    fail(ErrorKind::data, "{}: its \"{}\" is missing, or of another type or size", place, name);
  if (is_plain) return *found;
  const Tensor codes = unpacked_bits(*found, Shape{size}, format, place);
  Tensor reals(codes.shape());
  for (size_t i = 0; i < static_cast<size_t>(size); ++i)
    reals.data<float>()[i] = static_cast<float>(format.value(codes.data<int32_t>()[i]));
  return reals;
}

// Reals that codes count in a list beside them.
Tensor listed(const TensorFile& file, const std::string& name, const PackedNote& note, const Tensor& codes,
              const std::string& place) {
  const std::string list = name + std::string(kLevels);
  const DType type = note.type == "f64" ? DType::f64 : DType::f32;
  const Tensor* levels = file.find(list);
  if (!levels || levels->dtype() != type || levels->shape().rank() != 1)
    fail(ErrorKind::data, "{}: its \"{}\" is missing, or of another type", place, list);
  Tensor y(codes.shape(), type);
  visit_real(type, [&]<class T>() {
    const auto reals = levels->data<T>();
    std::ranges::transform(codes.data<int32_t>(), y.data<T>().begin(), [&](int32_t code) {
      if (code >= std::ssize(reals)) fail(ErrorKind::data, "{}: holds a code that \"{}\" does not have: damaged", place, list);
      return reals[static_cast<size_t>(code)];
    });
  });
  return y;
}

Tensor unpacked(const TensorFile& file, const std::string& name, const Tensor& bytes, const std::string& text,
                const std::string& place) {
  const PackedNote note = note_of(text, place);
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) fail(ErrorKind::data, "{}: {}", place, what);
  };
  for (const Format& f : {note.format, note.scale_format})
    demand(f.bits() <= 32 && codes_fit(f), "no codes of this format are packed");
  demand(bytes.dtype() == DType::u8, "codes are expected in U8");
  const std::optional<Shape> shape = note.is_listed ? shape_of(note, place) : covered_shape(note.lanes, shape_of(note, place));
  demand(shape.has_value(), "its lanes do not cover its shape");
  demand(bytes.size() == packed_bytes(shape->size(), note.format.bits()), "its bytes are not what its shape and format need");
  demand(note.zero_point == 0 || (note.zero_point >= note.format.lo() && note.zero_point <= note.format.hi()),
         "its zero point is not a code");
  const Tensor codes = unpacked_bits(bytes, *shape, note.format, place);
  if (note.is_listed) return listed(file, name, note, codes, place);
  const std::string offset = name + std::string(kOffset);
  PackedParts parts{codes, companion(file, name + std::string(kScale), note.scale_format, note.lanes[1], place)};
  if (file.find(offset)) parts.offset = companion(file, offset, kF32, note.lanes[1], place);
  return reals_of(note, parts);
}

// Does it belong to a packed tensor?
bool is_companion(const TensorFile& file, const std::string& name) {
  for (const std::string_view ending : {kScale, kOffset, kLevels})
    if (name.ends_with(ending) && file.note(name.substr(0, name.size() - ending.size()))) return true;
  return false;
}

}  // namespace

TensorFile unpack(const TensorFile& file, std::string_view name) {
  const TensorFile packed = decoded(file, name);
  TensorFile reals;
  for (const auto& [tensor_name, tensor] : packed.tensors) {
    const std::string place = fmt::format("{}: \"{}\"", name, tensor_name);
    if (const std::string* note = packed.note(tensor_name)) {
      reals.tensors.emplace_back(tensor_name, unpacked(packed, tensor_name, tensor, *note, place));
    } else if (!is_companion(packed, tensor_name)) {
      reals.tensors.emplace_back(tensor_name, is_real(tensor.dtype()) ? tensor : convert(tensor, DType::f32));
    }
  }
  return reals;
}

}  // namespace lp
