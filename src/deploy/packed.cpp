// Packing codes bit by bit, and reading them again with suspicion.
#include "lptrain/deploy/packed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lptrain/base/document.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr std::string_view kScale = ".scale", kOffset = ".offset";

// What is noted of a packed tensor.
struct Note {
  Format format, scale_format;
  std::string type = "f32";  // of the reals
  std::vector<int64_t> shape, lanes;
  int64_t zero_point = 0;

  void fields(Fields& f) {
    f("format", format, "of the codes");
    f("scale_format", scale_format, "of the scales: f32, or one that they are packed in");
    f("type", type, "of the reals: f32 or f64");
    f("shape", shape, "extents", {0, Shape::kMaxRank});
    f("lanes", lanes, "outer, channels, inner: element (i,c,j) has scale c; of rows filled up to whole blocks", {3, 3});
    f("zero_point", zero_point, "code of 0", {-0x1p31, 0x1p31 - 1});
    f.claim(type == "f32" || type == "f64", "\"type\" must be f32 or f64");
  }
};

// What stands for the reals: codes of the shape filled up to whole blocks, a scale for each lane, and perhaps an offset.
struct Parts {
  Tensor codes, scale, offset = {};
};

Tensor reals_of(const Note& note, const Parts& parts) {
  Tensor y(parts.codes.shape(), note.type == "f64" ? DType::f64 : DType::f32);
  QuantizeKey key{note.format};
  key.zero_point = static_cast<int32_t>(note.zero_point);
  key.lanes = {note.lanes[0], note.lanes[1], note.lanes[2]};
  if (parts.offset) key.offset = parts.offset.data<float>().data();
  dequantize(key, DType::i32, parts.codes.raw(), parts.scale.data<float>().data(), y.dtype(), y.raw());
  return y.shape() == Shape(note.shape) ? y : slice(y, y.shape().rank() - 1, 0, note.shape.back());
}

int64_t packed_bytes(int64_t codes, int bits) { return (codes * bits + 7) / 8; }

Tensor packed_bits(const Tensor& codes, const Format& format) {
  Tensor bytes = Tensor::zeros(Shape{packed_bytes(codes.size(), format.bits())}, DType::u8);
  uint8_t* out = bytes.data<uint8_t>().data();
  uint64_t held = 0;  // bits that are not written yet
  int count = 0;
  for (int32_t code : codes.data<int32_t>()) {
    held |= format.to_bits(code) << count;
    for (count += format.bits(); count >= 8; count -= 8, held >>= 8) *out++ = static_cast<uint8_t>(held);
  }
  if (count > 0) *out = static_cast<uint8_t>(held);
  return bytes;
}

// The codes in `bytes`; the first that the format does not have is an error of `place`.
Tensor unpacked_bits(const Tensor& bytes, const Shape& shape, const Format& format, std::string_view place) {
  Tensor codes(shape, DType::i32);
  const uint8_t* in = bytes.data<uint8_t>().data();
  const uint64_t mask = (uint64_t{1} << format.bits()) - 1;
  uint64_t held = 0;
  int count = 0;
  for (int32_t& code : codes.data<int32_t>()) {
    for (; count < format.bits(); count += 8) held |= uint64_t{*in++} << count;
    const int64_t read = format.from_bits(held & mask);
    if (!format.is_float() && (read < format.lo() || read > format.hi()))
      fail(ErrorKind::data, "{}: holds a code that {} does not have: damaged", place, format.name());
    code = static_cast<int32_t>(read);
    held >>= format.bits();
    count -= format.bits();
  }
  return codes;
}

bool are_equal(const Tensor& a, const Tensor& b) {
  return visit_real(a.dtype(), [&]<class T>() {
    return std::ranges::equal(a.data<T>(), b.data<T>(), [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); });
  });
}

bool are_all_one(const Tensor& scale) {
  return std::ranges::all_of(scale.data<float>(), [](float s) { return s == 1; });
}

bool codes_fit(const Format& f) {
  return f.lo() >= std::numeric_limits<int32_t>::min() && f.hi() <= std::numeric_limits<int32_t>::max();
}

// Scales as codes of a format that has every one of them; empty if it does not.
Tensor scale_codes(const Tensor& scale, const Format& format) {
  if (format.is_identity_in(kF32) || format.bits() > 16) return {};
  Tensor codes(scale.shape(), DType::i32);
  for (size_t i = 0; i < scale.data<float>().size(); ++i) {
    const double s = static_cast<double>(scale.data<float>()[i]);
    if (!std::isfinite(s)) return {};
    const int64_t code = format.floor(s);
    if (format.value(code) != s) return {};
    codes.data<int32_t>()[i] = static_cast<int32_t>(code);
  }
  return codes;
}

void append_packed(TensorFile& file, const std::string& name, Note note, const Parts& parts, const Format& scale_format) {
  file.tensors.emplace_back(name, packed_bits(parts.codes, note.format));
  Tensor scale = parts.scale;
  if (const Tensor codes = scale_codes(scale, scale_format))
    note.scale_format = scale_format, scale = packed_bits(codes, scale_format);
  file.tensors.emplace_back(name + std::string(kScale), scale);
  if (parts.offset) file.tensors.emplace_back(name + std::string(kOffset), parts.offset);
  file.metadata.emplace_back(name, write(note, true).dump(0));
}

void append_quantized(TensorFile& file, const std::string& name, const Look& look) {
  const Quantizer& q = *look.how.quantizer;
  const Tensor &x = look.x.tensor(), &seen = look.y.tensor();
  if ((q.format == kF16 || q.format == kBf16) && are_all_one(look.scale) && !look.how.offset.value) {
    file.tensors.emplace_back(name, convert(seen, q.format == kF16 ? DType::f16 : DType::bf16));
    return;
  }
  Note note{q.grid(), kF32, std::string(name_of(seen.dtype())), {x.shape().begin(), x.shape().end()}, {}, look.how.zero_point};
  if (codes_fit(note.format)) {
    const Parts parts{codes_of(x, look.scale, look.how), look.scale, look.how.offset.value ? look.how.offset.tensor() : Tensor()};
    const Lanes lanes = lanes_of(parts.codes.shape(), q.per, look.how.axis);
    note.lanes = {lanes.outer, lanes.channels, lanes.inner};
    if (are_equal(reals_of(note, parts), seen)) return append_packed(file, name, note, parts, q.scale_format);
  }
  file.tensors.emplace_back(name, seen);
}

// What a rule with a formula of its own made codes of, at the width that it has reached.
void append_codes(TensorFile& file, const std::string& name, const Look& look, const Codes& made) {
  const Tensor& seen = look.y.tensor();
  Note note{look.lens.format(), kF32, std::string(name_of(seen.dtype())), {seen.shape().begin(), seen.shape().end()}, {}, 0};
  note.lanes = {1, 1, seen.size()};
  const Parts parts{convert(made.codes, DType::i32), made.scale};
  if (made.axis < 0 && codes_fit(note.format) && are_equal(reals_of(note, parts), seen))
    append_packed(file, name, note, parts, kF32);
  else
    file.tensors.emplace_back(name, seen);
}

// Everything that inference needs; what the lenses of errors remember is left out.
struct Packer : Visitor {
  const std::vector<Param*> all;
  TensorFile file;
  std::string of_errors = "none";  // how the names begin of what the last such lens remembers

  explicit Packer(Model& model) : all(model.params()) {}
  void lens(Lens& l) override {
    if (l.role == Role::errors) of_errors = l.name + ".";
  }
  void buffer(const std::string& name, Tensor& t) override {
    if (t && !name.starts_with(of_errors)) file.tensors.emplace_back(name, t);
  }
  void param(Param& p) override {
    if (!p.value || file.find(p.name) || p.name.starts_with(of_errors)) return;  // a learned scale may be there already
    if (p.folds_norm) {                                                          // its codes would be those of gain w, not of w
      file.tensors.emplace_back(p.name, p.value);
      return;
    }
    Context eye(nullptr, Mode::eval);
    eye.survey(all);
    bool is_packed = false;
    eye.watch([&](const Look& look) {
      const Codes* made = look.y.value.codes();
      if (look.scale)
        append_quantized(file, p.name, look), is_packed = true;
      else if (made)
        append_codes(file, p.name, look, *made), is_packed = true;
    });
    const Tensor seen = eye.param(p).tensor();
    if (!is_packed) file.tensors.emplace_back(p.name, seen);
  }
};

Note note_of(const std::string& text, const std::string& place) {
  try {
    Note note;
    read(Document::parse(text, place), note);
    return note;
  } catch (const DocumentError& e) {
    fail(ErrorKind::data, "{}: the note is damaged: {}", place, e.what());
  }
}

Shape shape_of(const Note& note, const std::string& place) {
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

Tensor unpacked(const TensorFile& file, const std::string& name, const Tensor& bytes, const std::string& text,
                const std::string& place) {
  const Note note = note_of(text, place);
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) fail(ErrorKind::data, "{}: {}", place, what);
  };
  for (const Format& f : {note.format, note.scale_format})
    demand(f.bits() <= 32 && codes_fit(f), "no codes of this format are packed");
  demand(bytes.dtype() == DType::u8, "codes are expected in U8");
  const std::optional<Shape> shape = covered_shape(note.lanes, shape_of(note, place));
  demand(shape.has_value(), "its lanes do not cover its shape");
  demand(bytes.size() == packed_bytes(shape->size(), note.format.bits()), "its bytes are not what its shape and format need");
  demand(note.zero_point == 0 || (note.zero_point >= note.format.lo() && note.zero_point <= note.format.hi()),
         "its zero point is not a code");
  const std::string offset = name + std::string(kOffset);
  Parts parts{unpacked_bits(bytes, *shape, note.format, place),
              companion(file, name + std::string(kScale), note.scale_format, note.lanes[1], place)};
  if (file.find(offset)) parts.offset = companion(file, offset, kF32, note.lanes[1], place);
  return reals_of(note, parts);
}

// Does it belong to a packed tensor?
bool is_companion(const TensorFile& file, const std::string& name) {
  for (const std::string_view ending : {kScale, kOffset})
    if (name.ends_with(ending) && file.note(name.substr(0, name.size() - ending.size()))) return true;
  return false;
}

}  // namespace

TensorFile pack(Model& model) {
  Packer packer(model);
  model.visit(packer);
  packer.file.metadata.emplace_back("format", "lptrain packed");
  return std::move(packer.file);
}

TensorFile unpack(const TensorFile& packed, std::string_view name) {
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
