// Numbers that elementwise kernels may stumble over, and a walk through the instruction sets.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lptrain/base/parallel.h"
#include "lptrain/base/random.h"
#include "lptrain/kernel/cpu.h"

namespace lp::test {

// f() under every cap that this machine can tell apart.
template <class F>
void for_isas(F&& f) {
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    set_isa_cap(isa);
    CAPTURE(name_of(isa));
    if (cpu_isa() == isa) f();
  }
  set_isa_cap(Isa::amx);
}

// f() on the scalar reference rows.
template <class F>
void on_reference(F&& f) {
  set_backend_cap(Backend::reference);
  f();
  set_backend_cap(Backend::onednn);
}

template <class F>
void with_threads(int n, F&& f) {
  const int before = thread_count();
  set_thread_count(n);
  f();
  set_thread_count(before);
}

// Lengths around every vector width and block, primes among them.
inline std::vector<int64_t> lengths() {
  std::vector<int64_t> all;
  for (int64_t n = 0; n <= 130; ++n) all.push_back(n);
  for (const int64_t n : {251, 509, 512, 513, 1021, 1031, 4099}) all.push_back(n);
  return all;
}

// A vector whose data lie one element off any vector alignment, with a guard element behind them.
template <class T>
struct Odd {
  explicit Odd(int64_t n, T value = T{}) : memory(static_cast<size_t>(n + 2), value) {}
  T* data() { return memory.data() + 1; }
  const T* data() const { return memory.data() + 1; }
  int64_t size() const { return static_cast<int64_t>(memory.size()) - 2; }
  T& operator[](int64_t i) { return data()[i]; }
  const T& operator[](int64_t i) const { return data()[i]; }
  std::vector<T> memory;
};

// Ordinary numbers in about [-4, 4].
template <class T>
Odd<T> ordinary(int64_t n, uint64_t seed) {
  Odd<T> x(n);
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(Key(seed).normal(static_cast<uint64_t>(i)));
  return x;
}

// Ordinary numbers, halves (ties), random bit patterns, and every special value.
template <class T>
Odd<T> hostile(int64_t n, uint64_t seed) {
  using L = std::numeric_limits<T>;
  const T specials[] = {0,         -T(0),       L::infinity(), -L::infinity(), L::quiet_NaN(),  -L::quiet_NaN(),
                        L::max(),  L::lowest(), L::min(),      -L::min(),      L::denorm_min(), -L::denorm_min(),
                        1,         -1,          T(0.5),        T(-0.5),        T(1e10),         T(-1e10),
                        T(-1e-30), T(3e-42)};
  Odd<T> x(n);
  const Key key(seed);
  for (int64_t i = 0; i < n; ++i) {
    const auto draw = key.bits32(static_cast<uint64_t>(i)), kind = draw % 8;
    if (kind == 0)
      x[i] = specials[draw / 8 % std::size(specials)];
    else if (kind == 1)
      x[i] = static_cast<T>(static_cast<int>(draw / 8 % 1024) - 512) / 2;
    else if (kind == 2)
      x[i] = static_cast<T>(std::ldexp(1 + static_cast<double>(draw / 8 % 512) / 512, static_cast<int>(draw >> 26) - 32));
    else if (kind == 3)
      std::memcpy(&x[i], &draw, 4);
    else
      x[i] = static_cast<T>(100 * key.normal(static_cast<uint64_t>(i)));
  }
  return x;
}

// Equal bit for bit, but any NaN equals any other.
template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  }
  return a == b;
}

// Checks memory, guards included; reports the first difference only.
template <class T>
void check_same(const Odd<T>& found, const Odd<T>& wanted) {
  REQUIRE(found.memory.size() == wanted.memory.size());
  for (size_t i = 0; i < found.memory.size(); ++i)
    if (!same(found.memory[i], wanted.memory[i])) {
      CAPTURE(i);
      CHECK(found.memory[i] == wanted.memory[i]);
      FAIL_CHECK("differs");
      return;
    }
}

}  // namespace lp::test
