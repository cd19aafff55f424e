// Running means and the confusion matrix.
#include "lptrain/train/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lptrain/base/error.h"

namespace lp {
namespace {

void check_pairs(std::span<const int32_t> predicted, std::span<const int32_t> labels) {
  require(predicted.size() == labels.size(), "{} predictions for {} labels", predicted.size(), labels.size());
}

double share(int64_t part, int64_t whole) { return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0; }

}  // namespace

void Running::add(double mean_loss, std::span<const int32_t> predicted, std::span<const int32_t> labels) {
  check_pairs(predicted, labels);
  for (size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i];
  count += static_cast<int64_t>(labels.size());
  if (!labels.empty()) loss_sum += mean_loss * static_cast<double>(labels.size());
}

std::vector<double> softmax(std::span<const double> logits) {
  const double most = std::ranges::max(logits);
  std::vector<double> p;
  double sum = 0;
  for (double z : logits) sum += p.emplace_back(std::exp(z - most));
  for (double& v : p) v /= sum;
  return p;
}

Confusion::Confusion(int64_t classes) : classes_(classes) {
  require(classes >= 1 && classes <= 4096, "a confusion matrix of {} classes, expected 1..4096", classes);
  counts_.resize(static_cast<size_t>(classes * classes));
}

void Confusion::add(std::span<const int32_t> predicted, std::span<const int32_t> labels) {
  check_pairs(predicted, labels);
  const auto is_class = [&](int32_t c) { return c >= 0 && c < classes_; };
  for (size_t i = 0; i < labels.size(); ++i) {
    require(is_class(labels[i]) && is_class(predicted[i]), "example {}: label {}, predicted {}; classes are 0..{}", i, labels[i],
            predicted[i], classes_ - 1);
    ++counts_[static_cast<size_t>(labels[i] * classes_ + predicted[i])];
  }
}

int64_t Confusion::total() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }

double Confusion::accuracy() const {
  int64_t right = 0;
  for (int64_t c = 0; c < classes_; ++c) right += count(c, c);
  return share(right, total());
}

double Confusion::recall(int64_t label) const {
  int64_t all = 0;
  for (int64_t c = 0; c < classes_; ++c) all += count(label, c);
  return share(count(label, label), all);
}

double Confusion::precision(int64_t predicted) const {
  int64_t all = 0;
  for (int64_t c = 0; c < classes_; ++c) all += count(c, predicted);
  return share(count(predicted, predicted), all);
}

}  // namespace lp
