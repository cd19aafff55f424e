// What training makes small.
#include <cmath>
#include <vector>

#include "lptrain/grad/activation.h"
#include "lptrain/grad/ops.h"
#include "lptrain/tensor/math.h"
#include "lptrain/tensor/product.h"
#include "rows.h"

namespace lp {
namespace {

// Labels 0..classes-1, one for each row of `scores`.
std::vector<int32_t> checked_labels(const Var& scores, std::span<const int32_t> labels, int64_t classes, const char* what) {
  for (size_t i = 0; i < labels.size(); ++i)
    require(labels[i] >= 0 && labels[i] < classes, "{}: label {} of example {} is outside 0..{} (scores {})", what, labels[i], i,
            classes - 1, scores.shape().text());
  return {labels.begin(), labels.end()};
}

void check_scores(const Var& scores, std::span<const int32_t> labels, const char* what) {
  require(scores.value && scores.shape().rank() >= 2 && scores.value.size() > 0, "{}: the scores are {}, expected [N,K]", what,
          scores.value ? scores.shape().text() : "empty");
  require(scores.shape().rows() == static_cast<int64_t>(labels.size()), "{}: {} labels for scores {}", what, labels.size(),
          scores.shape().text());
}

// The mean over all elements of f(score, t), t = `yes` where the label names the column (or is 1, if there is but one column),
// else `no`. slope = df/dscore.
template <class F, class Slope>
Var one_against_all(const Var& scores, std::span<const int32_t> labels, const char* what, double yes, double no, F f,
                    Slope slope) {
  check_scores(scores, labels, what);
  const int64_t K = scores.shape().back();
  const std::vector<int32_t> kept = checked_labels(scores, labels, std::max<int64_t>(K, 2), what);
  const auto target = [=](int32_t label, int64_t k) { return (K == 1 ? label == 1 : label == k) ? yes : no; };
  const double weight = 1.0 / static_cast<double>(scores.value.size());
  double total = 0;
  visit_real(scores.value.dtype(), [&]<class T>() {
    const T* z = scores.tensor().data<T>().data();
    for (int64_t i = 0; i < scores.value.size(); ++i)
      total += f(static_cast<double>(z[i]), target(kept[static_cast<size_t>(i / K)], i % K));
  });
  return record(Tensor::full({}, total * weight, scores.value.dtype()),
                {{scores, [=, z = scores.tensor()](const Value& dy) {
                    const double seed = dy.tensor().item() * weight;
                    return by_row(z, [&]<class T>(const T* a, T* dx, int64_t n, int64_t r) {
                      for (int64_t k = 0; k < n; ++k)
                        dx[k] = static_cast<T>(seed * slope(static_cast<double>(a[k]), target(kept[static_cast<size_t>(r)], k)));
                    });
                  }}});
}

// Every example of a batch as one row.
Tensor as_rows(const Tensor& x) { return x.reshape({x.shape()[0], x.shape().after(0)}); }

double length(const auto* row, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  return std::max(std::sqrt(total), 1e-12);
}

Tensor gram(const Tensor& rows) { return matmul(rows, false, rows, true); }

Tensor rows_of_length_1(const Tensor& x) {
  return by_row(x, []<class T>(const T* a, T* y, int64_t n, int64_t) {
    const T l = static_cast<T>(length(a, n));
    for (int64_t k = 0; k < n; ++k) y[k] = a[k] / l;
  });
}

}  // namespace

// With t = (1-s) onehot + s/K, whose sum is 1, and m = max z:
// loss = log sum_k exp(z_k - m) + sum_k t_k (m - z_k),  dz = (softmax(z) - t) / N
Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double label_smoothing) {
  check_scores(logits, labels, "cross_entropy");
  require(label_smoothing >= 0 && label_smoothing <= 1, "cross_entropy: label smoothing {} is outside 0..1", label_smoothing);
  const int64_t K = logits.shape().back();
  const std::vector<int32_t> kept = checked_labels(logits, labels, K, "cross_entropy");
  const double hit = 1 - label_smoothing, each = label_smoothing / static_cast<double>(K),
               weight = 1.0 / static_cast<double>(labels.size());
  std::vector<double> losses(labels.size());
  const Tensor p = by_row(logits.tensor(), [&]<class T>(const T* z, T* y, int64_t n, int64_t r) {
    const LogSum<T> l = softmax_row(z, y, n);
    const auto below = [&](int64_t k) { return static_cast<double>(l.most) - static_cast<double>(z[k]); };
    double& loss = losses[static_cast<size_t>(r)];
    loss = static_cast<double>(l.log_total) + hit * below(kept[static_cast<size_t>(r)]);
    for (int64_t k = 0; k < n && each > 0; ++k) loss += each * below(k);
  });
  double total = 0;
  for (double l : losses) total += l;
  return record(Tensor::full({}, total * weight, p.dtype()),
                {{logits, [=](const Value& dy) {
                    const double seed = dy.tensor().item() * weight;
                    return by_row(p, [&]<class T>(const T* y, T* dx, int64_t n, int64_t r) {
                      for (int64_t k = 0; k < n; ++k) dx[k] = static_cast<T>(seed) * (y[k] - static_cast<T>(each));
                      dx[kept[static_cast<size_t>(r)]] -= static_cast<T>(seed * hit);
                    });
                  }}});
}

// -t log sigmoid(z) - (1-t) log(1 - sigmoid(z)) = softplus(z) - t z
Var binary_cross_entropy(const Var& logits, std::span<const int32_t> labels) {
  return one_against_all(
      logits, labels, "binary_cross_entropy", 1, 0, [](double z, double t) { return Softplus().f(z) - t * z; },
      [](double z, double t) { return Sigmoid().f(z) - t; });
}

Var squared_hinge(const Var& y, std::span<const int32_t> labels) {
  const auto missing = [](double z, double t) { return std::max(0.0, 1 - t * z); };
  return one_against_all(
      y, labels, "squared_hinge", 1, -1, [=](double z, double t) { return missing(z, t) * missing(z, t); },
      [=](double z, double t) { return -2 * t * missing(z, t); });
}

// dz = T (q - p) / N
Var distillation(const Var& logits, const Tensor& teacher, double temperature) {
  require(logits.value && logits.shape().rank() >= 2 && logits.shape().back() >= 2 && logits.value.size() > 0,
          "distillation: the scores are {}, expected [N,K] of 2 or more classes", logits.value ? logits.shape().text() : "empty");
  require(teacher.shape() == logits.shape(), "distillation: the teacher's scores are {}, those of the student {}",
          teacher.shape().text(), logits.shape().text());
  require(temperature > 0, "distillation: temperature {} is not above 0", temperature);
  const double weight = 1.0 / static_cast<double>(logits.shape().rows());
  const auto rows = [&](const Tensor& scores) {
    return log_softmax(Var(map(scores, [&](auto z) { return z / static_cast<decltype(z)>(temperature); }))).tensor();
  };
  const DType dtype = logits.value.dtype();
  const Tensor log_p = rows(teacher.dtype() == dtype ? teacher : convert(teacher, dtype)), log_q = rows(logits.tensor());
  double total = 0;
  visit_real(log_q.dtype(), [&]<class T>() {
    const T *p = log_p.data<T>().data(), *q = log_q.data<T>().data();
    for (int64_t i = 0; i < log_q.size(); ++i)
      total += std::exp(static_cast<double>(p[i])) * (static_cast<double>(p[i]) - static_cast<double>(q[i]));
  });
  return record(Tensor::full({}, total * temperature * temperature * weight, log_q.dtype()),
                {{logits, [=](const Value& dy) {
                    const double seed = dy.tensor().item() * temperature * weight;
                    return Value(zip(log_q, log_p, [=](auto q, auto p) {
                      return static_cast<decltype(q)>(seed) * (std::exp(q) - std::exp(p));
                    }));
                  }}});
}

// With H = G of rows scaled to length 1 and E = 2 (H - H_teacher) / B^2 = dloss/dH:
// dG_i = (E_i - (E_i . H_i) H_i) / |G_i|,  dX = (dG + dG^T) X
Var similarity(const Var& x, const Tensor& teacher) {
  require(x.value && x.shape().rank() >= 2 && x.value.size() > 0, "similarity: x is {}, expected a batch [B, ...]",
          x.value ? x.shape().text() : "empty");
  require(teacher && teacher.shape().rank() >= 2 && teacher.shape()[0] == x.shape()[0] && teacher.size() > 0,
          "similarity: the teacher saw {}, the student {}; they must be batches of the same size",
          teacher ? teacher.shape().text() : "nothing", x.shape().text());
  const DType dtype = x.value.dtype();
  const Tensor own = as_rows(x.tensor()), g = gram(own), h = rows_of_length_1(g);
  const Tensor wanted = rows_of_length_1(gram(as_rows(teacher.dtype() == dtype ? teacher : convert(teacher, dtype))));
  const Tensor apart = zip(h, wanted, [](auto a, auto b) { return a - b; });
  const double weight = 1.0 / static_cast<double>(h.size());
  return record(Tensor::full({}, sum_of_squares(apart) * weight, dtype),
                {{x, [=](const Value& dy) {
                    const double seed = 2 * weight * dy.tensor().item();
                    const Tensor dh = by_row(apart, h, [=]<class T>(const T* e, const T* a, T* d, int64_t n, int64_t) {
                      T along = 0;
                      for (int64_t k = 0; k < n; ++k) along += e[k] * a[k];
                      for (int64_t k = 0; k < n; ++k) d[k] = static_cast<T>(seed) * (e[k] - along * a[k]);
                    });
                    const Tensor dg = by_row(dh, g, []<class T>(const T* d, const T* a, T* to, int64_t n, int64_t) {
                      const T l = static_cast<T>(length(a, n));
                      for (int64_t k = 0; k < n; ++k) to[k] = d[k] / l;
                    });
                    return Value(matmul(add(dg, permute(dg, {1, 0})), false, own, false).reshape(x.shape()));
                  }}});
}

Var mse(const Var& y, const Var& target) {
  require(y.value && target.value, "mse: an operand is empty");
  require(y.shape() == target.shape() && y.value.size() > 0, "mse: y is {}, the target {}; they must be equal and not empty",
          y.shape().text(), target.shape().text());
  return mean_all(square(sub(y, target)));
}

}  // namespace lp
