// Packing codes bit by bit, and reading them again with suspicion.
#include "lptrain/deploy/packed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lptrain/base/document.h"
#include "lptrain/quant/quantize.h"

namespace lp {
namespace {

constexpr std::string_view kScale = ".scale";

// What is noted of a packed tensor.
struct Note {
  Format format;
  std::string type = "f32";  // of the reals
  std::vector<int64_t> shape, lanes;
  int64_t zero_point = 0;

  void fields(Fields& f) {
    f("format", format, "of the codes");
    f("type", type, "of the reals: f32 or f64");
    f("shape", shape, "extents", {0, Shape::kMaxRank});
    f("lanes", lanes, "outer, channels, inner: element (i,c,j) has scale c", {3, 3});
    f("zero_point", zero_point, "code of 0", {-0x1p31, 0x1p31 - 1});
    f.claim(type == "f32" || type == "f64", "\"type\" must be f32 or f64");
  }
};

QuantizeKey key_of(const Note& note) {
  QuantizeKey key{note.format};
  key.zero_point = static_cast<int32_t>(note.zero_point);
  key.lanes = {note.lanes[0], note.lanes[1], note.lanes[2]};
  return key;
}

Tensor reals_of(const Note& note, const Tensor& codes, const Tensor& scale) {
  Tensor y(codes.shape(), note.type == "f64" ? DType::f64 : DType::f32);
  dequantize(key_of(note), DType::i32, codes.raw(), scale.data<float>().data(), y.dtype(), y.raw());
  return y;
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

void append_packed(TensorFile& file, const std::string& name, const Note& note, const Tensor& codes, const Tensor& scale) {
  file.tensors.emplace_back(name, packed_bits(codes, note.format));
  file.tensors.emplace_back(name + std::string(kScale), scale);
  file.metadata.emplace_back(name, write(note).dump(0));
}

void append_quantized(TensorFile& file, const std::string& name, const Look& look) {
  const Quantizer& q = *look.how.quantizer;
  const Tensor &x = look.x.tensor(), &seen = look.y.tensor();
  if ((q.format == kF16 || q.format == kBf16) && are_all_one(look.scale)) {
    file.tensors.emplace_back(name, convert(seen, q.format == kF16 ? DType::f16 : DType::bf16));
    return;
  }
  const Lanes lanes = lanes_of(x.shape(), q.per, look.how.axis);
  const Note note{q.grid(),
                  std::string(name_of(seen.dtype())),
                  {x.shape().begin(), x.shape().end()},
                  {lanes.outer, lanes.channels, lanes.inner},
                  look.how.zero_point};
  if (codes_fit(note.format))
    if (const Tensor codes = codes_of(x, look.scale, look.how); are_equal(reals_of(note, codes, look.scale), seen))
      return append_packed(file, name, note, codes, look.scale);
  file.tensors.emplace_back(name, seen);
}

// Everything that inference needs; what the lenses of errors remember is left out.
struct Packer : Visitor {
  TensorFile file;
  std::string of_errors = "none";  // how the names begin of what the last such lens remembers

  void lens(Lens& l) override {
    if (l.role == Role::errors) of_errors = l.name + ".";
  }
  void buffer(const std::string& name, Tensor& t) override {
    if (t && !name.starts_with(of_errors)) file.tensors.emplace_back(name, t);
  }
  void param(Param& p) override {
    if (!p.value || file.find(p.name) || p.name.starts_with(of_errors)) return;  // a learned scale may be there already
    Context eye(nullptr, Mode::eval);
    bool is_packed = false;
    eye.watch([&](const Look& look) {
      if (look.scale) append_quantized(file, p.name, look), is_packed = true;
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

// Do the lanes cover the shape? Compared by division: the product may not fit.
bool covers(const std::vector<int64_t>& lanes, int64_t size) {
  if (lanes.size() != 3 || std::ranges::any_of(lanes, [](int64_t n) { return n < 1; })) return false;
  return size % lanes[0] == 0 && size / lanes[0] % lanes[1] == 0 && size / lanes[0] / lanes[1] == lanes[2];
}

Tensor unpacked(const TensorFile& file, const std::string& name, const Tensor& bytes, const std::string& text,
                const std::string& place) {
  const Note note = note_of(text, place);
  const Shape shape = shape_of(note, place);
  const Tensor* scale = file.find(name + std::string(kScale));
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) fail(ErrorKind::data, "{}: {}", place, what);
  };
  demand(note.format.bits() <= 32 && codes_fit(note.format), "no codes of this format are packed");
  demand(bytes.dtype() == DType::u8, "codes are expected in U8");
  demand(
      shape.size() <= std::numeric_limits<int64_t>::max() / 64 && bytes.size() == packed_bytes(shape.size(), note.format.bits()),
      "its bytes are not what its shape and format need");
  demand(covers(note.lanes, shape.size()), "its lanes do not cover its shape");
  demand(note.zero_point == 0 || (note.zero_point >= note.format.lo() && note.zero_point <= note.format.hi()),
         "its zero point is not a code");
  demand(scale && scale->dtype() == DType::f32 && scale->size() == note.lanes[1], "its scale is missing or of another size");
  return reals_of(note, unpacked_bits(bytes, shape, note.format, place), *scale);
}

}  // namespace

TensorFile pack(Model& model) {
  Packer packer;
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
    } else if (!tensor_name.ends_with(kScale) || !packed.note(tensor_name.substr(0, tensor_name.size() - kScale.size()))) {
      reals.tensors.emplace_back(tensor_name, is_real(tensor.dtype()) ? tensor : convert(tensor, DType::f32));
    }
  }
  return reals;
}

}  // namespace lp
