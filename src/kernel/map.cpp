// Spreads the elementwise loops over threads.
#include "lptrain/kernel/map.h"

#include <algorithm>
#include <vector>

#include "long_rows.h"
#include "loops.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements a thread takes at once

template <class T>
const MapLoops<T>& map_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().map64;
  else
    return loops().map32;
}

// Sums of fixed chunks, added in order.
template <class F>
double sum_of_chunks(int64_t n, F&& f) {
  std::vector<double> partial(static_cast<size_t>((n + kGrain - 1) / kGrain));
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { partial[static_cast<size_t>(i / kGrain)] = f(i, end); });
  double total = 0;
  for (const double part : partial) total += part;
  return total;
}

}  // namespace

template <class T>
void fill(int64_t n, T value, T* y) {
  const Timed timed("map", "fill");
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { std::fill(y + i, y + end, value); });
}

template <class T>
void relu(int64_t n, const T* x, T* y) {
  const Timed timed("map", "relu");
  const auto run = map_loops<T>().relu;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(end - i, x + i, y + i); });
}

template <class T>
void relu_backward(int64_t n, const T* y, const T* dy, T* dx) {
  const Timed timed("map", "relu_backward");
  const auto run = map_loops<T>().relu_backward;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(end - i, y + i, dy + i, dx + i); });
}

template <class T>
void add(int64_t n, const T* a, const T* b, T* y) {
  const Timed timed("map", "add");
  const auto run = map_loops<T>().add;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(end - i, a + i, b + i, y + i); });
}

template <class T>
void scale(int64_t n, T a, const T* x, T* y) {
  const Timed timed("map", "scale");
  const auto run = map_loops<T>().scale;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(end - i, a, x + i, y + i); });
}

template <class T>
void axpy(int64_t n, T a, const T* x, T* y) {
  const Timed timed("map", "axpy");
  const auto run = map_loops<T>().axpy;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(end - i, a, x + i, y + i); });
}

template <class T>
void add_bias(int64_t rows, int64_t cols, const T* x, const T* bias, T* y) {
  const Timed timed("map", "add_bias");
  const auto run = map_loops<T>().add_bias;
  const std::vector<T> terms = repeated(bias, cols, rows);
  parallel_chunks(rows, kGrain / std::max<int64_t>(cols, 1) + 1, [&](int64_t begin, int64_t end) {
    in_long_rows(begin, end, cols,
                 [&](int64_t r, int64_t n, int64_t columns) { run(n, columns, x + r * cols, terms.data(), y + r * cols); });
  });
}

template <class T>
void column_sums(int64_t rows, int64_t cols, const T* x, T* out) {
  const Timed timed("map", "column_sums");
  const int64_t grain = 32 * (kGrain / (32 * std::max<int64_t>(cols, 1)) + 1);
  const int64_t chunks = (rows + grain - 1) / grain;
  std::vector<double> partial(static_cast<size_t>(chunks * cols));
  std::vector<T> blocks(static_cast<size_t>(chunks * cols));
  parallel_chunks(rows, grain, [&](int64_t r, int64_t end) {
    const int64_t at = r / grain * cols;
    map_loops<T>().column_sums(end - r, cols, x + r * cols, blocks.data() + at, partial.data() + at);
  });
  for (int64_t c = 0; c < cols; ++c) {
    double total = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) total += partial[static_cast<size_t>(chunk * cols + c)];
    out[c] = static_cast<T>(total);
  }
}

template <class T>
double sum(int64_t n, const T* x) {
  const Timed timed("map", "sum");
  const auto run = map_loops<T>().sum;
  return sum_of_chunks(n, [&](int64_t i, int64_t end) { return run(end - i, x + i); });
}

template <class T>
double sum_squares(int64_t n, const T* x) {
  const Timed timed("map", "sum_squares");
  const auto run = map_loops<T>().sum_squares;
  return sum_of_chunks(n, [&](int64_t i, int64_t end) { return run(end - i, x + i); });
}

template void fill(int64_t, float, float*);
template void relu(int64_t, const float*, float*);
template void relu_backward(int64_t, const float*, const float*, float*);
template void add(int64_t, const float*, const float*, float*);
template void scale(int64_t, float, const float*, float*);
template void axpy(int64_t, float, const float*, float*);
template void add_bias(int64_t, int64_t, const float*, const float*, float*);
template void column_sums(int64_t, int64_t, const float*, float*);
template double sum(int64_t, const float*);
template double sum_squares(int64_t, const float*);
template void fill(int64_t, double, double*);
template void relu(int64_t, const double*, double*);
template void relu_backward(int64_t, const double*, const double*, double*);
template void add(int64_t, const double*, const double*, double*);
template void scale(int64_t, double, const double*, double*);
template void axpy(int64_t, double, const double*, double*);
template void add_bias(int64_t, int64_t, const double*, const double*, double*);
template void column_sums(int64_t, int64_t, const double*, double*);
template double sum(int64_t, const double*);
template double sum_squares(int64_t, const double*);

}  // namespace lp
