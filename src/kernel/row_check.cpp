// Extreme operands, and what the integer rows of both product families made of them.
#include "row_check.h"

#include <limits>

#include "rows.h"

namespace lp {
namespace {

constexpr std::pair<Integers, Integers> kWords[] = {{{DType::i16}, {DType::i16}}};
constexpr std::pair<Integers, Integers> kBytes[] = {
    {{DType::u8}, {DType::i8}},
    {{DType::i8}, {DType::i8}},
    {{DType::i8}, {DType::u8}},
    {{DType::u8}, {DType::u8}},
    {{DType::i8, Levels::signs}, {DType::i8, Levels::signs}},
    {{DType::i8, Levels::signed_two_bits}, {DType::i8, Levels::ternary}},
    {{DType::u8, Levels::two_bits}, {DType::i8, Levels::signs}},
};

template <class T>
std::vector<char> extremes(int64_t n, Extreme which, T low, T high) {
  std::vector<char> memory(static_cast<size_t>(n) * sizeof(T));
  for (int64_t i = 0; i < n; ++i) {
    const T value = which == Extreme::high || (which == Extreme::alternating && i % 2) ? high : low;
    std::memcpy(memory.data() + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }
  return memory;
}

template <class T>
std::vector<char> extremes(int64_t n, Extreme which) {
  return extremes<T>(n, which, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max());
}

}  // namespace

std::vector<char> extreme_operand(const Integers& kind, int64_t n, Extreme which) {
  switch (kind.levels) {
    case Levels::bit: return extremes<int8_t>(n, which, 0, 1);
    case Levels::signs:
    case Levels::ternary: return extremes<int8_t>(n, which, -1, 1);
    case Levels::two_bits: return extremes<int8_t>(n, which, 0, 3);
    case Levels::signed_two_bits: return extremes<int8_t>(n, which, -2, 1);
    case Levels::any: break;
  }
  if (kind.type == DType::u8) return extremes<uint8_t>(n, which);
  return kind.type == DType::i8 ? extremes<int8_t>(n, which) : extremes<int16_t>(n, which);
}

std::span<const std::pair<Integers, Integers>> integer_pairs(bool is_words) {
  if (is_words) return kWords;
  return kBytes;
}

std::string_view name_of(Levels levels) {
  constexpr std::string_view kNames[] = {"any", "bit", "signs", "ternary", "two_bits", "signed_two_bits"};
  return kNames[static_cast<size_t>(levels)];
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
