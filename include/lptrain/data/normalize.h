// Raw values to network inputs: x = scale_c * raw + shift_c, one pair per channel (images) or column (tables).
#pragma once
#include <span>
#include <vector>

#include "lptrain/data/card.h"
#include "lptrain/data/examples.h"

namespace lp {

// Raw images are bytes 0..255. Lists are empty for the identity, else as long as the last axis of the inputs.
struct Normalization {
  std::vector<float> scale, shift;

  void fields(Fields& f);
  void apply(std::span<float> raw) const;  // in place; the channel of element i is i mod their number
};

// Mean and deviation (over n, not n - 1) or range of each channel over some rows, missing values (NaN) left out.
struct ChannelStatistics {
  std::vector<double> mean, deviation, low, high;
};
ChannelStatistics measure(const Tensor& inputs, std::span<const int64_t> rows);

// The normalization of a kind. `standard` without mean and std on the card, or with a wrong number of them, is Error(usage).
Normalization normalization_of(Normalize kind, const Card& card, const Tensor& inputs, std::span<const int64_t> train_rows);

}  // namespace lp
