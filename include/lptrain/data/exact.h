// Arithmetic for generated data: only + - * / sqrt and floor, so that every machine draws the same bytes (libm's sin differs).
#pragma once
#include <cmath>
#include <cstdint>

#include "lptrain/base/random.h"

namespace lp {

// sin(2 pi turns), error below 1e-6. Odd Taylor polynomial on a quarter turn.
inline float exact_sin(float turns) {
  float t = turns - std::floor(turns + 0.5f);  // -1/2 .. 1/2
  if (t > 0.25f) t = 0.5f - t;
  if (t < -0.25f) t = -0.5f - t;
  const float x = t * 6.2831853f, xx = x * x;
  return x *
         (1 + xx * (-1.6666667e-1f + xx * (8.3333333e-3f + xx * (-1.9841270e-4f + xx * (2.7557319e-6f + xx * -2.5052108e-8f)))));
}
inline float exact_cos(float turns) { return exact_sin(turns + 0.25f); }

// Numbers drawn one after another under a key; the n-th depends on key and n alone.
class Dice {
 public:
  explicit Dice(Key key) : key_(key) {}
  float uniform(float low = 0, float high = 1) { return low + (high - low) * key_.uniform(count_++); }
  bool chance(float probability) { return uniform() < probability; }
  int64_t below(int64_t n) { return static_cast<int64_t>(key_.below(count_++, static_cast<uint64_t>(n))); }
  // Mean 0, deviation 1: the sum of four uniforms from one 64-bit word, within +-3.47.
  float normal() {
    const uint64_t u = key_.with(count_++).bits;
    const uint64_t sum = (u & 0xffff) + (u >> 16 & 0xffff) + (u >> 32 & 0xffff) + (u >> 48);
    return (static_cast<float>(sum) * 0x1p-16f - 1.99996948f) * 1.7320508f;
  }

 private:
  Key key_;
  uint64_t count_ = 0;
};

}  // namespace lp
