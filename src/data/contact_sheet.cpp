// A page of examples, to look at before one trusts them.
#include <algorithm>
#include <cmath>

#include "lptrain/data/export.h"

namespace lp {
namespace {

constexpr uint8_t kGround = 90;
constexpr int kGap = 1;

void paste(Image& sheet, const Image& picture, int top, int left) {
  const size_t row = static_cast<size_t>(picture.width * picture.channels);
  for (int y = 0; y < picture.height; ++y)
    std::copy_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(y) * row), row,
                sheet.pixels.begin() + static_cast<std::ptrdiff_t>(((top + y) * sheet.width + left) * sheet.channels));
}

Image picture_of(const Examples& examples, int64_t row, int zoom) {
  const Shape s = examples.inputs.shape();
  const size_t width = static_cast<size_t>(s.after(0));
  const auto part = examples.inputs.data<uint8_t>().subspan(static_cast<size_t>(row) * width, width);
  const Image image{static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3]), {part.begin(), part.end()}};
  return resize(image, image.height * zoom, image.width * zoom);
}

Image sheet_of_pictures(const Dataset& set, int columns) {
  const int zoom = std::max(1, 56 / static_cast<int>(set.shape[0])),
            rows = static_cast<int>(std::min<size_t>(set.classes.size(), 100));
  const int height = static_cast<int>(set.shape[0]) * zoom + kGap, width = static_cast<int>(set.shape[1]) * zoom + kGap;
  Image sheet{rows * height + kGap, columns * width + kGap, static_cast<int>(set.shape[2]), {}};
  sheet.pixels.assign(static_cast<size_t>(sheet.height) * static_cast<size_t>(sheet.width) * static_cast<size_t>(sheet.channels),
                      kGround);
  std::vector<int> shown(set.classes.size(), 0);
  for (int64_t i = 0; i < set.train.size(); ++i) {
    const int label = set.train.label(i);
    int& column = shown[static_cast<size_t>(label)];
    if (label >= rows || column >= columns) continue;
    paste(sheet, picture_of(*set.train.examples, set.train.rows[static_cast<size_t>(i)], zoom), label * height + kGap,
          column++ * width + kGap);
  }
  return sheet;
}

// Points of a two-column table; the y axis points up.
Image plot_of_points(const Dataset& set) {
  constexpr int kSide = 480, kMargin = 16;
  Image plot{kSide, kSide, 1, std::vector<uint8_t>(size_t{kSide} * kSide, 20)};
  const ChannelStatistics s = measure(set.train.examples->inputs, set.train.rows);
  const std::span<const float> x = set.train.examples->inputs.data<float>();
  for (int64_t row : set.train.rows) {
    const auto place = [&](size_t axis) {
      const double t = (x[static_cast<size_t>(row) * 2 + axis] - s.low[axis]) / std::max(s.high[axis] - s.low[axis], 1e-12);
      return kMargin + static_cast<int>(std::lround(t * (kSide - 1 - 2 * kMargin)));
    };
    const int label = set.train.examples->labels[static_cast<size_t>(row)], classes = static_cast<int>(set.classes.size());
    const uint8_t grey = static_cast<uint8_t>(100 + 155 * (label + 1) / classes);
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        plot.pixels[static_cast<size_t>((kSide - 1 - place(1) + dy) * kSide + place(0) + dx)] = grey;
  }
  return plot;
}

}  // namespace

Image contact_sheet(const Dataset& set, int columns) {
  if (set.are_images()) return sheet_of_pictures(set, columns);
  require(!set.are_texts(), "{}: text has no picture; `lptrain data {}` shows some of it", set.name, set.name);
  require(set.shape.rank() == 1, "{}: sequences {} have no picture; only pictures and two columns have", set.name,
          set.shape.text());
  require(set.shape[0] == 2, "{}: a table of {} columns has no picture; only pictures and two columns have", set.name,
          set.shape[0]);
  return plot_of_points(set);
}

}  // namespace lp
