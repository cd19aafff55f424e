// Packing what lenses make of parameters: their codes, where they have some.
#include "lptrain/deploy/packed.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "lptrain/base/document.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "lptrain/train/numerics.h"
#include "packed_parts.h"

namespace lp {
namespace {

bool are_equal(const Tensor& a, const Tensor& b) {
  return visit_real(a.dtype(), [&]<class T>() {
    return std::ranges::equal(a.data<T>(), b.data<T>(), [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); });
  });
}

// Zeros without sign, as masks and gains make them: they are one pattern.
Tensor plain(const Tensor& t) {
  return map(t, [](auto x) { return x == 0 ? decltype(x)(0) : x; });
}

bool are_all_one(const Tensor& scale) {
  return std::ranges::all_of(scale.data<float>(), [](float s) { return s == 1; });
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

void append_packed(TensorFile& file, const std::string& name, PackedNote note, const PackedParts& parts,
                   const Format& scale_format) {
  file.tensors.emplace_back(name, packed_bits(parts.codes, note.format));
  Tensor scale = parts.scale;
  if (const Tensor codes = scale_codes(scale, scale_format))
    note.scale_format = scale_format, scale = packed_bits(codes, scale_format);
  file.tensors.emplace_back(name + std::string(kScale), scale);
  if (parts.offset) file.tensors.emplace_back(name + std::string(kOffset), parts.offset);
  file.metadata.emplace_back(name, write(note, true).dump(0));
}

// The reals of a tensor in order, each once; empty if they are more than `most`, or not all numbers.
Tensor levels_of(const Tensor& t, int64_t most) {
  return visit_real(t.dtype(), [&]<class T>() -> Tensor {
    std::set<T> levels;
    for (const T v : t.data<T>()) {
      if (std::isnan(v) || std::ssize(levels) > most) return {};
      levels.insert(v);
    }
    if (levels.empty() || std::ssize(levels) > most) return {};
    Tensor list(Shape{std::ssize(levels)}, t.dtype());
    std::ranges::copy(levels, list.data<T>().begin());
    return list;
  });
}

// Where each real stands in the list of levels.
Tensor places_in(const Tensor& levels, const Tensor& t) {
  Tensor places(t.shape(), DType::i32);
  visit_real(t.dtype(), [&]<class T>() {
    const auto list = levels.data<T>();
    std::ranges::transform(t.data<T>(), places.data<int32_t>().begin(),
                           [&](T v) { return static_cast<int32_t>(std::ranges::lower_bound(list, v) - list.begin()); });
  });
  return places;
}

// What a rule with a formula of its own made reals of, if they are as few as its format has codes, and perhaps the zero of
// masked weights.
bool append_listed(TensorFile& file, const std::string& name, const Look& look) {
  constexpr int kMostBits = 16;
  const Tensor& seen = look.y.tensor();
  const int bits = look.lens.format().bits();
  const Tensor levels = bits <= kMostBits ? levels_of(seen, (int64_t{1} << bits) + 1) : Tensor();
  if (!levels) return false;
  const int width = std::max(1, static_cast<int>(std::bit_width(static_cast<uint64_t>(levels.size() - 1))));
  PackedNote note{Format::parse(fmt::format("uint{}", width)), kF32, std::string(name_of(seen.dtype())), {}, {}, 0, true};
  note.shape.assign(seen.shape().begin(), seen.shape().end());
  file.tensors.emplace_back(name, packed_bits(places_in(levels, seen), note.format));
  file.tensors.emplace_back(name + std::string(kLevels), levels);
  file.metadata.emplace_back(name, write(note, true).dump(0));
  return true;
}

void append_quantized(TensorFile& file, const std::string& name, const Look& look) {
  const Quantizer& q = *look.how.quantizer;
  const Tensor &x = look.x.tensor(), &seen = look.y.tensor();
  if ((q.format == kF16 || q.format == kBf16) && are_all_one(look.scale) && !look.how.offset.value) {
    file.tensors.emplace_back(name, convert(plain(seen), q.format == kF16 ? DType::f16 : DType::bf16));
    return;
  }
  PackedNote note{q.grid(),           kF32, std::string(name_of(seen.dtype())), {x.shape().begin(), x.shape().end()}, {},
                  look.how.zero_point};
  if (codes_fit(note.format)) {
    const PackedParts parts{codes_of(x, look.scale, look.how), look.scale,
                            look.how.offset.value ? look.how.offset.tensor() : Tensor()};
    const Lanes lanes = lanes_of(parts.codes.shape(), q.per, look.how.axis);
    note.lanes = {lanes.outer, lanes.channels, lanes.inner};
    if (are_equal(reals_of(note, parts), seen)) return append_packed(file, name, note, parts, q.scale_format);
  }
  file.tensors.emplace_back(name, plain(seen));
}

// What a rule with a formula of its own made codes of, at the width that it has reached.
void append_codes(TensorFile& file, const std::string& name, const Look& look, const Codes& made) {
  const Tensor& seen = look.y.tensor();
  PackedNote note{
      look.lens.format(), kF32, std::string(name_of(seen.dtype())), {seen.shape().begin(), seen.shape().end()}, {}, 0};
  note.lanes = {1, 1, seen.size()};
  const PackedParts parts{convert(made.codes, DType::i32), made.scale};
  if (made.axis < 0 && codes_fit(note.format) && are_equal(reals_of(note, parts), seen))
    append_packed(file, name, note, parts, kF32);
  else
    file.tensors.emplace_back(name, plain(seen));
}

void append(TensorFile& file, const std::string& name, const Look& look) {
  if (look.scale) return append_quantized(file, name, look);
  if (const Codes* made = look.y.value.codes()) return append_codes(file, name, look, *made);
  if (is_quantized(look) && append_listed(file, name, look)) return;
  file.tensors.emplace_back(name, plain(look.y.tensor()));
}

// What a forward pass sees of the parameters that layers make something else of, packed; by their names.
std::map<std::string, TensorFile> remade_parameters(Model& model) {
  std::set<std::string> names;
  for (const Param* p : model.params())
    if (p->is_remade) names.insert(p->name);
  std::map<std::string, TensorFile> files;
  if (names.empty()) return files;
  Context eye(nullptr, Mode::eval);
  eye.survey(model.params());
  eye.watch([&](const Look& look) {
    if (names.contains(look.lens.name)) append(files[look.lens.name], look.lens.name, look);
  });
  model.forward(eye, Tensor::zeros(model.input().behind(1), model.compute()));
  return files;
}

// Everything that inference needs; what the lenses of errors remember is left out.
struct Packer : Visitor {
  const std::vector<Param*> all;
  std::map<std::string, TensorFile> folded;
  TensorFile file;
  std::string of_errors = "none";  // how the names begin of what the last such lens remembers

  explicit Packer(Model& model) : all(model.params()), folded(remade_parameters(model)) {}
  void lens(Lens& l) override {
    if (l.role == Role::errors) of_errors = l.name + ".";
  }
  void buffer(const std::string& name, Tensor& t) override {
    if (t && !name.starts_with(of_errors)) file.tensors.emplace_back(name, t);
  }
  void param(Param& p) override {
    if (!p.value || is_told(p.name)) return;
    if (const auto found = folded.find(p.name); found != folded.end()) return add(found->second);
    Context eye(nullptr, Mode::eval);
    eye.survey(all);
    if (p.lens) eye.watch([&](const Look& look) { append(file, p.name, look); });
    const Tensor seen = eye.param(p).tensor();
    if (!p.lens) file.tensors.emplace_back(p.name, plain(seen));
  }

 private:
  // Errors matter to training only; a learned scale may be there already, or be part of a list of levels.
  bool is_told(const std::string& name) const {
    const bool is_scale = name.ends_with(kScale);
    return file.find(name) || name.starts_with(of_errors) ||
           (is_scale && file.find(name.substr(0, name.size() - kScale.size()) + std::string(kLevels)));
  }
  void add(const TensorFile& part) {
    file.tensors.insert(file.tensors.end(), part.tensors.begin(), part.tensors.end());
    file.metadata.insert(file.metadata.end(), part.metadata.begin(), part.metadata.end());
  }
};

}  // namespace

TensorFile pack(Model& model) {
  Packer packer(model);
  model.visit(packer);
  packer.file.metadata.emplace_back("format", "lptrain packed");
  return std::move(packer.file);
}

}  // namespace lp
