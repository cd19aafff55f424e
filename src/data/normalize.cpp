// Statistics of channels, and the affine map made of them.
#include "lptrain/data/normalize.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lp {
namespace {

// Calls f(channel, value) for every value of some rows.
template <class T, class F>
void each_value(const Tensor& inputs, std::span<const int64_t> rows, F&& f) {
  const std::span<const T> x = inputs.data<T>();
  const int64_t channels = inputs.shape().back(), width = inputs.shape().dropped_front(1).size();
  for (int64_t row : rows)
    for (int64_t i = 0; i < width; ++i)
      f(static_cast<size_t>(i % channels), static_cast<double>(x[static_cast<size_t>(row * width + i)]));
}

template <class T>
ChannelStatistics measure_as(const Tensor& inputs, std::span<const int64_t> rows) {
  const size_t channels = static_cast<size_t>(inputs.shape().back());
  std::vector<double> sum(channels, 0), square(channels, 0), count(channels, 0);
  ChannelStatistics s{{},
                      {},
                      std::vector<double>(channels, std::numeric_limits<double>::infinity()),
                      std::vector<double>(channels, -std::numeric_limits<double>::infinity())};
  each_value<T>(inputs, rows, [&](size_t c, double v) {
    if (std::isnan(v)) return;
    sum[c] += v;
    count[c] += 1;
    s.low[c] = std::min(s.low[c], v);
    s.high[c] = std::max(s.high[c], v);
  });
  for (size_t c = 0; c < channels; ++c) s.mean.push_back(count[c] > 0 ? sum[c] / count[c] : 0);
  each_value<T>(inputs, rows, [&](size_t c, double v) {
    if (!std::isnan(v)) square[c] += (v - s.mean[c]) * (v - s.mean[c]);
  });
  for (size_t c = 0; c < channels; ++c) s.deviation.push_back(count[c] > 0 ? std::sqrt(square[c] / count[c]) : 0);
  return s;
}

// (raw - zero) / unit; a channel that never changes is only shifted.
Normalization from(const std::vector<double>& zero, const std::vector<double>& unit) {
  Normalization n;
  for (size_t c = 0; c < zero.size(); ++c) {
    const double width = unit[c] > 0 && std::isfinite(unit[c]) ? unit[c] : 1;
    n.scale.push_back(static_cast<float>(1 / width));
    n.shift.push_back(static_cast<float>(std::isfinite(zero[c]) ? -zero[c] / width : 0));
  }
  return n;
}

Normalization unit_range(const Tensor& inputs, std::span<const int64_t> rows) {
  const size_t channels = static_cast<size_t>(inputs.shape().back());
  if (inputs.dtype() == DType::u8) return from(std::vector<double>(channels, 0), std::vector<double>(channels, 255));
  ChannelStatistics s = measure(inputs, rows);
  for (size_t c = 0; c < channels; ++c) s.high[c] -= s.low[c];
  return from(s.low, s.high);
}

Normalization standard(const Card& card, const Tensor& inputs) {
  const size_t channels = static_cast<size_t>(inputs.shape().back());
  require(!card.mean.empty(), "{}: the card has no mean and std; use \"normalize\": \"measured\" or \"unit\"", card.name);
  require(card.mean.size() == channels, "{}: the card has {} means, but the data {} channels", card.name, card.mean.size(),
          channels);
  const double white = inputs.dtype() == DType::u8 ? 255 : 1;
  std::vector<double> mean = card.mean, deviation = card.std;
  for (size_t c = 0; c < channels; ++c) {
    mean[c] *= white;
    deviation[c] *= white;
  }
  return from(mean, deviation);
}

}  // namespace

void Normalization::fields(Fields& f) {
  f("scale", scale, "x = scale * raw + shift, per channel");
  f("shift", shift, "x = scale * raw + shift, per channel");
}

void Normalization::apply(std::span<float> raw) const {
  const size_t channels = scale.size();
  if (channels == 0) return;
  for (size_t i = 0; i < raw.size(); i += channels)
    for (size_t c = 0; c < channels; ++c) raw[i + c] = raw[i + c] * scale[c] + shift[c];
}

ChannelStatistics measure(const Tensor& inputs, std::span<const int64_t> rows) {
  return inputs.dtype() == DType::u8 ? measure_as<uint8_t>(inputs, rows) : measure_as<float>(inputs, rows);
}

Normalization normalization_of(Normalize kind, const Card& card, const Tensor& inputs, std::span<const int64_t> train_rows) {
  if (kind == Normalize::card) kind = card.normalize;
  if (kind == Normalize::none) return {};
  if (kind == Normalize::unit) return unit_range(inputs, train_rows);
  if (kind == Normalize::standard) return standard(card, inputs);
  const ChannelStatistics s = measure(inputs, train_rows);
  return from(s.mean, s.deviation);
}

}  // namespace lp
