// Spreads the passes of batch normalization over threads.
#include "lptrain/kernel/norm.h"

#include <algorithm>
#include <vector>

#include "long_rows.h"
#include "loops.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread takes at once

template <class T>
const NormLoops<T>& norm_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().norm64;
  else
    return loops().norm32;
}

int64_t rows_at_once(int64_t C) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(C, 1) / 8) * 8; }

// Adds up what add(first row, rows, columns, first sums, second sums) adds for chunks of rows, in their order.
template <class F>
void sum_chunks(int64_t rows, int64_t C, double* first, double* second, F&& add) {
  const int64_t grain = rows_at_once(C), chunks = (rows + grain - 1) / grain, width = rows_together(C) * C;
  std::vector<double> partial(static_cast<size_t>(2 * width * chunks));
  parallel_chunks(rows, grain, [&](int64_t begin, int64_t end) {
    double* sums = partial.data() + 2 * width * (begin / grain);
    in_long_rows(begin, end, C, [&](int64_t r, int64_t n, int64_t columns) { add(r, n, columns, sums, sums + width); });
  });
  std::fill_n(first, C, 0.0);
  std::fill_n(second, C, 0.0);
  for (int64_t i = 0; i < chunks; ++i)
    for (int64_t c = 0; c < width; ++c) {
      first[c % C] += partial[static_cast<size_t>(2 * width * i + c)];
      second[c % C] += partial[static_cast<size_t>(2 * width * i + width + c)];
    }
}

}  // namespace

template <class T>
void norm_moments(int64_t rows, int64_t C, const T* x, double* first, double* second) {
  const Timed timed("norm", "moments");
  if (rows == 0) return sum_chunks(0, C, first, second, [](auto...) {});
  const std::vector<T> origin = repeated(x, C, rows);
  sum_chunks(rows, C, first, second, [&](int64_t r, int64_t n, int64_t columns, double* a, double* b) {
    norm_loops<T>().moments(n, columns, x + r * C, origin.data(), a, b);
  });
}

template <class T>
void norm_apply(int64_t rows, int64_t C, const T* x, const T* mean, const T* factor, const T* term, T* y) {
  const Timed timed("norm", "apply");
  const std::vector<T> m = repeated(mean, C, rows), f = repeated(factor, C, rows), t = repeated(term, C, rows);
  parallel_chunks(rows, rows_at_once(C), [&](int64_t begin, int64_t end) {
    in_long_rows(begin, end, C, [&](int64_t r, int64_t n, int64_t columns) {
      norm_loops<T>().apply(n, columns, x + r * C, m.data(), f.data(), t.data(), y + r * C);
    });
  });
}

template <class T>
void norm_backward_sums(int64_t rows, int64_t C, const T* dy, const uint8_t* where, const T* x, const T* mean, double* first,
                        double* second) {
  const Timed timed("norm", "backward_sums");
  const std::vector<T> m = repeated(mean, C, rows);
  sum_chunks(rows, C, first, second, [&](int64_t r, int64_t n, int64_t columns, double* a, double* b) {
    norm_loops<T>().backward_sums(n, columns, dy + r * C, where ? where + r * C : nullptr, x + r * C, m.data(), a, b);
  });
}

template <class T>
void norm_backward(int64_t rows, int64_t C, const T* dy, const uint8_t* where, const T* x, const T* mean, const T* p, const T* q,
                   const T* s, T* dx) {
  const Timed timed("norm", "backward");
  const std::vector<T> m = repeated(mean, C, rows), a = repeated(p, C, rows), b = repeated(q, C, rows), e = repeated(s, C, rows);
  parallel_chunks(rows, rows_at_once(C), [&](int64_t begin, int64_t end) {
    in_long_rows(begin, end, C, [&](int64_t r, int64_t n, int64_t columns) {
      norm_loops<T>().backward(n, columns, dy + r * C, where ? where + r * C : nullptr, x + r * C, m.data(), a.data(), b.data(),
                               e.data(), dx + r * C);
    });
  });
}

template void norm_moments(int64_t, int64_t, const float*, double*, double*);
template void norm_apply(int64_t, int64_t, const float*, const float*, const float*, const float*, float*);
template void norm_backward_sums(int64_t, int64_t, const float*, const uint8_t*, const float*, const float*, double*, double*);
template void norm_backward(int64_t, int64_t, const float*, const uint8_t*, const float*, const float*, const float*,
                            const float*, const float*, float*);
template void norm_moments(int64_t, int64_t, const double*, double*, double*);
template void norm_apply(int64_t, int64_t, const double*, const double*, const double*, const double*, double*);
template void norm_backward_sums(int64_t, int64_t, const double*, const uint8_t*, const double*, const double*, double*, double*);
template void norm_backward(int64_t, int64_t, const double*, const uint8_t*, const double*, const double*, const double*,
                            const double*, const double*, double*);

}  // namespace lp
