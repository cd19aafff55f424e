// Exact products of 16-bit integers from four products of bytes: with x = 256 high + low,
//   a b = 65536 ah bh + 256 (ah bl + al bh) + al bl.
#pragma once
#include <algorithm>
#include <cstdint>

#include "lptrain/number/dtype.h"
#include "scratch.h"

namespace lp {

constexpr int64_t kSplitTerms = 33025;  // that a sum may have: 255 * 255 * 33025 < 2^31

// 16-bit integers as two arrays of bytes.
struct Split {
  Split(const int16_t* x, int64_t n);
  Scratch<int8_t> high;
  Scratch<uint8_t> low;
};

// Four arrays of sums, joined: c (+)= 65536 hh + 256 (hl + lh) + ll, exact in double.
class SplitSums {
 public:
  explicit SplitSums(int64_t n) : n_(n), sums_(4 * n) {}
  int32_t* part(int i) const { return sums_.data() + i * n_; }
  void join(bool accumulate, double* c) const;

 private:
  int64_t n_;
  Scratch<int32_t> sums_;
};

// Calls f(i, type of a, a, type of b, b) for the four products, in the order of SplitSums.
template <class F>
void each_split(const Split& a, const Split& b, F&& f) {
  f(0, DType::i8, a.high.data(), DType::i8, b.high.data());
  f(1, DType::i8, a.high.data(), DType::u8, b.low.data());
  f(2, DType::u8, a.low.data(), DType::i8, b.high.data());
  f(3, DType::u8, a.low.data(), DType::u8, b.low.data());
}

}  // namespace lp
