// Codes by the quantizing kernels, and the values they make.
#include "lptrain/tensor/encoding.h"

#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// The greatest y with y / s <= high (greatest = true), or the least with y / s >= low: comparisons then need no division.
float threshold(double end, float s, bool greatest) {
  if (std::isinf(end)) return greatest ? kInf : -kInf;
  const auto passes = [&](float y) { return greatest ? y / s <= static_cast<float>(end) : y / s >= static_cast<float>(end); };
  const float outward = greatest ? kInf : -kInf;
  float y = static_cast<float>(end) * s;
  if (!std::isfinite(y)) return y;  // of a scale that is NaN nothing passes
  while (!passes(y)) y = std::nextafter(y, -outward);
  while (!std::isinf(y) && passes(std::nextafter(y, outward))) y = std::nextafter(y, outward);
  return y;
}

}  // namespace

bool Encoding::passes_all() const { return std::isinf(low) && low < 0 && std::isinf(high); }

Bounds gradient_bounds(const Encoding& e) {
  if (e.passes_all()) return {};
  const float s = e.scale.data<float>()[0];
  return {threshold(e.low, s, false), threshold(e.high, s, true)};
}

DType encoded_type(const Encoding& e, DType real) { return e.has_codes ? storage_of(e.key.format, e.key.zero_point) : real; }

void encode(const Encoding& e, int64_t first, int64_t n, DType real, const void* x, void* y) {
  QuantizeKey key = e.key;
  key.first = static_cast<uint64_t>(first);
  key.lanes = {1, 1, n};
  const float* scale = e.scale.data<float>().data();
  if (*scale == 1.0f) scale = nullptr;
  if (!e.has_codes) return quantize_values(key, real, x, scale, y);
  quantize(key, real, x, scale, encoded_type(e, real), y);
  if (key.format.family == Format::Family::Binary) to_signs({static_cast<int8_t*>(y), static_cast<size_t>(n)});
}

Value encoded(const Encoding& e, Tensor memory, DType real) {
  if (!e.has_codes) return Value(std::move(memory));
  return Value(Codes{std::move(memory), e.key.format, e.scale, -1, e.key.zero_point}, real);
}

void to_signs(std::span<int8_t> codes) {
  parallel_for(std::ssize(codes), kGrain, [&](int64_t i) {
    int8_t& code = codes[static_cast<size_t>(i)];
    code = static_cast<int8_t>(2 * code + 1);
  });
}

}  // namespace lp
