// f16 and bf16 in 16 bits, exactly and without special hardware: bit patterns to floats and back.
#pragma once
#include <bit>
#include <cstdint>

namespace lp {

// float -> bit pattern: to nearest, ties to even; overflow is infinity; subnormals are kept; NaNs become quiet and keep their
// sign and the leading bits of their payload. Same bits as F16C (VCVTPS2PH) on every float, and as AVX512-BF16
// (VCVTNEPS2BF16) on every float that is not subnormal (that instruction takes subnormals for zero).
constexpr uint16_t f16_bits(float x) {
  const uint32_t w = std::bit_cast<uint32_t>(x), sign = (w >> 16) & 0x8000u, a = w & 0x7fffffffu;
  if (a > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((a >> 13) & 0x3ffu));  // NaN
  if (a >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);                        // 2^16 and beyond
  if (a < 0x38800000u) {  // below 2^-14: the float addition rounds, because the last place of 0.5f is 2^-24
    const float shifted = std::bit_cast<float>(a) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  return static_cast<uint16_t>(sign | ((a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13));
}
constexpr uint16_t bf16_bits(float x) {
  const uint32_t w = std::bit_cast<uint32_t>(x);
  if ((w & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((w >> 16) | 0x40u);
  return static_cast<uint16_t>((w + 0x7fffu + ((w >> 16) & 1u)) >> 16);
}

// Bit pattern -> float, exact. As the hardware does, f16_value makes NaNs quiet and bf16_value leaves them.
constexpr float f16_value(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 0x1fu, mantissa = bits & 0x3ffu;
  if (exponent == 0)  // the product is exact; its sign is put on afterwards, for the sake of -0
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f));
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13) | (mantissa ? 0x400000u : 0u));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}
constexpr float bf16_value(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// The f16 or bf16 nearest to x, as a float.
constexpr float round_f16(float x) { return f16_value(f16_bits(x)); }
constexpr float round_bf16(float x) { return bf16_value(bf16_bits(x)); }

}  // namespace lp
