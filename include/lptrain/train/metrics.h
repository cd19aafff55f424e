// How well a model did: running means over examples, and which classes it takes for which.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace lp {

// Loss and accuracy over batches of any size. Sums are held in f64.
struct Running {
  double loss_sum = 0;
  int64_t right = 0, count = 0;

  // One batch: the mean of its losses, the class named for each example, and the true ones.
  void add(double mean_loss, std::span<const int32_t> predicted, std::span<const int32_t> labels);
  double loss() const { return count ? loss_sum / static_cast<double>(count) : 0; }  // 0 before the first example
  double accuracy() const { return count ? static_cast<double>(right) / static_cast<double>(count) : 0; }
};

// p_k = exp(z_k - max z) / sum, in f64; not empty.
std::vector<double> softmax(std::span<const double> logits);

// counts[label][predicted].
class Confusion {
 public:
  explicit Confusion(int64_t classes);                                            // 1..4096
  void add(std::span<const int32_t> predicted, std::span<const int32_t> labels);  // throws on a class outside 0..classes-1
  int64_t classes() const { return classes_; }
  int64_t count(int64_t label, int64_t predicted) const { return counts_[static_cast<size_t>(label * classes_ + predicted)]; }
  int64_t total() const;
  double accuracy() const;
  double recall(int64_t label) const;         // share of the label's examples that were found; 0 if it has none
  double precision(int64_t predicted) const;  // share of the examples named so that are; 0 if none was

 private:
  int64_t classes_;
  std::vector<int64_t> counts_;
};

}  // namespace lp
