// Elementwise loops and their reductions over raw memory: what a training step does between the products.
#pragma once
#include <cstdint>

namespace lp {

// T is float or double. Pointers need no more than the alignment of T. An output may be the same memory as an input of its own
// length, but may not overlap it otherwise. NaN propagates unless said. Results depend neither on the instruction set nor on the
// number of threads: reductions have a fixed order (lanes, then chunks).

template <class T>
void fill(int64_t n, T value, T* y);
template <class T>
void relu(int64_t n, const T* x, T* y);  // y = x < 0 ? 0 : x
template <class T>
void relu_backward(int64_t n, const T* y, const T* dy, T* dx);  // dx = y > 0 ? dy : 0
template <class T>
void add(int64_t n, const T* a, const T* b, T* y);  // y = a + b
template <class T>
void scale(int64_t n, T a, const T* x, T* y);  // y = a x
template <class T>
void axpy(int64_t n, T a, const T* x, T* y);  // y = y + a x, product rounded first

// y[rows, cols] = x[rows, cols] + bias[cols]
template <class T>
void add_bias(int64_t rows, int64_t cols, const T* x, const T* bias, T* y);

// out[c] = sum over r of x[r, c]: in T over 32 rows at a time, in f64 over these.
template <class T>
void column_sums(int64_t rows, int64_t cols, const T* x, T* out);

// Accumulated in f64.
template <class T>
double sum(int64_t n, const T* x);
template <class T>
double sum_squares(int64_t n, const T* x);

}  // namespace lp
