// Normalization: by channel over a batch, and by row.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "lptrain/grad/ops.h"
#include "lptrain/kernel/norm.h"
#include "lptrain/tensor/block.h"
#include "lptrain/tensor/math.h"
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

Tensor as_tensor(const std::vector<double>& numbers, DType type) {
  Tensor t({std::ssize(numbers)}, type);
  visit_real(
      type, [&]<class T>() { std::ranges::transform(numbers, t.data<T>().begin(), [](double a) { return static_cast<T>(a); }); });
  return t;
}

Statistics measure(const Tensor& x) {
  const int64_t rows = x.shape().rows(), C = x.shape().back();
  const double n = static_cast<double>(rows);
  Statistics s{std::vector<double>(static_cast<size_t>(C)), std::vector<double>(static_cast<size_t>(C))};
  visit_real(x.dtype(), [&]<class T>() {
    const T* a = x.data<T>().data();
    norm_moments(rows, C, a, s.mean.data(), s.variance.data());
    for (size_t c = 0; c < s.mean.size(); ++c) {
      const double d = s.mean[c] / n;
      s.mean[c] = d + static_cast<double>(a[c]);
      s.variance[c] = std::max(0.0, s.variance[c] / n - d * d);
    }
  });
  return s;
}

// y = (x - mean) factor + term
Tensor affine(const Tensor& x, const Tensor& mean, const Tensor& factor, const Tensor& term) {
  Tensor y(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    norm_apply(x.shape().rows(), x.shape().back(), x.data<T>().data(), mean.data<T>().data(), factor.data<T>().data(),
               term.data<T>().data(), y.data<T>().data());
  });
  return y;
}

// One normalization: what its rules share.
struct Channels {
  Tensor x, mean, where;               // where gradients pass behind it (tensor/block.h); empty: everywhere
  std::vector<double> gamma, inverse;  // 1 / sqrt(var_c + eps)
  bool is_measured;                    // the statistics are x's own, and pass gradients on
  const uint8_t* mask() const { return where ? where.data<uint8_t>().data() : nullptr; }
};

struct Sums {
  std::vector<double> dy, along;  // sum dy, sum dy (x - mean), per channel
};

Sums backward_sums(const Channels& ch, const Tensor& dy) {
  Sums sums{ch.gamma, ch.gamma};
  visit_real(dy.dtype(), [&]<class T>() {
    norm_backward_sums(dy.shape().rows(), dy.shape().back(), dy.data<T>().data(), ch.mask(), ch.x.data<T>().data(),
                       ch.mean.data<T>().data(), sums.dy.data(), sums.along.data());
  });
  return sums;
}

// dx = gamma v (dy - mean(dy) - (x - mean) v^2 mean(dy (x - mean))), v = 1 / sqrt(var + eps);  of given statistics gamma v dy
Tensor backward(const Channels& ch, const Tensor& dy, const Sums& sums) {
  const double n = static_cast<double>(dy.shape().rows());
  std::vector<double> p = ch.gamma, q(p.size()), s(p.size());
  for (size_t c = 0; c < p.size(); ++c) {
    p[c] *= ch.inverse[c];
    if (!ch.is_measured) continue;
    q[c] = p[c] * ch.inverse[c] * ch.inverse[c] * sums.along[c] / n;
    s[c] = p[c] * sums.dy[c] / n;
  }
  Tensor dx(dy.shape(), dy.dtype());
  const Tensor tp = as_tensor(p, dy.dtype()), tq = as_tensor(q, dy.dtype()), ts = as_tensor(s, dy.dtype());
  visit_real(dy.dtype(), [&]<class T>() {
    norm_backward(dy.shape().rows(), dy.shape().back(), dy.data<T>().data(), ch.mask(), ch.x.data<T>().data(),
                  ch.mean.data<T>().data(), tp.data<T>().data(), tq.data<T>().data(), ts.data<T>().data(), dx.data<T>().data());
  });
  return dx;
}

// A normalization with what follows it, if anything.
BlockResult forward(const Tensor& x, const Tensor& mean, const Tensor& factor, const Tensor& term, const BlockNeighbours& behind,
                    bool is_recorded) {
  if (x.dtype() == DType::f32)
    return norm_forward(x, mean, factor, term, {behind.relu, {}, behind.encoding, is_recorded, behind.is_observed});
  require(!behind.relu && !behind.encoding, "batch_norm: reals of a block are f32, found {}", name_of(x.dtype()));
  return {Value(affine(x, mean, factor, term)), {}, {}};
}

struct Normalized {
  Var y;
  Tensor extremes;
};

// The op for given statistics.
Normalized normalized(const Var& x, const Var& gamma, const Var& beta, const Statistics& statistics, double eps, bool is_measured,
                      const BlockNeighbours& behind) {
  require(!behind.pool, "batch_norm: a pool does not join it");
  const DType type = x.value.dtype();
  Channels ch{x.tensor(), as_tensor(statistics.mean, type), {}, numbers_of(gamma.tensor()), {}, is_measured};
  std::vector<double> slope = ch.gamma;
  for (size_t c = 0; c < slope.size(); ++c) {
    ch.inverse.push_back(1 / std::sqrt(statistics.variance[c] + eps));
    slope[c] *= ch.inverse[c];
  }
  const bool is_recorded = !x.is_constant() || !gamma.is_constant() || !beta.is_constant();
  BlockResult result = forward(ch.x, ch.mean, as_tensor(slope, type), beta.tensor(), behind, is_recorded);
  ch.where = result.where;
  const auto sums = std::make_shared<Sums>();  // made by prepare, read by the rules
  const Rule dx = [=](const Value& dy) { return Value(backward(ch, dy.tensor(), *sums)); };
  const Rule dgamma = [=, v = ch.inverse](const Value&) {
    std::vector<double> d = sums->along;
    for (size_t c = 0; c < d.size(); ++c) d[c] *= v[c];
    return as_tensor(d, type);
  };
  const Rule dbeta = [=](const Value&) { return as_tensor(sums->dy, type); };
  const Prepare prepare = [=](const Value& dy) {
    *sums = backward_sums(ch, dy.tensor());
    return dy;
  };
  return {record(std::move(result.y), {{x, dx}, {gamma, dgamma}, {beta, dbeta}}, prepare), result.extremes};
}

}  // namespace

BatchNorm batch_norm(const Var& x, const Var& gamma, const Var& beta, double eps, const BlockNeighbours& behind) {
  check(x, gamma, beta, eps, "batch_norm");
  const int64_t rows = x.shape().rows();
  require(rows >= 2, "batch_norm: x {} has one value per channel, its variance needs two; try a batch of more examples",
          x.shape().text());
  const Statistics measured = measure(x.tensor());
  std::vector<double> unbiased = measured.variance;
  for (double& v : unbiased) v *= static_cast<double>(rows) / static_cast<double>(rows - 1);
  const Normalized n = normalized(x, gamma, beta, measured, eps, true, behind);
  return {n.y, as_tensor(measured.mean, x.value.dtype()), as_tensor(unbiased, x.value.dtype()), n.extremes};
}

Var batch_norm_fixed(const Var& x, const Var& gamma, const Var& beta, const Tensor& mean, const Tensor& variance, double eps,
                     const BlockNeighbours& behind) {
  check(x, gamma, beta, eps, "batch_norm_fixed");
  const Shape wanted{x.shape().back()};
  require(mean && variance && mean.shape() == wanted && variance.shape() == wanted,
          "batch_norm_fixed: x is {}, so mean and variance must be {}; found {} and {}", x.shape().text(), wanted.text(),
          mean.shape().text(), variance.shape().text());
  return normalized(x, gamma, beta, {numbers_of(mean), numbers_of(variance)}, eps, false, behind).y;
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
  return record(
      affine(u, Tensor::zeros(channels, type), gamma.tensor(), beta.tensor()),
      {{x, dx},
       {gamma, [=](const Value& dy) { return sum_to(zip(dy.tensor(), u, [](auto d, auto h) { return d * h; }), channels); }},
       {beta, [=](const Value& dy) { return sum_to(dy.tensor(), channels); }}});
}

}  // namespace lp
