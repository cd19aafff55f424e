// The learning curve, drawn by hand in SVG.
#include "lptrain/train/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lp {
namespace {

constexpr double kLeft = 56, kRight = 16, kWidth = 560, kHeight = 150, kTop = 40, kGap = 44;

// One panel: y values from `low` to `high` on kHeight pixels, below `top`.
struct Panel {
  double top, low, high;
  size_t epochs;

  double x(size_t i) const {
    return kLeft + (kWidth - kLeft - kRight) * (epochs > 1 ? static_cast<double>(i) / static_cast<double>(epochs - 1) : 0.5);
  }
  double y(double v) const { return top + kHeight * (high - v) / (high - low); }
};

Panel panel_for(double top, std::span<const double> values, size_t epochs) {
  double low = 1e300, high = -1e300;
  for (double v : values)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  if (low > high) low = 0, high = 1;
  const double margin = std::max((high - low) * 0.08, std::max(std::abs(high), 1e-9) * 0.01);
  return {top, low - margin, high + margin, epochs};
}

std::string grid(const Panel& p, const char* name) {
  std::string s = fmt::format("<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>\n", kLeft, p.top - 8, name);
  for (int i = 0; i <= 4; ++i) {
    const double v = p.low + (p.high - p.low) * i / 4;
    s += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:.4g}</text>\n",
        kLeft, kWidth - kRight, p.y(v), p.y(v), kLeft - 6, p.y(v) + 4, v);
  }
  return s;
}

std::string line(const Panel& p, std::span<const double> values, const char* style, const char* what) {
  std::string points, dots;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    points += fmt::format("{:.1f},{:.1f} ", p.x(i), p.y(values[i]));
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>epoch {}: {} {:.5g}</title></circle>", p.x(i),
                        p.y(values[i]), i + 1, what, values[i]);
  }
  return fmt::format("<g class=\"{}\"><polyline points=\"{}\"/>{}</g>\n", style, points, dots);
}

std::vector<double> pick(std::span<const EpochScores> history, double (*f)(const EpochScores&)) {
  std::vector<double> values;
  for (const EpochScores& e : history) values.push_back(f(e));
  return values;
}

std::string panel(double top, const char* name, const std::vector<double>& train, const std::vector<double>& validation) {
  std::vector<double> all = train;
  all.insert(all.end(), validation.begin(), validation.end());
  const Panel p = panel_for(top, all, train.size());
  return grid(p, name) + line(p, train, "train", "training") + line(p, validation, "validation", "validation");
}

std::string escaped(const std::string& text) {
  std::string s;
  for (char c : text) s += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return s;
}

}  // namespace

std::string curve_svg(std::span<const EpochScores> history, const std::string& title) {
  const double height = kTop + 2 * kHeight + kGap + 60;
  std::string s = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<style>svg{{color:#222;background:#fff}} text{{fill:currentColor}} .name{{font-weight:bold}} .grid{{stroke:#8884}}\n"
      ".train{{color:#d55e00;stroke-dasharray:5 3}} .validation{{color:#0072b2}} "
      "polyline{{fill:none;stroke:currentColor;stroke-width:2}} circle{{fill:currentColor}}\n"
      "@media(prefers-color-scheme:dark){{svg{{color:#ddd;background:#181818}}}}</style>\n<text x=\"{}\" y=\"18\" "
      "font-size=\"13\">{}</text>\n",
      kWidth, height, kLeft, escaped(title));
  s += panel(kTop, "accuracy", pick(history, [](const EpochScores& e) { return e.train.accuracy; }),
             pick(history, [](const EpochScores& e) { return e.validation.accuracy; }));
  s += panel(kTop + kHeight + kGap, "loss", pick(history, [](const EpochScores& e) { return e.train.loss; }),
             pick(history, [](const EpochScores& e) { return e.validation.loss; }));
  const double bottom = kTop + 2 * kHeight + kGap + 18;
  const Panel axis{0, 0, 1, history.size()};
  const size_t stride = std::max<size_t>(1, history.size() / 12);
  for (size_t i = 0; i < history.size(); i += stride)
    s += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", axis.x(i), bottom, i + 1);
  s += fmt::format(
      "\n<text x=\"{}\" y=\"{}\">epoch</text>\n<g class=\"train\"><polyline points=\"{},{} {},{}\"/></g><text x=\"{}\" "
      "y=\"{}\">training</text>",
      kLeft, bottom + 20, 200, bottom + 16, 230, bottom + 16, 236, bottom + 20);
  s += fmt::format(
      "<g class=\"validation\"><polyline points=\"{},{} {},{}\"/></g><text x=\"{}\" y=\"{}\">validation</text>\n</svg>\n", 320,
      bottom + 16, 350, bottom + 16, 356, bottom + 20);
  return s;
}

}  // namespace lp
