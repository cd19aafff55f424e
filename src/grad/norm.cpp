// Normalization: by channel over a batch, and by row.
#include <cmath>
#include <memory>
#include <vector>

#include "columns.h"
#include "lptrain/grad/ops.h"
#include "rows.h"

namespace lp {
namespace {

void check(const Var& x, const Var& gamma, const Var& beta, double eps, const char* what) {
  require(x.value && x.shape().rank() >= 2, "{}: x is {}, expected [N,C] or more axes", what,
          x.value ? x.shape().text() : "empty");
  const Shape wanted{x.shape().back()};
  require(gamma.value && beta.value && gamma.shape() == wanted && beta.shape() == wanted,
          "{}: x is {}, so gamma and beta must be {}; found {} and {}", what, x.shape().text(), wanted.text(),
          gamma.value ? gamma.shape().text() : "none", beta.value ? beta.shape().text() : "none");
  require(gamma.value.dtype() == x.value.dtype() && beta.value.dtype() == x.value.dtype(), "{}: x is {}, gamma {}, beta {}", what,
          name_of(x.value.dtype()), name_of(gamma.value.dtype()), name_of(beta.value.dtype()));
  require(eps >= 0, "{}: eps {} is below 0", what, eps);
}

std::vector<double> numbers_of(const Tensor& t) {
  return visit_real(t.dtype(), [&]<class T>() { return std::vector<double>(t.data<T>().begin(), t.data<T>().end()); });
}

// Per channel.
struct Statistics {
  std::vector<double> mean, variance;  // the biased one
};

// The sums are of x less its first row, so that a mean far from 0 costs no digits.
Statistics measure(const Tensor& x) {
  const int64_t rows = x.shape().rows(), columns = x.shape().back();
  const double n = static_cast<double>(rows);
  return visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    ColumnSums sums = column_sums<T>(rows, columns, [=](int64_t r, int64_t c) {
      const T d = a[r * columns + c] - a[c];
      return std::pair<T, T>(d, d * d);
    });
    for (size_t c = 0; c < sums.first.size(); ++c) {
      const double d = sums.first[c] / n;
      sums.first[c] = d + static_cast<double>(a[c]);
      sums.second[c] = std::max(0.0, sums.second[c] / n - d * d);
    }
    return Statistics{std::move(sums.first), std::move(sums.second)};
  });
}

// What the rules of one normalization share.
struct Channels {
  Tensor x, mean, gamma;
  std::vector<double> inverse;  // 1 / sqrt(var_c + eps)
  int64_t rows() const { return x.shape().rows(); }
  int64_t columns() const { return x.shape().back(); }
};

// y = (x - mean) factor + term
Tensor affine(const Channels& ch, const Tensor& factor, const Tensor& term) {
  Tensor y(ch.x.shape(), ch.x.dtype());
  visit_real(y.dtype(), [&]<class T>() {
    const T *x = ch.x.data<T>().data(), *m = ch.mean.data<T>().data(), *a = factor.data<T>().data(), *b = term.data<T>().data();
    for_each_by_column(ch.rows(), ch.columns(),
                       [=, to = y.data<T>().data()](int64_t i, int64_t c) { to[i] = (x[i] - m[c]) * a[c] + b[c]; });
  });
  return y;
}

// (sum dy, sum dy (x - mean)) per channel.
ColumnSums backward_sums(const Channels& ch, const Tensor& dy) {
  return visit_real(dy.dtype(), [&]<class T>() {
    const T *d = dy.data<T>().data(), *x = ch.x.data<T>().data(), *m = ch.mean.data<T>().data();
    const int64_t columns = ch.columns();
    return column_sums<T>(ch.rows(), columns, [=](int64_t r, int64_t c) {
      const int64_t i = r * columns + c;
      return std::pair<T, T>(d[i], d[i] * (x[i] - m[c]));
    });
  });
}

// dx = gamma v (dy - mean(dy) - (x - mean) v^2 mean(dy (x - mean))), v = 1 / sqrt(var + eps)
Tensor backward_measured(const Channels& ch, const Tensor& dy, const ColumnSums& sums) {
  const double n = static_cast<double>(ch.rows());
  std::vector<double> p = numbers_of(ch.gamma), q(p.size()), r(p.size());
  for (size_t c = 0; c < p.size(); ++c) {
    p[c] *= ch.inverse[c];
    q[c] = p[c] * ch.inverse[c] * ch.inverse[c] * sums.second[c] / n;
    r[c] = p[c] * sums.first[c] / n;
  }
  Tensor dx(dy.shape(), dy.dtype());
  const Tensor tp = as_tensor(p, dy.dtype()), tq = as_tensor(q, dy.dtype()), tr = as_tensor(r, dy.dtype());
  visit_real(dy.dtype(), [&]<class T>() {
    const T *d = dy.data<T>().data(), *x = ch.x.data<T>().data(), *m = ch.mean.data<T>().data();
    const T *a = tp.data<T>().data(), *b = tq.data<T>().data(), *e = tr.data<T>().data();
    for_each_by_column(ch.rows(), ch.columns(), [=, to = dx.data<T>().data()](int64_t i, int64_t c) {
      to[i] = a[c] * d[i] - b[c] * (x[i] - m[c]) - e[c];
    });
  });
  return dx;
}

// dx = gamma v dy
Tensor backward_fixed(const Channels& ch, const Tensor& factor, const Tensor& dy) {
  Tensor dx(dy.shape(), dy.dtype());
  visit_real(dy.dtype(), [&]<class T>() {
    const T *d = dy.data<T>().data(), *a = factor.data<T>().data();
    for_each_by_column(ch.rows(), ch.columns(), [=, to = dx.data<T>().data()](int64_t i, int64_t c) { to[i] = a[c] * d[i]; });
  });
  return dx;
}

// The op for given statistics; `is_measured`: they are x's own, and pass gradients on.
Var normalized(const Var& x, const Var& gamma, const Var& beta, const Statistics& statistics, double eps, bool is_measured) {
  const DType type = x.value.dtype();
  std::vector<double> inverse, slope = numbers_of(gamma.tensor());
  for (size_t c = 0; c < slope.size(); ++c) {
    inverse.push_back(1 / std::sqrt(statistics.variance[c] + eps));
    slope[c] *= inverse[c];
  }
  const Channels ch{x.tensor(), as_tensor(statistics.mean, type), gamma.tensor(), std::move(inverse)};
  const Tensor factor = as_tensor(slope, type);
  const auto sums = std::make_shared<ColumnSums>();  // made by prepare, read by the rules
  const Rule dx = [=](const Value& dy) {
    return is_measured ? backward_measured(ch, dy.tensor(), *sums) : backward_fixed(ch, factor, dy.tensor());
  };
  const Rule dgamma = [=, v = ch.inverse](const Value&) {
    std::vector<double> d = sums->second;
    for (size_t c = 0; c < d.size(); ++c) d[c] *= v[c];
    return as_tensor(d, type);
  };
  const Rule dbeta = [=](const Value&) { return as_tensor(sums->first, type); };
  const Prepare prepare = [=](const Value& dy) {
    *sums = backward_sums(ch, dy.tensor());
    return dy;
  };
  return record(affine(ch, factor, beta.tensor()), {{x, dx}, {gamma, dgamma}, {beta, dbeta}}, prepare);
}

}  // namespace

BatchNorm batch_norm(const Var& x, const Var& gamma, const Var& beta, double eps) {
  check(x, gamma, beta, eps, "batch_norm");
  const int64_t rows = x.shape().rows();
  require(rows >= 2, "batch_norm: x {} has one value per channel, its variance needs two; try a batch of more examples",
          x.shape().text());
  const Statistics measured = measure(x.tensor());
  const double n = static_cast<double>(rows);
  std::vector<double> unbiased = measured.variance;
  for (double& v : unbiased) v *= n / (n - 1);
  return {normalized(x, gamma, beta, measured, eps, true), as_tensor(measured.mean, x.value.dtype()),
          as_tensor(unbiased, x.value.dtype())};
}

Var batch_norm_fixed(const Var& x, const Var& gamma, const Var& beta, const Tensor& mean, const Tensor& variance, double eps) {
  check(x, gamma, beta, eps, "batch_norm_fixed");
  const Shape wanted{x.shape().back()};
  require(mean && variance && mean.shape() == wanted && variance.shape() == wanted,
          "batch_norm_fixed: x is {}, so mean and variance must be {}; found {} and {}", x.shape().text(), wanted.text(),
          mean.shape().text(), variance.shape().text());
  return normalized(x, gamma, beta, {numbers_of(mean), numbers_of(variance)}, eps, false);
}

// With u = (x - mean) / sqrt(var + eps), g = dy gamma: dx = (g - mean(g) - u mean(g u)) / sqrt(var + eps), means over the row.
Var layer_norm(const Var& x, const Var& gamma, const Var& beta, double eps) {
  check(x, gamma, beta, eps, "layer_norm");
  const DType type = x.value.dtype();
  Tensor inverse({x.shape().rows()}, type);
  const Tensor u = by_row(x.tensor(), [&]<class T>(const T* a, T* b, int64_t n, int64_t r) {
    double mean = 0, square = 0;
    for (int64_t k = 0; k < n; ++k) mean += static_cast<double>(a[k]) / static_cast<double>(n);
    for (int64_t k = 0; k < n; ++k) square += (static_cast<double>(a[k]) - mean) * (static_cast<double>(a[k]) - mean);
    const double v = 1 / std::sqrt(square / static_cast<double>(n) + eps);
    inverse.data<T>()[static_cast<size_t>(r)] = static_cast<T>(v);
    for (int64_t k = 0; k < n; ++k) b[k] = static_cast<T>((static_cast<double>(a[k]) - mean) * v);
  });
  const Rule dx = [u, inverse, gamma = gamma.tensor()](const Value& dy) {
    return by_row(dy.tensor(), u, [&]<class T>(const T* d, const T* h, T* to, int64_t n, int64_t r) {
      const T *g = gamma.data<T>().data(), v = inverse.data<T>()[static_cast<size_t>(r)];
      double mean = 0, along = 0;
      for (int64_t k = 0; k < n; ++k) {
        const double gd = static_cast<double>(d[k]) * static_cast<double>(g[k]);
        mean += gd;
        along += gd * static_cast<double>(h[k]);
      }
      const T m = static_cast<T>(mean / static_cast<double>(n)), a = static_cast<T>(along / static_cast<double>(n));
      for (int64_t k = 0; k < n; ++k) to[k] = v * (d[k] * g[k] - m - h[k] * a);
    });
  };
  const Shape channels = gamma.shape();
  const Channels unit{u, Tensor::zeros(channels, type), {}, {}};
  return record(
      affine(unit, gamma.tensor(), beta.tensor()),
      {{x, dx},
       {gamma, [=](const Value& dy) { return sum_to(zip(dy.tensor(), u, [](auto d, auto h) { return d * h; }), channels); }},
       {beta, [=](const Value& dy) { return sum_to(dy.tensor(), channels); }}});
}

}  // namespace lp
