// The table of losses.
#include "lptrain/train/loss.h"

#include <algorithm>

#include "lptrain/grad/integer.h"

namespace lp {
namespace {

using Labels = std::span<const int32_t>;

// With one column of logits there are two classes, told apart by a threshold.
int32_t class_of(std::span<const double> logits, double threshold) {
  if (logits.size() == 1) return logits[0] > threshold;
  return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
}

struct CrossEntropy : Loss {
  double label_smoothing = 0;
  std::unique_ptr<Loss> clone() const override { return std::make_unique<CrossEntropy>(*this); }
  void fields(Fields& f) override { f("label_smoothing", label_smoothing, "share of the target that all classes get", {0, 1}); }
  Var operator()(const Var& logits, Labels labels) const override { return cross_entropy(logits, labels, label_smoothing); }
};

struct BinaryCrossEntropy : Loss {
  std::unique_ptr<Loss> clone() const override { return std::make_unique<BinaryCrossEntropy>(*this); }
  Var operator()(const Var& logits, Labels labels) const override { return binary_cross_entropy(logits, labels); }
};

struct SquaredHinge : Loss {
  std::unique_ptr<Loss> clone() const override { return std::make_unique<SquaredHinge>(*this); }
  Var operator()(const Var& logits, Labels labels) const override { return squared_hinge(logits, labels); }
};

// 1 in the label's column; with one column, the label itself (0 or 1).
Tensor one_hot(const Var& logits, Labels labels) {
  const Shape& shape = logits.shape();
  const bool fits = shape.rank() == 2 && shape[0] == static_cast<int64_t>(labels.size());
  require(fits, "mse: {} labels for logits {}, expected [N,K]", labels.size(), shape.text());
  const int64_t K = shape[1], classes = std::max<int64_t>(K, 2);
  Tensor target = Tensor::zeros(shape, logits.value.dtype());
  visit_real(target.dtype(), [&]<class T>() {
    T* t = target.data<T>().data();
    for (size_t n = 0; n < labels.size(); ++n, t += K) {
      require(labels[n] >= 0 && labels[n] < classes, "mse: label {} of example {} is outside 0..{}", labels[n], n, classes - 1);
      if (K == 1)
        t[0] = static_cast<T>(labels[n]);
      else
        t[labels[n]] = 1;
    }
  });
  return target;
}

struct MeanSquaredError : Loss {
  std::unique_ptr<Loss> clone() const override { return std::make_unique<MeanSquaredError>(*this); }
  Var operator()(const Var& logits, Labels labels) const override { return mse(logits, one_hot(logits, labels)); }
  int32_t predict(std::span<const double> logits) const override { return class_of(logits, 0.5); }
};

struct IntegerCrossEntropy : Loss {
  int fraction_bits = 8;
  std::unique_ptr<Loss> clone() const override { return std::make_unique<IntegerCrossEntropy>(*this); }
  void fields(Fields& f) override {
    f("fraction_bits", fraction_bits, "of the exponents of 2 that logits become; 0: whole ones, as NITI has them", {0, 12});
  }
  Var operator()(const Var& logits, Labels labels) const override { return integer_cross_entropy(logits, labels, fraction_bits); }
};

constexpr ChoiceRow<Loss> kRows[] = {
    choice_row<Loss, CrossEntropy>("cross_entropy", "-log of the softmax at the label"),
    choice_row<Loss, IntegerCrossEntropy>(
        "integer_cross_entropy", "the same, its gradient by additions, shifts and a division   Source: Wang et al. 2022"),
    choice_row<Loss, BinaryCrossEntropy>("binary_cross_entropy",
                                         "-log of the sigmoid: one column for two classes, or each class against all others"),
    choice_row<Loss, MeanSquaredError>("mse", "squared distance to 1 in the label's column and 0 in the others"),
    choice_row<Loss, SquaredHinge>("squared_hinge", "squared distance to a margin of 1 beyond 0   Source: Tang 2013"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Loss>> choices<Loss>() {
  return kRows;
}

int32_t Loss::predict(std::span<const double> logits) const { return class_of(logits, 0); }

std::vector<int32_t> classes_of(const Loss& loss, const Tensor& logits) {
  std::vector<int32_t> classes(static_cast<size_t>(logits.shape()[0]));
  const int64_t K = logits.shape().back();
  visit_real(logits.dtype(), [&]<class T>() {
    const auto z = logits.data<T>();
    std::vector<double> row(static_cast<size_t>(K));
    for (size_t n = 0; n < classes.size(); ++n) {
      std::copy_n(z.begin() + static_cast<int64_t>(n) * K, K, row.begin());
      classes[n] = loss.predict(row);
    }
  });
  return classes;
}

}  // namespace lp
