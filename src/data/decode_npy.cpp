// The .npy reader.
#include "lptrain/data/decode_npy.h"

#include <charconv>
#include <cstring>

#include "lptrain/data/bytes.h"
#include "lptrain/number/half.h"

namespace lp {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

template <class C>
float number_of(C c) {
  return static_cast<float>(c);
}

// How one element type becomes reals.
struct Element {
  std::string_view descr;
  int bytes;
  void (*read)(const char* from, int64_t n, void* to);
  DType type = DType::f32;
};
template <class C, class T, T (*convert)(C)>
void read_as(const char* from, int64_t n, void* to) {
  for (int64_t i = 0; i < n; ++i) {
    C c;
    std::memcpy(&c, from + i * static_cast<int64_t>(sizeof(C)), sizeof(C));
    static_cast<T*>(to)[i] = convert(c);
  }
}
double same(double x) { return x; }
constexpr Element kElements[] = {
    {"<f8", 8, read_as<double, double, same>, DType::f64},   {"<f4", 4, read_as<float, float, number_of<float>>},
    {"<f2", 2, read_as<uint16_t, float, f16_value>},         {"|i1", 1, read_as<int8_t, float, number_of<int8_t>>},
    {"|u1", 1, read_as<uint8_t, float, number_of<uint8_t>>}, {"<i2", 2, read_as<int16_t, float, number_of<int16_t>>},
    {"<i4", 4, read_as<int32_t, float, number_of<int32_t>>},
};

// What follows "'key':" in the header, a Python dictionary.
std::string_view entry(std::string_view header, std::string_view key, const ByteReader& in) {
  const size_t at = header.find(fmt::format("'{}':", key));
  if (at == header.npos) in.fail(fmt::format("the header names no \"{}\"", key));
  const std::string_view rest = header.substr(at + key.size() + 3);
  return rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
}

const Element& element_of(std::string_view header, const ByteReader& in) {
  const std::string_view descr = entry(header, "descr", in).substr(0, 5);
  for (const Element& e : kElements)
    if (descr == fmt::format("'{}'", e.descr)) return e;
  in.fail(fmt::format("the element type {} is not read; save as float32 or float64", descr));
}

Shape shape_of(std::string_view header, const ByteReader& in) {
  std::string_view text = entry(header, "shape", in);
  if (!text.starts_with('(') || text.find(')') == text.npos) in.fail("the shape is not a tuple");
  text = text.substr(1, text.find(')') - 1);
  std::vector<int64_t> extents;
  uint64_t count = 1;
  while (!text.empty()) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || n < 0 || extents.size() == Shape::kMaxRank) in.fail("the shape is not one of at most 6 extents");
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(n), &count) || count > uint64_t{1} << 36)
      in.fail("the header claims more than 2^36 elements");
    extents.push_back(n);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
  }
  return Shape(extents);
}

}  // namespace

Tensor decode_npy(std::string_view bytes, std::string_view file) {
  ByteReader in(bytes, file);
  if (in.take(kMagic.size(), "the magic string") != kMagic) in.fail("not a .npy file: it does not begin with \\x93NUMPY");
  const int version = in.u8();
  in.u8();
  if (version < 1 || version > 3) in.fail(fmt::format(".npy version {} is not read, only 1 to 3", version));
  size_t length = 0;
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) length |= static_cast<size_t>(in.u8()) << (8 * i);
  const std::string_view header = in.take(length, "the header");
  if (!entry(header, "fortran_order", in).starts_with("False"))
    in.fail("the array is in Fortran order; save numpy.ascontiguousarray");
  const Element& element = element_of(header, in);
  const Shape shape = shape_of(header, in);
  const std::string_view elements = in.take(static_cast<size_t>(shape.size() * element.bytes), "what the header announces");
  in.finish();
  Tensor t(shape, element.type);
  element.read(elements.data(), shape.size(), t.raw());
  return t;
}

}  // namespace lp
