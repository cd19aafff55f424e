// Codes by the quantizing kernels, and the values they make.
#include "lptrain/tensor/encoding.h"

#include <cmath>

#include "lptrain/tensor/math.h"

namespace lp {

bool Encoding::passes_all() const { return std::isinf(low) && low < 0 && std::isinf(high); }

DType encoded_type(const Encoding& e, DType real) { return e.has_codes ? storage_of(e.key.format, e.key.zero_point) : real; }

void encode(const Encoding& e, const Shape& shape, int64_t begin, int64_t end, DType real, const void* x, void* y) {
  QuantizeKey key = e.key;
  const int64_t row = shape.after(0);
  const bool is_whole = begin == 0 && end == shape[0];
  require(is_whole || e.axis < 0 || e.axis == shape.rank() - 1, "channels of axis {} cannot be encoded in parts of rows", e.axis);
  key.first = static_cast<uint64_t>(begin * row);
  if (e.axis < 0)
    key.lanes = {1, 1, (end - begin) * row};
  else if (is_whole)
    key.lanes = {shape.before(e.axis), shape[e.axis], shape.after(e.axis)};
  else
    key.lanes = {(end - begin) * row / shape.back(), shape.back(), 1};
  const auto scales = e.scale.data<float>();
  const bool is_plain = e.axis < 0 && scales[0] == 1.0f;
  const float* scale = is_plain ? nullptr : scales.data();
  if (!e.has_codes) return quantize_values(key, real, x, scale, y);
  quantize(key, real, x, scale, encoded_type(e, real), y);
  // The kernel's codes -1 and 0 of binary become the reals that they stand for: see tensor/value.h.
  if (key.format.family != Format::Family::Binary) return;
  auto* codes = static_cast<int8_t*>(y);
  parallel_for(key.lanes.size(), kGrain, [&](int64_t i) { codes[i] = static_cast<int8_t>(2 * codes[i] + 1); });
}

Value encoded(const Encoding& e, Tensor memory, DType real) {
  if (!e.has_codes) return Value(std::move(memory));
  return Value(Codes{std::move(memory), e.key.format, e.scale, e.axis, e.key.zero_point}, real);
}

Value encode(const Encoding& e, const Tensor& x) {
  Tensor y(x.shape(), encoded_type(e, x.dtype()));
  encode(e, x.shape(), 0, x.shape().rank() ? x.shape()[0] : 1, x.dtype(), x.raw(), y.raw());
  return encoded(e, std::move(y), x.dtype());
}

}  // namespace lp
