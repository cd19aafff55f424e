// Sigmoid and tanh of gates, in loops that compilers turn into vectors: in f64 those of the library, in f32 by an e^x of their
// own.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace lp {

// e^x = 2^n e^r, r = x - n ln 2 within +-ln 2 / 2, e^r by its Taylor polynomial of degree 6: relative error below 4e-7 (f32). x
// beyond +-87 counts as +-87; NaN stays NaN. Numbers are compared by their bits: comparisons of floats could trap, which keeps
// compilers from making vectors of them.
inline float exponential(float x) {
  constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it rounds to an integer, in the low bits
  constexpr int32_t kMost = std::bit_cast<int32_t>(87.0f), kInfinity = 0x7f800000;
  const int32_t bits = std::bit_cast<int32_t>(x), magnitude = bits & 0x7fffffff, sign = bits ^ magnitude;
  const float y = std::bit_cast<float>(sign | (magnitude < kMost ? magnitude : kMost));
  const float shifted = y * 1.44269504f + kRound, n = shifted - kRound;
  const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  const float p =
      1 + r * (1 + r * (0.5f + r * (1.66666667e-1f + r * (4.16666667e-2f + r * (8.33333333e-3f + r * 1.38888889e-3f)))));
  const uint32_t e = std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(shifted) << 23);
  const uint32_t nan = 0u - static_cast<uint32_t>(magnitude > kInfinity);  // all bits, or none
  return std::bit_cast<float>(e | nan);
}
inline double exponential(double x) { return std::exp(x); }

// 1 / (1 + e^-x)
template <class T>
T smooth_step(T x) {
  return 1 / (1 + exponential(-x));
}

// tanh x, in f32 with an absolute error below 3e-7
inline float smooth_sign(float x) { return 1 - 2 / (1 + exponential(2 * x)); }
inline double smooth_sign(double x) { return std::tanh(x); }

}  // namespace lp
