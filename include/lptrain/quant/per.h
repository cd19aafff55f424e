// Granularity: which elements of a tensor share a scale.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/kernel/quantize.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

//   tensor      all of them
//   channel     those of one channel: of weights an output, of activations the last axis
//   sample      those of one example (axis 0)
//   group:<n>   those of n neighbouring channels; n must divide their number
//   block:<n>   n neighbours along the last axis; the last block of a row may be shorter, and counts as filled up with zeros
//   network     all of them, in all tensors of the role
struct Per {
  enum class Kind : uint8_t { tensor, channel, sample, group, block, network };
  Kind kind = Kind::tensor;
  int64_t size = 0;  // of group and block

  static const Per tensor, channel, sample, network;
  static Per group(int64_t n) { return {Kind::group, n}; }
  static Per block(int64_t n) { return {Kind::block, n}; }

  static Per parse(std::string_view text);  // throws Error(usage)
  std::string name() const;
  static std::vector<std::string> known();
  bool operator==(const Per&) const = default;

  // Scales lie along the axis of channels (one each, or one per group), so that codes can carry them.
  bool is_by_channel() const { return kind == Kind::channel || kind == Kind::group; }
};
inline constexpr Per Per::tensor{Kind::tensor, 0};
inline constexpr Per Per::channel{Kind::channel, 0};
inline constexpr Per Per::sample{Kind::sample, 0};
inline constexpr Per Per::network{Kind::network, 0};

// Why a tensor of that shape cannot be cut so, or "": groups must divide the channels. `axis` is that of channels.
std::string why_not(const Shape& shape, const Per& per, int axis);
// A tensor of that shape as kernels see it, one of their channels for each scale. Error(usage) if it cannot be cut so; blocks
// must fit (see whole_blocks).
Lanes lanes_of(const Shape& shape, const Per& per, int axis);

// x with its rows filled up with zeros to whole blocks; x itself where they are whole already.
Tensor whole_blocks(const Tensor& x, const Per& per);
// How many zeros that adds to each row.
int64_t missing_in_blocks(const Shape& shape, const Per& per);

}  // namespace lp
