// Singular values: what a matrix does along its best directions.
#pragma once
#include "lptrain/tensor/tensor.h"

namespace lp {

// x[M,N] = u diag(s) v, with u[M,R] and v[R,N] of orthonormal columns and rows, R = min(M,N), s_1 >= s_2 >= .. >= 0; all f64.
// Where s is zero, the row of v (M <= N) or column of u (M > N) is zero, too. The best approximation of rank r in the sum of
// squares keeps the first r; it leaves s_{r+1}^2 + .. + s_R^2 (Eckart & Young 1936).
struct Svd {
  Tensor u, s, v;
};
// x: f32 or f64, rank 2. By rotations that make rows orthogonal, after a reduction to a triangle; scalar and in one order, so
// that all machines give the same bits.   Source: Hestenes 1958; Golub & Van Loan, "Matrix Computations", sections 5.2 and 8.6
Svd svd(const Tensor& x);

}  // namespace lp
