// Number formats as pictures: a tick for every real.
#include <algorithm>
#include <cmath>

#include "lptrain/app/format_facts.h"

namespace lp {
namespace {

constexpr double kLeft = 90, kWidth = 760, kRow = 34, kPanel = 34;
constexpr uint64_t kMostTicks = 1 << 13;

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

// One axis with a row of ticks for each format; at(real) in 0..1.
struct Panel {
  std::string title, left, right;
  double low, high;
  double (*at)(double real, double low, double high);
};
double linear(double x, double low, double high) { return (x - low) / (high - low); }
double logarithmic(double x, double low, double high) { return std::log2(x / low) / std::log2(high / low); }

std::string ticks(const Panel& p, const Format& f, double top) {
  std::string path;
  double before = -1;
  for (const double real : reals_between(f, p.low, p.high)) {
    const double x = kLeft + kWidth * p.at(real, p.low, p.high);
    if (x - before < 0.05) continue;
    path += fmt::format("M{:.2f} {}v{}", x, top, kRow - 12);
    before = x;
  }
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><path d=\"{}\"/>\n", kLeft - 8, top + kRow / 2,
                     f.name(), path);
}

std::string drawn(const Panel& p, std::span<const Format> formats, double top) {
  std::string s = fmt::format("<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>\n", kLeft, top + 14, p.title);
  double row = top + 22;
  for (const Format& f : formats) s += ticks(p, f, row), row += kRow;
  return s + fmt::format("<text x=\"{}\" y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft,
                         row + 4, p.left, kLeft + kWidth, row + 4, p.right);
}

Panel linear_panel(std::string title, double low, double high) {
  return {std::move(title), fmt::format("{:.6g}", low), fmt::format("{:.6g}", high), low, high, linear};
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
    panels.push_back({"by powers of two", fmt::format("{:.4g}", least), fmt::format("{:.4g}", high), least, high, logarithmic});
  const double height = kPanel + kRow * static_cast<double>(formats.size());
  std::string s = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<style>svg{{color:#222;background:#fff}} text{{fill:currentColor}} .name{{font-weight:bold}} "
      "path{{stroke:#0072b2;stroke-width:.8}}\n"
      "@media(prefers-color-scheme:dark){{svg{{color:#ddd;background:#181818}} path{{stroke:#56b4e9}}}}</style>\n",
      kLeft + kWidth + 20, 20 + (height + 12) * static_cast<double>(panels.size()));
  double top = 10;
  for (const Panel& p : panels) s += drawn(p, formats, top), top += height + 12;
  return s + "</svg>\n";
}

}  // namespace lp
