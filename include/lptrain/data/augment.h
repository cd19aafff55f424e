// Random changes to training pictures that keep their meaning.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/base/random.h"

namespace lp {

// One example before normalization: H x W x C values 0..255.
struct Frame {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<float> values;

  float& at(int64_t y, int64_t x, int64_t c) { return values[static_cast<size_t>((y * width + x) * channels + c)]; }
  float at(int64_t y, int64_t x, int64_t c) const { return values[static_cast<size_t>((y * width + x) * channels + c)]; }
};

// Changes a frame; all randomness follows from the key, which is that of (seed, epoch, example, place in the list).
struct Augmentation {
  virtual ~Augmentation() = default;
  virtual void fields(Fields& f) = 0;
  virtual std::unique_ptr<Augmentation> clone() const = 0;
  virtual void apply(Frame& frame, Key key) const = 0;
};

// shift crop flip rotate noise
template <>
std::span<const ChoiceRow<Augmentation>> choices<Augmentation>();

}  // namespace lp
