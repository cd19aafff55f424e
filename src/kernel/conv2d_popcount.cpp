// Convolutions of codes with few levels without unfolding: rows of bits are read where they lie in a padded image of bits.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "bit_panels.h"
#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "scratch.h"

namespace lp {
namespace {

constexpr int64_t kSlack = 4;            // bytes that the last word of a row may read beyond a plane
constexpr int64_t kMostRows = 16;        // of a tile
constexpr int64_t kFewestChannels = 16;  // measured: the bits of a pixel fill whole bytes, and lines of a filter whole words

// A filter sees whole lines of pixels if its columns are neighbours, else pixel by pixel.
Pieces pieces_of(const ConvShape& s) {
  if (s.dilation_w == 1) return {s.KH, s.KW, s.C};
  return {s.KH * s.KW, 1, s.C};
}

// Which taps of a filter lie in the image, by output along one axis.
struct Views {
  struct Taps {
    int64_t begin, end;
    bool operator==(const Taps&) const = default;
  };
  Views(int64_t outputs, int64_t stride, int64_t pad, int64_t dilation, int64_t taps, int64_t extent) {
    const auto taps_below = [&](int64_t distance) { return std::clamp<int64_t>((distance + dilation - 1) / dilation, 0, taps); };
    for (int64_t i = 0; i < outputs; ++i) {
      const int64_t first = i * stride - pad;
      const Taps seen{taps_below(std::max<int64_t>(-first, 0)), taps_below(std::max<int64_t>(extent - first, 0))};
      const auto known = std::ranges::find(kinds, seen);
      kind_of.push_back(known - kinds.begin());
      if (known == kinds.end()) kinds.push_back(seen);
    }
  }
  bool has(int64_t kind, int64_t tap) const {
    const Taps& taps = kinds[static_cast<size_t>(kind)];
    return tap >= taps.begin && tap < taps.end;
  }
  std::vector<Taps> kinds;
  std::vector<int64_t> kind_of;
};

// No bits are set in padding, which signs read as +1: what that adds to y[OH,OW,O], by kind of view.
class SeenPadding {
 public:
  SeenPadding(const ConvShape& s, const uint8_t* w)
      : O_(s.O),
        rows_(s.OH(), s.stride_h, s.pad_h, s.dilation_h, s.KH, s.H),
        columns_(s.OW(), s.stride_w, s.pad_w, s.dilation_w, s.KW, s.W),
        sums_(rows_.kinds.size() * columns_.kinds.size() * static_cast<size_t>(O_)) {
    for (int64_t i = 0; i < std::ssize(rows_.kinds); ++i)
      for (int64_t j = 0; j < std::ssize(columns_.kinds); ++j) add_outside(s, w, i, j);
  }
  void take_out(int32_t* y) const {
    for (const int64_t i : rows_.kind_of)
      for (const int64_t j : columns_.kind_of) {
        const int32_t* sums = &sums_[at(i, j)];
        for (int64_t o = 0; o < O_; ++o) y[o] -= sums[o];
        y += O_;
      }
  }

 private:
  size_t at(int64_t i, int64_t j) const { return static_cast<size_t>((i * std::ssize(columns_.kinds) + j) * O_); }
  void add_outside(const ConvShape& s, const uint8_t* w, int64_t i, int64_t j) {
    for (int64_t o = 0; o < O_; ++o)
      for (int64_t u = 0; u < s.KH; ++u)
        for (int64_t v = 0; v < s.KW; ++v, w += s.C)
          if (!rows_.has(i, u) || !columns_.has(j, v))
            for (int64_t c = 0; c < s.C; ++c) sums_[at(i, j) + static_cast<size_t>(o)] += static_cast<int8_t>(w[c]);
  }

  int64_t O_;
  Views rows_, columns_;
  std::vector<int32_t> sums_;
};

// Filters in the layout of the tiles.
class BitFilters {
 public:
  BitFilters(const BitLoops& loops, const ConvKey& key, const uint8_t* w);
  void forward(const uint8_t* x, int32_t* y) const;

 private:
  void fill_planes(const uint8_t* x, uint8_t* bits) const;
  void multiply(const uint8_t* bits, int32_t* y) const;

  const BitLoops& loops_;
  ConvShape s_;
  Pieces pieces_;
  Planes planes_;
  int64_t pixel_, line_;  // bytes of a padded image's bits
  BitRows how_;
  BitPanels panels_;
  std::optional<SeenPadding> padding_;
};

BitFilters::BitFilters(const BitLoops& loops, const ConvKey& key, const uint8_t* w)
    : loops_(loops),
      s_(key.shape),
      pieces_(pieces_of(s_)),
      planes_(planes_of(key.levels_a)),
      pixel_(pieces_.bytes_of_pixel()),
      line_((s_.W + 2 * s_.pad_w) * pixel_),
      how_{{s_.KH, s_.dilation_h * line_, pieces_.count / s_.KH, s_.dilation_w * pixel_, pieces_.words()},
           planes_.count,
           (s_.H + 2 * s_.pad_h) * line_ + kSlack,
           planes_.ratio,
           planes_.factor},
      panels_(loops, key.levels_a, pieces_, s_.O, w) {
  if (planes_.constant != 0 && std::max(s_.pad_h, s_.pad_w) > 0) padding_.emplace(s_, w);
}

void BitFilters::fill_planes(const uint8_t* x, uint8_t* bits) const {
  for (int64_t i = 0; i < planes_.count; ++i)
    for (int64_t h = 0; h < s_.H; ++h)
      pack_pixels(loops_, x + h * s_.W * s_.C, s_.W, s_.C, planes_.high - static_cast<int>(i),
                  bits + i * how_.plane_stride + (h + s_.pad_h) * line_ + s_.pad_w * pixel_);
}

void BitFilters::multiply(const uint8_t* bits, int32_t* y) const {
  const int64_t OW = s_.OW(), places = s_.OH() * OW;
  for (int64_t panel = 0; panel < panels_.count(); ++panel)
    for (int64_t first = 0; first < places; first += loops_.rows) {
      const int64_t rows = std::min(loops_.rows, places - first);
      const uint8_t* row[kMostRows];
      for (int64_t p = 0; p < rows; ++p)
        row[p] = bits + (first + p) / OW * s_.stride_h * line_ + (first + p) % OW * s_.stride_w * pixel_;
      panels_.multiply(panel, rows, row, how_, false, y + first * s_.O);
    }
}

void BitFilters::forward(const uint8_t* x, int32_t* y) const {
  parallel_for(s_.N, 1, [&](int64_t n) {
    const int64_t bytes = planes_.count * how_.plane_stride;
    const Scratch<uint8_t> bits(bytes);
    std::memset(bits.data(), 0, static_cast<size_t>(bytes));
    int32_t* image = y + n * s_.OH() * s_.OW() * s_.O;
    fill_planes(x + n * s_.H * s_.W * s_.C, bits.data());
    multiply(bits.data(), image);
    if (padding_) padding_->take_out(image);
  });
}

}  // namespace

const char* conv2d_popcount_refuses(const ConvKey& key) {
  if (key.pass != ConvPass::forward) return "takes the forward pass only";
  if (key.shape.groups > 1) return "takes one group";
  if (key.shape.C < kFewestChannels) return "takes 16 channels and more";
  return counting_refuses(key.a, key.levels_a, key.levels_b, key.terms());
}

ConvReady conv2d_popcount_on(const BitLoops& loops, const ConvKey& key, const void* b) {
  return [filters = std::make_shared<const BitFilters>(loops, key, static_cast<const uint8_t*>(b))](const void* a, void* c) {
    filters->forward(static_cast<const uint8_t*>(a), static_cast<int32_t*>(c));
  };
}

}  // namespace lp
