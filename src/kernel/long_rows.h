// Rows of few channels are taken several at a time, as one longer row, so that inner loops over a row are worth their start. What
// belongs to channels is repeated for that.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace lp {

// How many rows of C channels make a long one.
inline int64_t rows_together(int64_t C) {
  constexpr int64_t kLong = 256;
  return std::max<int64_t>(1, kLong / std::max<int64_t>(C, 1));
}

// x[C] again and again, as long as a long row; once, if there are too few rows for one.
template <class T>
std::vector<T> repeated(const T* x, int64_t C, int64_t rows) {
  std::vector<T> all;
  for (int64_t i = 0, times = rows < rows_together(C) ? 1 : rows_together(C); i < times; ++i) all.insert(all.end(), x, x + C);
  return all;
}

// f(first row, number of rows, their length) for the long rows of [r, end), and for what is left of them.
template <class F>
void in_long_rows(int64_t r, int64_t end, int64_t C, F&& f) {
  const int64_t k = rows_together(C), rows = (end - r) / k;
  if (rows > 0) f(r, rows, k * C);
  if (r + rows * k < end) f(r + rows * k, end - r - rows * k, C);
}

}  // namespace lp
