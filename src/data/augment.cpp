// The table of augmentations.
#include "lptrain/data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lp {

enum class Edge { zero, reflect };
template <>
struct Words<Edge> {
  static constexpr std::string_view list[] = {"zero", "reflect"};
};

namespace {

template <class T>
struct AugmentationBase : Augmentation {
  std::unique_ptr<Augmentation> clone() const override { return std::make_unique<T>(static_cast<const T&>(*this)); }
};

// 0..n-1 mirrored at its first and last element.
int64_t mirrored(int64_t i, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1), k = ((i % period) + period) % period;
  return k < n ? k : period - k;
}

// y[r, c] = x[r - down, c - right]
void translate(Frame& frame, int64_t down, int64_t right, Edge edge) {
  const Frame from = frame;
  for (int64_t y = 0; y < frame.height; ++y)
    for (int64_t x = 0; x < frame.width; ++x) {
      int64_t sy = y - down, sx = x - right;
      const bool inside = sy >= 0 && sy < frame.height && sx >= 0 && sx < frame.width;
      if (edge == Edge::reflect) {
        sy = mirrored(sy, frame.height);
        sx = mirrored(sx, frame.width);
      }
      for (int64_t c = 0; c < frame.channels; ++c) frame.at(y, x, c) = inside || edge == Edge::reflect ? from.at(sy, sx, c) : 0;
    }
}

// A whole number in -most..most.
int64_t drawn(Key key, uint64_t index, int64_t most) {
  return static_cast<int64_t>(key.below(index, static_cast<uint64_t>(2 * most + 1))) - most;
}

struct Shift : AugmentationBase<Shift> {
  int64_t pixels = 2;
  void fields(Fields& f) override { f("pixels", pixels, "largest shift, each way; what comes in is black", {0, 1000}); }
  void apply(Frame& frame, Key key) const override { translate(frame, drawn(key, 0, pixels), drawn(key, 1, pixels), Edge::zero); }
};

struct Crop : AugmentationBase<Crop> {
  int64_t pad = 4;
  Edge edge = Edge::zero;
  void fields(Fields& f) override {
    f("pad", pad, "pixels added on every side before a window of the old size is cut out", {0, 1000});
    f("edge", edge, "what the border is filled with");
  }
  void apply(Frame& frame, Key key) const override { translate(frame, drawn(key, 0, pad), drawn(key, 1, pad), edge); }
};

struct Flip : AugmentationBase<Flip> {
  double probability = 0.5;
  void fields(Fields& f) override { f("probability", probability, "how often a picture is mirrored left to right", {0, 1}); }
  void apply(Frame& frame, Key key) const override {
    if (key.uniform(0) >= probability) return;
    for (int64_t y = 0; y < frame.height; ++y)
      for (int64_t x = 0; x < frame.width / 2; ++x)
        for (int64_t c = 0; c < frame.channels; ++c) std::swap(frame.at(y, x, c), frame.at(y, frame.width - 1 - x, c));
  }
};

struct Rotate : AugmentationBase<Rotate> {
  double degrees = 10;
  void fields(Fields& f) override {
    f("degrees", degrees, "largest turn, each way, about the centre; bilinear, black outside", {0, 180});
  }
  void apply(Frame& frame, Key key) const override {
    const double angle = (2 * key.uniform(0) - 1) * degrees * std::numbers::pi / 180, sine = std::sin(angle),
                 cosine = std::cos(angle);
    const Frame from = frame;
    const double cy = 0.5 * static_cast<double>(frame.height - 1), cx = 0.5 * static_cast<double>(frame.width - 1);
    for (int64_t y = 0; y < frame.height; ++y)
      for (int64_t x = 0; x < frame.width; ++x) {
        const double dy = static_cast<double>(y) - cy, dx = static_cast<double>(x) - cx;
        for (int64_t c = 0; c < frame.channels; ++c)
          frame.at(y, x, c) = sample(from, cy - sine * dx + cosine * dy, cx + cosine * dx + sine * dy, c);
      }
  }
  static float sample(const Frame& from, double y, double x, int64_t c) {
    const double top = std::floor(y), left = std::floor(x);
    double value = 0;
    for (int64_t j : {0, 1})
      for (int64_t i : {0, 1}) {
        const int64_t sy = static_cast<int64_t>(top) + j, sx = static_cast<int64_t>(left) + i;
        if (sy < 0 || sy >= from.height || sx < 0 || sx >= from.width) continue;
        value += (j ? y - top : 1 - (y - top)) * (i ? x - left : 1 - (x - left)) * from.at(sy, sx, c);
      }
    return static_cast<float>(value);
  }
};

struct Noise : AugmentationBase<Noise> {
  double deviation = 0.05;
  void fields(Fields& f) override {
    f("deviation", deviation, "standard deviation of normal noise, as a share of white", {0, 10});
  }
  void apply(Frame& frame, Key key) const override {
    for (size_t i = 0; i < frame.values.size(); ++i)
      frame.values[i] = std::clamp(frame.values[i] + static_cast<float>(255 * deviation * key.normal(i)), 0.f, 255.f);
  }
};

constexpr ChoiceRow<Augmentation> kRows[] = {
    choice_row<Augmentation, Shift>("shift", "moves the picture by whole pixels"),
    choice_row<Augmentation, Crop>("crop", "pads the picture and cuts a window of its size out of it (He et al. 2016)"),
    choice_row<Augmentation, Flip>("flip", "mirrors left and right"),
    choice_row<Augmentation, Rotate>("rotate", "turns the picture"),
    choice_row<Augmentation, Noise>("noise", "adds normal noise"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Augmentation>> choices<Augmentation>() {
  return kRows;
}

}  // namespace lp
