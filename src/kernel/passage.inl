// The loops of kernel/passage.h, for one instruction set (see loops.h).
namespace {

void mark(int64_t n, const float* y, float low, float high, uint8_t* where) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const bool passes = (y[i] >= low) & (y[i] <= high);
    where[i] = static_cast<uint8_t>(where[i] | -static_cast<int>(!passes));
  }
}

void pass_within(int64_t n, const float* x, float low, float high, const float* dy, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) dx[i] = ((x[i] >= low) & (x[i] <= high)) ? dy[i] : 0.f;
}

void scale_columns(int64_t rows, int64_t cols, const float* x, const float* s, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += cols, y += cols)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) y[c] = x[c] * s[c];
}

// Widens low[c]..high[c], as extremes_rows does.
template <bool kMasked>
void passed_extremes(int64_t rows, int64_t cols, const float* dy, const float* s, const uint8_t* where, float* low, float* high) {
  for (int64_t r = 0; r < rows; ++r, dy += cols, where += kMasked ? cols : 0)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) {
      const float v = kMasked && where[c] == 255 ? 0.f : dy[c] * s[c];
      const auto a = ordered(v), least = ordered(low[c]), greatest = ordered(high[c]);
      low[c] = unordered<float>(a < least ? a : least);
      high[c] = unordered<float>(a > greatest ? a : greatest);
    }
}

template <class C>
void sum_codes(int64_t rows, int64_t cols, const C* codes, int32_t* sums) {
  for (int64_t r = 0; r < rows; ++r, codes += cols)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) sums[c] += codes[c];
}

void sum_bf16(int64_t rows, int64_t cols, const uint16_t* bits, float* sums) {
  for (int64_t r = 0; r < rows; ++r, bits += cols)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) sums[c] += __builtin_bit_cast(float, static_cast<uint32_t>(bits[c]) << 16);
}

constexpr PassageLoops kPassageLoops = {
    mark,    pass_within, scale_columns, passed_extremes<true>, passed_extremes<false>, sum_codes<int8_t>, sum_codes<uint8_t>,
    sum_bf16};

}  // namespace
