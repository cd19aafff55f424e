// Extreme operands, and what the integer rows of both product families made of them.
#include "row_check.h"

#include <limits>

#include "rows.h"

namespace lp {
namespace {

template <class T>
std::vector<char> extremes(int64_t n, Extreme which) {
  std::vector<char> memory(static_cast<size_t>(n) * sizeof(T));
  for (int64_t i = 0; i < n; ++i) {
    const bool high = which == Extreme::high || (which == Extreme::alternating && i % 2);
    const T value = high ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
    std::memcpy(memory.data() + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }
  return memory;
}

}  // namespace

std::vector<char> extreme_operand(DType type, int64_t n, Extreme which) {
  if (type == DType::u8) return extremes<uint8_t>(n, which);
  return type == DType::i8 ? extremes<int8_t>(n, which) : extremes<int16_t>(n, which);
}

std::span<const RowCheck> check_integer_rows() {
  static const std::vector<RowCheck> all = [] {
    std::vector<RowCheck> lines;
    for (const auto family : {check_matmul_rows(), check_conv2d_rows()}) lines.insert(lines.end(), family.begin(), family.end());
    return lines;
  }();
  return all;
}

}  // namespace lp
