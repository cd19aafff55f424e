// Randomness without state: every random number is a function of a key and an index, so results do not depend on
// thread count, on the order of evaluation, or on what else was drawn.
#pragma once
#include <compare>
#include <cstdint>
#include <string_view>

namespace lp {

// The finalizer of SplitMix64: a bijection on 64 bits that passes BigCrush as a counter-based generator.
// Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".
constexpr uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A place in the tree of randomness: seed -> step -> tensor name -> use -> element.
struct Key {
  uint64_t bits = 0;

  auto operator<=>(const Key&) const = default;

  constexpr Key() = default;
  constexpr explicit Key(uint64_t seed) : bits(mix(seed)) {}
  constexpr Key with(uint64_t index) const {
    Key k;
    k.bits = mix(bits ^ mix(index));
    return k;
  }
  constexpr Key with(std::string_view name) const {  // FNV-1a of the name
    uint64_t h = 0xcbf29ce484222325u;
    for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return with(h);
  }
  // Each 2^32 elements have a key of their own.
  constexpr uint64_t page(uint64_t index) const { return index >> 32 ? mix(bits + (index >> 32)) : bits; }
  // 32 random bits for one element. Cheap enough for inner loops: two 32-bit multiplications, as vector code can do them
  // (the "lowbias32" finalizer of C. Wellons). Rows of kernel/quantize.h repeat this formula lane by lane.
  constexpr uint32_t bits32(uint64_t index) const {
    const uint64_t k = page(index);
    uint32_t x = static_cast<uint32_t>(index) ^ static_cast<uint32_t>(k);
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x ^ static_cast<uint32_t>(k >> 32);
  }
  // Uniform in (0, 1): (k + 1/2) / 2^23 for a random 23-bit k, so that the mean is exactly 1/2 and 0 and 1 never occur
  // (with one bit more, k + 1/2 would not fit into a float and the largest k would give 1).
  constexpr float uniform(uint64_t index) const { return (static_cast<float>(bits32(index) >> 9) + 0.5f) * 0x1p-23f; }
  double uniform64(uint64_t index) const;  // the same with 52 bits, for generators of data
  double normal(uint64_t index) const;     // mean 0, deviation 1 (Box-Muller)
  // Uniform in 0..n-1; the bias, below n / 2^64, cannot be observed.
  constexpr uint64_t below(uint64_t index, uint64_t n) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(with(index).bits) * n) >> 64);
  }
};

}  // namespace lp
