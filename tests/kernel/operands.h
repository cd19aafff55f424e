// Operands of products for tests: numbers of any type, their exact values, and how close two results must be.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "lptrain/kernel/product.h"
#include "lptrain/number/half.h"

namespace lp::test {

// A repeatable stream of numbers.
struct Dice {
  uint64_t state = 1;
  uint32_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33);
  }
  int64_t between(int64_t low, int64_t high) { return low + next() % (high - low + 1); }
};

// n numbers in memory, one element off any vector alignment.
class Operand {
 public:
  Operand(DType type, int64_t n) : type_(type), n_(n), memory_(static_cast<size_t>((n + 1) * bytes_of(type))) {}
  void* data() { return memory_.data() + bytes_of(type_); }
  const void* data() const { return memory_.data() + bytes_of(type_); }
  int64_t size() const { return n_; }
  DType type() const { return type_; }

  double at(int64_t i) const {
    switch (type_) {
      case DType::f64: return read<double>(i);
      case DType::f32: return read<float>(i);
      case DType::f16: return f16_value(read<uint16_t>(i));
      case DType::bf16: return bf16_value(read<uint16_t>(i));
      case DType::i8: return read<int8_t>(i);
      case DType::u8: return read<uint8_t>(i);
      case DType::i16: return read<int16_t>(i);
      case DType::i32: return read<int32_t>(i);
    }
    return 0;
  }
  void set(int64_t i, double value) {
    switch (type_) {
      case DType::f64: return write(i, value);
      case DType::f32: return write(i, static_cast<float>(value));
      case DType::f16: return write(i, f16_bits(static_cast<float>(value)));
      case DType::bf16: return write(i, bf16_bits(static_cast<float>(value)));
      case DType::i8: return write(i, static_cast<int8_t>(value));
      case DType::u8: return write(i, static_cast<uint8_t>(value));
      case DType::i16: return write(i, static_cast<int16_t>(value));
      case DType::i32: return write(i, static_cast<int32_t>(value));
    }
  }
  bool operator==(const Operand& other) const { return memory_ == other.memory_; }

 private:
  template <class T>
  T read(int64_t i) const {
    T value;
    std::memcpy(&value, memory_.data() + (i + 1) * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  template <class T>
  void write(int64_t i, T value) {
    std::memcpy(memory_.data() + (i + 1) * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }

  DType type_;
  int64_t n_;
  std::vector<char> memory_;
};

inline double lowest(DType type) { return type == DType::u8 ? 0 : type == DType::i8 ? -128 : type == DType::i16 ? -32768 : -4; }
inline double highest(DType type) { return type == DType::u8 ? 255 : type == DType::i8 ? 127 : type == DType::i16 ? 32767 : 4; }
inline bool is_integer(DType type) { return type == DType::i8 || type == DType::u8 || type == DType::i16; }

// Random numbers of the whole range of an integer type; of [-4, 4] otherwise, zeros of both signs among them.
inline Operand random_operand(DType type, int64_t n, uint64_t seed) {
  Operand made(type, n);
  Dice dice{seed};
  const auto low = static_cast<int64_t>(lowest(type)), high = static_cast<int64_t>(highest(type));
  for (int64_t i = 0; i < n; ++i) {
    if (is_integer(type))
      made.set(i, static_cast<double>(dice.between(low, high)));
    else
      made.set(i, dice.next() % 16 == 0 ? -0.0 : static_cast<double>(dice.between(-4000, 4000)) / 1000);
  }
  return made;
}

// Random integers of 31 bits, for what products of integers are held in.
inline Operand random_integers(DType type, int64_t n, uint64_t seed) {
  Operand made(type, n);
  Dice dice{seed};
  for (int64_t i = 0; i < n; ++i) made.set(i, static_cast<double>(dice.between(-(1 << 30), 1 << 30)));
  return made;
}

inline Operand constant_operand(DType type, int64_t n, double value) {
  Operand made(type, n);
  for (int64_t i = 0; i < n; ++i) made.set(i, value);
  return made;
}

inline Operand magnitudes(const Operand& x) {
  Operand made(DType::f64, x.size());
  for (int64_t i = 0; i < x.size(); ++i) made.set(i, std::fabs(x.at(i)));
  return made;
}

struct Types {
  DType a, b, c;
};
inline constexpr Types kTypes[] = {
    {DType::f64, DType::f64, DType::f64},   {DType::f32, DType::f32, DType::f32}, {DType::f16, DType::f16, DType::f32},
    {DType::bf16, DType::bf16, DType::f32}, {DType::i8, DType::i8, DType::i32},   {DType::i8, DType::u8, DType::i32},
    {DType::u8, DType::i8, DType::i32},     {DType::u8, DType::u8, DType::i32},   {DType::i16, DType::i16, DType::f64},
};

// The first element where found and wanted differ: at all for integers; by more than `terms` roundings of the sum of |a||b| else.
// "" if none.
inline std::string difference(const Operand& found, const Operand& wanted, const Operand& scale, int64_t terms, bool exact) {
  if (found == wanted) return "";
  const double epsilon = found.type() == DType::f64 ? 0x1p-53 : 0x1p-24;
  for (int64_t i = 0; i < found.size(); ++i) {
    const double x = found.at(i), y = wanted.at(i);
    const double slack = exact ? 0 : static_cast<double>(terms + 2) * epsilon * scale.at(i);
    if (x == y || (std::isnan(x) && std::isnan(y)) || std::fabs(x - y) <= slack) continue;
    return fmt::format("element {}: found {}, wanted {} +- {}", i, x, y, slack);
  }
  return "";
}

// Restores the caps that a test changes.
struct Caps {
  Isa isa = cpu_isa();
  Backend backend = backend_cap();
  ~Caps() {
    set_isa_cap(isa);
    set_backend_cap(backend);
  }
};

}  // namespace lp::test
