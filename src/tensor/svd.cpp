// One-sided Jacobi on the triangle that reflections leave of a matrix.
#include "lptrain/tensor/svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// Rows of doubles that can be turned into one another.
struct Matrix {
  size_t rows, columns;
  std::vector<double> numbers;
  Matrix(size_t m, size_t n) : rows(m), columns(n), numbers(m * n) {}
  double* row(size_t i) { return numbers.data() + i * columns; }
};

double product(const double* a, const double* b, size_t n) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// L[M,M] of x = L Q, x[M,N] with M <= N: reflections from the right, row by row, make zeros above the diagonal.
Matrix triangle_of(Matrix x) {
  std::vector<double> mirror(x.columns);
  for (size_t i = 0; i < x.rows; ++i) {
    const size_t n = x.columns - i;
    double* head = x.row(i) + i;
    const double norm = std::sqrt(product(head, head, n));
    if (norm == 0) continue;
    std::copy_n(head, n, mirror.begin());
    mirror[0] += head[0] < 0 ? -norm : norm;
    const double square = product(mirror.data(), mirror.data(), n);
    for (size_t k = i; k < x.rows; ++k) {
      double* row = x.row(k) + i;
      const double factor = 2 * product(row, mirror.data(), n) / square;
      for (size_t j = 0; j < n; ++j) row[j] -= factor * mirror[j];
    }
  }
  Matrix l(x.rows, x.rows);
  for (size_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), i + 1, l.row(i));
  return l;
}

// (a, b) becomes (c a - s b, s a + c b).
void rotate(double* a, double* b, size_t n, double c, double s) {
  for (size_t i = 0; i < n; ++i) {
    const double was = a[i];
    a[i] = c * was - s * b[i];
    b[i] = s * was + c * b[i];
  }
}

// Rotates rows of x until all are orthogonal, and the rows of `turns` with them: turns' (turned x) = x.
void make_orthogonal(Matrix& x, Matrix& turns) {
  constexpr int kMostSweeps = 60;
  constexpr double kClose = 1e-15;
  bool is_done = false;
  for (int sweep = 0; sweep < kMostSweeps && !is_done; ++sweep) {
    is_done = true;
    for (size_t i = 0; i + 1 < x.rows; ++i)
      for (size_t j = i + 1; j < x.rows; ++j) {
        double *a = x.row(i), *b = x.row(j);
        const double aa = product(a, a, x.columns), bb = product(b, b, x.columns), ab = product(a, b, x.columns);
        if (std::abs(ab) <= kClose * std::sqrt(aa) * std::sqrt(bb)) continue;
        is_done = false;
        const double zeta = (bb - aa) / (2 * ab);
        const double t = (zeta < 0 ? -1 : 1) / (std::abs(zeta) + std::hypot(1, zeta)), c = 1 / std::hypot(1, t);
        rotate(a, b, x.columns, c, c * t);
        rotate(turns.row(i), turns.row(j), turns.columns, c, c * t);
      }
  }
}

}  // namespace

Svd svd(const Tensor& x) {
  require(x.shape().rank() == 2 && x.size() > 0, "svd: wanted a matrix [M,N], found {}", x.shape().text());
  const int64_t M = x.shape()[0], N = x.shape()[1];
  if (M > N) {
    const Svd turned = svd(permute(x, {1, 0}));
    return {permute(turned.v, {1, 0}), turned.s, permute(turned.u, {1, 0})};
  }
  const Tensor wide = convert(x, DType::f64);
  const size_t m = static_cast<size_t>(M), n = static_cast<size_t>(N);
  Matrix whole(m, n), turns(m, m);
  std::ranges::copy(wide.data<double>(), whole.numbers.begin());
  for (size_t i = 0; i < m; ++i) turns.row(i)[i] = 1;
  Matrix l = triangle_of(whole);
  make_orthogonal(l, turns);
  std::vector<double> lengths(m);
  for (size_t i = 0; i < m; ++i) lengths[i] = std::sqrt(product(l.row(i), l.row(i), m));
  std::vector<size_t> order(m);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return lengths[i]; });
  Svd result{Tensor(Shape{M, M}, DType::f64), Tensor(Shape{M}, DType::f64), Tensor::zeros(Shape{M, N}, DType::f64)};
  double *u = result.u.data<double>().data(), *s = result.s.data<double>().data(), *v = result.v.data<double>().data();
  for (size_t k = 0; k < m; ++k) {
    const double* turn = turns.row(order[k]);
    s[k] = lengths[order[k]];
    for (size_t i = 0; i < m; ++i) u[i * m + k] = turn[i];
    for (size_t i = 0; i < m && s[k] > 0; ++i)
      for (size_t j = 0; j < n; ++j) v[k * n + j] += turn[i] * whole.row(i)[j] / s[k];
  }
  return result;
}

}  // namespace lp
