// Loops over a tensor seen as [rows, columns], for what is computed per channel.
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "lptrain/tensor/math.h"

namespace lp {

// Two sums per column.
struct ColumnSums {
  std::vector<double> first, second;
};

// (first_c, second_c) = sum over r of terms(r, c), a pair of T: in T over eight rows at a time, in f64 over these and over chunks
// of rows, whose bounds depend on the shape alone. So the result is the same on any number of threads.
template <class T, class Terms>
ColumnSums column_sums(int64_t rows, int64_t columns, Terms terms) {
  constexpr int64_t kBlock = 8;
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(columns, 1) / kBlock) * kBlock;
  const size_t width = static_cast<size_t>(columns), chunks = static_cast<size_t>((rows + grain - 1) / grain);
  std::vector<double> partial(2 * width * chunks);
  parallel_chunks(rows, grain, [&](int64_t begin, int64_t end) {
    double* s = partial.data() + 2 * width * static_cast<size_t>(begin / grain);
    double* q = s + width;
    const auto add_rows = [&](int64_t first, auto count) {
      for (int64_t c = 0; c < columns; ++c) {
        std::pair<T, T> sum = terms(first, c);
        for (int64_t r = first + 1; r < first + count; ++r) {
          const std::pair<T, T> t = terms(r, c);
          sum.first += t.first;
          sum.second += t.second;
        }
        s[c] += static_cast<double>(sum.first);
        q[c] += static_cast<double>(sum.second);
      }
    };
    for (; begin + kBlock <= end; begin += kBlock) add_rows(begin, std::integral_constant<int64_t, kBlock>());
    if (begin < end) add_rows(begin, end - begin);
  });
  ColumnSums sums{std::vector<double>(width), std::vector<double>(width)};
  for (size_t i = 0; i < chunks; ++i)
    for (size_t c = 0; c < width; ++c) {
      sums.first[c] += partial[2 * width * i + c];
      sums.second[c] += partial[2 * width * i + width + c];
    }
  return sums;
}

// f(r * columns + c, c) for every element, over threads.
template <class F>
void for_each_by_column(int64_t rows, int64_t columns, F f) {
  parallel_chunks(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(columns, 1)), [f, columns](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t c = 0; c < columns; ++c) f(r * columns + c, c);
  });
}

// Numbers computed in f64, one a column, as a tensor of the type they are used in.
inline Tensor as_tensor(const std::vector<double>& numbers, DType type) {
  Tensor t({static_cast<int64_t>(numbers.size())}, type);
  visit_real(
      type, [&]<class T>() { std::ranges::transform(numbers, t.data<T>().begin(), [](double a) { return static_cast<T>(a); }); });
  return t;
}

}  // namespace lp
