// The loops of split.h, for one instruction set (see loops.h).
namespace {

void split_words(int64_t n, const int16_t* x, int8_t* high, uint8_t* low) {
  for (int64_t i = 0; i < n; ++i) {
    high[i] = static_cast<int8_t>(x[i] >> 8);
    low[i] = static_cast<uint8_t>(x[i] & 255);
  }
}

void join_words(int64_t n, const int32_t* hh, const int32_t* hl, const int32_t* lh, const int32_t* ll, bool accumulate,
                double* c) {
  for (int64_t i = 0; i < n; ++i) {
    const double middle = static_cast<double>(hl[i]) + static_cast<double>(lh[i]);
    const double sum = 65536.0 * static_cast<double>(hh[i]) + (256.0 * middle + static_cast<double>(ll[i]));
    c[i] = accumulate ? c[i] + sum : sum;
  }
}

constexpr SplitLoops kSplitLoops = {split_words, join_words};

}  // namespace
