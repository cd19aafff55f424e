// The f32 and f64 matrix product of OpenBLAS, on the threads that everything else uses.
#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <climits>

#include "lptrain/base/parallel.h"
#include "rows.h"

namespace lp {
namespace {

// OpenBLAS keeps its own count. Inside a parallel loop it runs on the calling thread, and the count belongs to others.
void set_threads() {
  const int n = thread_count();
  if (!omp_in_parallel() && openblas_get_num_threads() != n) openblas_set_num_threads(n);
}

blasint leading(bool transposed, int64_t rows, int64_t columns) { return static_cast<blasint>(transposed ? rows : columns); }

}  // namespace

const char* matmul_openblas_refuses(const MatmulKey& key) {
  if (!is_real(key.a)) return "takes f32 and f64";
  return std::max({key.m, key.n, key.k}) > INT_MAX ? "takes sizes below 2^31" : nullptr;
}

void matmul_openblas(const MatmulKey& key, const void* a, const void* b, void* c) {
  set_threads();
  const auto op_a = key.transpose_a ? CblasTrans : CblasNoTrans, op_b = key.transpose_b ? CblasTrans : CblasNoTrans;
  const auto m = static_cast<blasint>(key.m), n = static_cast<blasint>(key.n), k = static_cast<blasint>(key.k);
  const blasint lda = leading(key.transpose_a, m, k), ldb = leading(key.transpose_b, k, n);
  visit_real(key.a, [&]<class T>() {
    const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b), beta = key.accumulate ? T(1) : T(0);
    T* z = static_cast<T*>(c);
    if constexpr (sizeof(T) == 4)
      cblas_sgemm(CblasRowMajor, op_a, op_b, m, n, k, 1, x, lda, y, ldb, beta, z, n);
    else
      cblas_dgemm(CblasRowMajor, op_a, op_b, m, n, k, 1, x, lda, y, ldb, beta, z, n);
  });
}

}  // namespace lp
