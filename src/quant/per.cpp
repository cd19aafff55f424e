// The grammar of granularities, and the lanes that they cut.
#include "lptrain/quant/per.h"

#include <charconv>

#include "lptrain/base/text.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr std::string_view kWords[] = {"tensor", "channel", "sample", "group", "block", "network"};  // in the order of Kind

bool has_size(Per::Kind kind) { return kind == Per::Kind::group || kind == Per::Kind::block; }

int64_t size_of(std::string_view text, std::string_view digits) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  require(error == std::errc() && end == digits.data() + digits.size() && n >= 1 && n <= (int64_t{1} << 30),
          "\"{}\": wanted a number of {} from 1 up, say block:32 or group:4", text,
          text.starts_with("group") ? "channels" : "elements");
  return n;
}

}  // namespace

Per Per::parse(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  for (size_t i = 0; i < std::size(kWords); ++i) {
    const Kind kind = static_cast<Kind>(i);
    if (kWords[i] != word) continue;
    require(has_size(kind) == (colon != text.npos), "\"{}\": {}", text,
            has_size(kind) ? fmt::format("say how many, as in {}:32", word) : fmt::format("{} has no size", word));
    return {kind, has_size(kind) ? size_of(text, text.substr(colon + 1)) : 0};
  }
  fail(ErrorKind::usage, "unknown granularity \"{}\"{}", text, suggestion(text, known()));
}

std::string Per::name() const {
  const std::string_view word = kWords[static_cast<size_t>(kind)];
  return has_size(kind) ? fmt::format("{}:{}", word, size) : std::string(word);
}

std::vector<std::string> Per::known() { return {"tensor", "channel", "sample", "group:4", "block:32", "network"}; }

std::string why_not(const Shape& shape, const Per& per, int axis) {
  if (per.kind != Per::Kind::group || shape[axis] % per.size == 0) return "";
  return fmt::format("\"per\": \"{}\": {} channels cannot be cut into groups of {}; take a divisor of {}, or an override",
                     per.name(), shape[axis], per.size, shape[axis]);
}

Lanes lanes_of(const Shape& shape, const Per& per, int axis) {
  const int a = axis < 0 ? axis + shape.rank() : axis;
  switch (per.kind) {
    case Per::Kind::sample: return {1, shape[0], shape.after(0)};
    case Per::Kind::block:
      require(missing_in_blocks(shape, per) == 0, "rows of {} are not whole blocks of {}", shape.text(), per.size);
      return {1, shape.size() / per.size, per.size};
    case Per::Kind::group:
      if (const std::string why = why_not(shape, per, a); !why.empty()) fail(ErrorKind::usage, "{}", why);
      return {shape.before(a), shape[a] / per.size, per.size * shape.after(a)};
    case Per::Kind::channel: return {shape.before(a), shape[a], shape.after(a)};
    default: return {1, 1, shape.size()};
  }
}

int64_t missing_in_blocks(const Shape& shape, const Per& per) {
  if (per.kind != Per::Kind::block || shape.rank() == 0) return 0;
  const int64_t rest = shape.back() % per.size;
  return rest == 0 ? 0 : per.size - rest;
}

Tensor whole_blocks(const Tensor& x, const Per& per) {
  const int64_t missing = missing_in_blocks(x.shape(), per);
  return missing == 0 ? x : place(x, x.shape().with(-1, x.shape().back() + missing), x.shape().rank() - 1, 0, 1);
}

}  // namespace lp
