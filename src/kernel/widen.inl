// Halves to floats, for one instruction set (see loops.h); the numbers are those of number/half.h.
namespace {

void widen_f16(int64_t n, const uint16_t* x, float* y) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t a = (x[i] & 0x7fff) << 13, sign = (x[i] & 0x8000) << 16;
    const float finite = __builtin_bit_cast(float, a) * 0x1p112f;  // moves the exponent; exact for subnormals, too
    const int32_t special = a | 0x7f800000 | (a > 0x0f800000 ? 0x400000 : 0);
    const int32_t magnitude = a < 0x0f800000 ? __builtin_bit_cast(int32_t, finite) : special;
    y[i] = __builtin_bit_cast(float, sign | magnitude);
  }
}

void widen_bf16(int64_t n, const uint16_t* x, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = __builtin_bit_cast(float, static_cast<uint32_t>(x[i]) << 16);
}

constexpr WidenLoops kWidenLoops = {widen_f16, widen_bf16};

}  // namespace
