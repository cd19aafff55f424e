// Number formats as pictures: a line for every real.
#include <algorithm>
#include <array>
#include <cmath>

#include "lptrain/app/format_facts.h"
#include "lptrain/base/plot.h"

namespace lp {
namespace {

constexpr double kWidth = 860, kRow = 84;
constexpr uint64_t kMostTicks = 1 << 12;

// The reals of a format between two bounds, thinned out where there are too many to see.
std::vector<double> reals_between(const Format& f, double low, double high) {
  const int64_t first = f.value(f.floor(low)) < low ? std::min(f.floor(low) + 1, f.hi()) : f.floor(low), last = f.floor(high);
  const uint64_t count = static_cast<uint64_t>(last) - static_cast<uint64_t>(first), stride = count / kMostTicks + 1;
  std::vector<double> reals;
  for (uint64_t step = 0; step <= count; step += stride) {
    const double v = f.value(static_cast<int64_t>(static_cast<uint64_t>(first) + step));
    if (v >= low && v <= high) reals.push_back(v);
  }
  return reals;
}

// What every format is shown on.
struct Panel {
  std::string title;
  PlotAxis axis;
};

Plot row_of(const Panel& panel, const Format& f) {
  PlotAxis name;  // without numbers
  name.name = fmt::format("{}, {}", f.name(), panel.title);
  Plot plot(kWidth, kRow, panel.axis, name);
  plot.rules(reals_between(f, panel.axis.low, panel.axis.high), 0);
  return plot;
}

Panel linear_panel(std::string title, double low, double high) {
  return {std::move(title), linear_axis("", std::array{low, high})};
}

}  // namespace

std::string formats_svg(std::span<const Format> formats) {
  double low = 0, high = 0, least = 1e300;
  for (const Format& f : formats) {
    low = std::min(low, std::max(f.min(), -0x1p500));
    high = std::max(high, std::min(f.max(), 0x1p500));
    if (f.smallest() > 0) least = std::min(least, f.smallest());
  }
  std::vector<Panel> panels{linear_panel("all of it", low, high > low ? high : low + 1)};
  if (high > 2 || low < -2) panels.push_back(linear_panel("near 0", std::max(low, -2.0), 2));
  if (high > least)
    panels.push_back({"by powers of two",
                      log2_axis("", std::array{least, high}, [](double v) { return fmt::format("2^{:g}", std::log2(v)); })});
  std::vector<Plot> rows;
  for (const Panel& panel : panels)
    for (const Format& f : formats) rows.push_back(row_of(panel, f));
  return Plot::file("a line for every real", rows);
}

}  // namespace lp
