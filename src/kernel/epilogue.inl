// The loops of kernel/epilogue.h, for one instruction set (see loops.h).
namespace {

constexpr int32_t difference(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));  // wraps
}
constexpr float difference(float a, float b) { return a - b; }
constexpr double difference(double a, double b) { return a - b; }

template <class T, class Acc>
void rescale(int64_t rows, int64_t cols, const Acc* acc, const Acc* shift, const T* m, const T* bias, T* y) {
  for (int64_t r = 0; r < rows; ++r, acc += cols, y += cols) {
    for (int64_t c = 0; c < cols; ++c) y[c] = static_cast<T>(difference(acc[c], shift[c])) * m[c];
    if (bias)
      for (int64_t c = 0; c < cols; ++c) y[c] += bias[c];
  }
}

template <class T>
constexpr RescaleLoops<T> kRescaleLoops = {rescale<T, int32_t>, rescale<T, float>, rescale<T, double>};

}  // namespace
