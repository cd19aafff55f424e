// Batch normalization's passes over memory: rows of C channels.
#pragma once
#include <cstdint>

namespace lp {

// T is float or double. Pointers need no more than the alignment of T; an output may be an input's memory, but may not overlap it
// otherwise. Results depend neither on the instruction set nor on the number of threads: sums are in T over eight terms at a
// time, in f64 over these, in an order that depends on the shape alone.

// first[c] = sum over r of d, second[c] = sum of d^2, with d = x[r,c] - x[0,c], so that a mean far from 0 costs no digits.
template <class T>
void norm_moments(int64_t rows, int64_t C, const T* x, double* first, double* second);

// y[r,c] = (x[r,c] - mean[c]) factor[c] + term[c]
template <class T>
void norm_apply(int64_t rows, int64_t C, const T* x, const T* mean, const T* factor, const T* term, T* y);

// Here dy counts as 0 where `where` is kDead (kernel/passage.h); where may be null.
// first[c] = sum over r of dy[r,c], second[c] = sum of dy[r,c] (x[r,c] - mean[c])
template <class T>
void norm_backward_sums(int64_t rows, int64_t C, const T* dy, const uint8_t* where, const T* x, const T* mean, double* first,
                        double* second);
// dx[r,c] = p[c] dy[r,c] - q[c] (x[r,c] - mean[c]) - s[c]
template <class T>
void norm_backward(int64_t rows, int64_t C, const T* dy, const uint8_t* where, const T* x, const T* mean, const T* p, const T* q,
                   const T* s, T* dx);

}  // namespace lp
