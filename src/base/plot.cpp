// Drawing.
#include "lptrain/base/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lp {
namespace {

constexpr double kLeft = 58, kRight = 14, kTop = 30, kBottom = 44;  // around the field, for numbers and names
constexpr double kBare = 26, kLegend = 20;                          // below it if the axis has no name; where the legend ends
constexpr double kLetter = 7.2;                                     // width of one, about
constexpr int kSeries = 6;

std::string_view dash(Plot::Stroke stroke) { return stroke == Plot::Stroke::dashed ? " dash" : ""; }

// The shape of a point: a colour alone does not tell series apart for everybody, or on paper.
std::string shape(double x, double y, int series) {
  switch (series % kSeries) {
    case 0: return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.6\"/>", x, y);
    case 1: return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"6.4\" height=\"6.4\"/>", x - 3.2, y - 3.2);
    case 2: return fmt::format("<path d=\"M{:.1f} {:.1f}l4.4 4.4-4.4 4.4-4.4-4.4z\"/>", x, y - 4.4);
    case 3: return fmt::format("<path d=\"M{:.1f} {:.1f}l4.4 7.6h-8.8z\"/>", x, y - 4.6);
    case 4: return fmt::format("<path d=\"M{:.1f} {:.1f}l4.4-7.6h-8.8z\"/>", x, y + 4.6);
    default: return fmt::format("<path d=\"M{:.1f} {:.1f}h8v3h-8z\"/>", x - 4, y - 1.5);
  }
}

std::string titled(const std::string& title) { return title.empty() ? "" : fmt::format("<title>{}</title>", escaped(title)); }

std::string text_at(double x, double y, std::string_view anchor, std::string_view style, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>", x, y, anchor, style,
                     escaped(text));
}

std::string opened(double width, double height, std::string_view title, std::string_view style) {
  std::string s =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot{}{}\" viewBox=\"0 0 {:g} {:g}\" role=\"img\"",
                  style.empty() ? "" : " ", style, width, height);
  return s + fmt::format(" aria-label=\"{}\">\n", escaped(title));
}

// A picture with its rules and its paper, and a title above the content.
std::string framed(double width, double height, std::string_view title, std::string_view content) {
  return opened(width, height, title, "") +
         fmt::format("<style>{}</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n", plot_style()) +
         text_at(8, 22, "start", "name", title) + std::string(content) + "</svg>\n";
}

struct Drawn {
  double width, height;
  std::string content;
};

Drawn drawn_heat_map(std::span<const std::string> rows, std::span<const std::string> columns, std::span<const HeatCell> cells) {
  constexpr double kField = 400;
  const auto longest = [](std::span<const std::string> list) {
    size_t most = 1;
    for (const std::string& name : list) most = std::max(most, name.size());
    return most;
  };
  const auto room_for = [](size_t letters) { return std::min(140.0, 14 + kLetter * static_cast<double>(letters)); };
  const double names = room_for(longest(rows)), side = kField / static_cast<double>(std::max(rows.size(), columns.size()));
  const size_t widest = longest(columns);
  const bool is_upright = widest <= 2 || side > kLetter * static_cast<double>(widest);
  const double top = is_upright ? 24 : room_for(widest);
  std::string s;
  for (size_t c = 0; c < columns.size(); ++c) {
    const double x = names + side * (static_cast<double>(c) + 0.5);
    s += is_upright ? text_at(x, top - 7, "middle", "tick", columns[c])
                    : fmt::format("<g transform=\"translate({:.1f} {:.1f})rotate(-90)\">{}</g>", x + 4, top - 6,
                                  text_at(0, 0, "start", "tick", columns[c]));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    const double y = top + side * static_cast<double>(r);
    s += text_at(names - 7, y + side / 2 + 4, "end", "tick", rows[r]);
    for (size_t c = 0; c < columns.size(); ++c) {
      const HeatCell& cell = cells[r * columns.size() + c];
      const double x = names + side * static_cast<double>(c), shade = std::clamp(cell.shade, 0.0, 1.0);
      s += fmt::format("<g class=\"p{}\">{}<rect class=\"cell\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" ",
                       cell.series % kSeries, titled(cell.title), x + 0.75, y + 0.75, side - 1.5, side - 1.5);
      s += fmt::format("rx=\"2\" fill-opacity=\"{:.3f}\"/>", 0.05 + 0.87 * shade);
      if (!cell.text.empty()) s += text_at(x + side / 2, y + side / 2 + 4, "middle", shade > 0.5 ? "strong" : "tag", cell.text);
      s += "</g>";
    }
    s += "\n";
  }
  return {names + kField + 4, top + side * static_cast<double>(rows.size()) + 4, s};
}

}  // namespace

std::string_view plot_style() {
  return R"(
:root{--paper:#fff;--ink:#15181e;--soft:#596070;--line:#dfe2e8;--on:#fff;
--s0:#1a5fb4;--s1:#b3500a;--s2:#1d7a46;--s3:#8a3fa0;--s4:#b02a4b;--s5:#5a6270}
@media(prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e9ebef;--soft:#a0a8b5;--line:#313741;--on:#0d1014;
--s0:#7fb4ff;--s1:#f2a65e;--s2:#74cf98;--s3:#d39be6;--s4:#ff8fa8;--s5:#a9b2c0}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#ccc;--on:#fff;
--s0:#1a5fb4;--s1:#b3500a;--s2:#1d7a46;--s3:#8a3fa0;--s4:#b02a4b;--s5:#5a6270}}
.plot{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
.plot text{fill:var(--soft)}.plot .name{fill:var(--ink);font-weight:600}.plot .tag{fill:var(--ink)}.plot .paper{fill:var(--paper)}
.plot .label{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3.5px;stroke-linejoin:round}
.plot .grid{stroke:var(--line);stroke-width:1}.plot .base{stroke:var(--soft);stroke-width:1}
.plot .p0{--c:var(--s0)}.plot .p1{--c:var(--s1)}.plot .p2{--c:var(--s2)}.plot .p3{--c:var(--s3)}.plot .p4{--c:var(--s4)}
.plot .p5{--c:var(--s5)}
.plot .mark{fill:var(--c)}.plot .stem{stroke:var(--c);stroke-width:1.5}
.plot .path{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round}.plot .dash{stroke-dasharray:5 4}
.plot .bar{fill:var(--c);fill-opacity:.55}.plot .rule{stroke:var(--c);stroke-width:1;stroke-opacity:.75}
.plot .cell{fill:var(--c)}.plot .strong{fill:var(--on)}
)";
}

double PlotAxis::share(double v) const {
  if (is_log) return (std::log2(v) - std::log2(low)) / (std::log2(high) - std::log2(low));
  return (v - low) / (high - low);
}

Plot::Plot(double width, double height, PlotAxis x, PlotAxis y)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {}

double Plot::ground() const { return height_ - (x_.name.empty() ? kBare : kBottom); }
double Plot::left() const { return y_.ticks.empty() ? kRight : kLeft; }
double Plot::px(double x) const { return left() + (width_ - left() - kRight) * x_.share(x); }
double Plot::py(double y) const { return kTop + (ground() - kTop) * (1 - y_.share(y)); }

void Plot::marker(const PlotPoint& p, int series) {
  const double x = px(p.x), y = py(p.y);
  body_ += "<g class=\"mark\">" + titled(p.title);
  if (p.error > 0) {
    const double top = std::max(py(p.y + p.error), kTop), bottom = std::min(py(p.y - p.error), ground());
    body_ += fmt::format("<path class=\"stem\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}h6M{3:.1f} {2:.1f}h6\"/>", x, top,
                         bottom, x - 3);
  }
  body_ += shape(x, y, series) + "</g>";
  taken_.push_back({x - 5, y - 5, x + 5, y + 5});
}

// Above, right, below or left of the point; nowhere if all of these are taken.
void Plot::place_label(const PlotPoint& p) {
  const double x = px(p.x), y = py(p.y), wide = kLetter * static_cast<double>(p.label.size());
  const std::array<std::pair<Box, std::string_view>, 4> places{{{{x - wide / 2, y - 21, x + wide / 2, y - 7}, "middle"},
                                                                {{x + 8, y - 7, x + 8 + wide, y + 7}, "start"},
                                                                {{x - wide / 2, y + 7, x + wide / 2, y + 21}, "middle"},
                                                                {{x - 8 - wide, y - 7, x - 8, y + 7}, "end"}}};
  for (const auto& [box, anchor] : places) {
    const auto hits = [&box = box](const Box& o) {
      return box.left < o.right && o.left < box.right && box.top < o.bottom && o.top < box.bottom;
    };
    if (box.left < left() || box.right > width_ - 2 || box.top < kLegend || std::ranges::any_of(taken_, hits)) continue;
    const double at = anchor == "start" ? box.left : anchor == "end" ? box.right : x;
    labels_ += text_at(at, box.bottom - 3, anchor, "label", p.label);
    taken_.push_back(box);
    return;
  }
}

void Plot::line(std::span<const PlotPoint> points, int series, Stroke stroke, bool has_points) {
  body_ += fmt::format("<g class=\"p{}\">", series % kSeries);
  std::string path;
  std::vector<PlotPoint> shown;
  for (const PlotPoint& p : points)
    if (std::isfinite(p.y) && std::isfinite(x_.share(p.x))) shown.push_back(p);
  for (const PlotPoint& p : shown) {
    if (stroke == Stroke::steps && !path.empty()) path += fmt::format("H{:.1f}", px(p.x));
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px(p.x), py(p.y));
  }
  if (stroke != Stroke::none && shown.size() > 1) body_ += fmt::format("<path class=\"path{}\" d=\"{}\"/>", dash(stroke), path);
  if (has_points || shown.size() == 1)
    for (const PlotPoint& p : shown) marker(p, series);
  for (const PlotPoint& p : shown)
    if (!p.label.empty()) place_label(p);
  body_ += "</g>\n";
}

void Plot::bars(double low, double high, std::span<const double> heights, int series) {
  body_ += fmt::format("<g class=\"p{}\">", series % kSeries);
  const double step = (high - low) / static_cast<double>(heights.size()), foot = py(y_.low);
  for (size_t i = 0; i < heights.size(); ++i) {
    if (!(heights[i] > y_.low)) continue;
    const double left = px(low + step * static_cast<double>(i)), right = px(low + step * static_cast<double>(i + 1));
    body_ += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\"/>", left,
                         py(heights[i]), right - left, foot - py(heights[i]));
  }
  body_ += "</g>\n";
}

void Plot::rules(std::span<const double> xs, int series) {
  std::string path;
  for (double x : xs)
    if (x >= x_.low && x <= x_.high) path += fmt::format("M{:.1f} {:.1f}V{:.1f}", px(x), kTop, ground() + 4);
  if (!path.empty()) body_ += fmt::format("<path class=\"rule p{}\" d=\"{}\"/>\n", series % kSeries, path);
}

void Plot::legend(std::string name, int series, Stroke stroke) { legend_.push_back({std::move(name), series, stroke}); }

std::string Plot::grid() const {
  const double right = width_ - kRight, floor = ground();
  std::string s;
  for (double v : y_.ticks) {
    s += fmt::format("<path class=\"grid\" d=\"M{:g} {:.1f}H{:g}\"/>", left(), py(v), right);
    s += text_at(left() - 7, py(v) + 4, "end", "tick", y_.label(v));
  }
  s += fmt::format("<path class=\"base\" d=\"M{:g} {:.1f}H{:g}\"/>", left(), floor, right);
  for (double v : x_.ticks) {
    s += fmt::format("<path class=\"base\" d=\"M{:.1f} {:.1f}v4\"/>", px(v), floor);
    s += text_at(px(v), floor + 17, "middle", "tick", x_.label(v));
  }
  if (!x_.name.empty()) s += text_at(right, height_ - 8, "end", "what", x_.name);
  return s + text_at(y_.ticks.empty() ? left() : 8, 16, "start", "name", y_.name) + "\n";
}

std::string Plot::legend_row() const {
  std::string s;
  double x = width_ - kRight;
  for (auto it = legend_.rbegin(); it != legend_.rend(); ++it) {
    x -= kLetter * static_cast<double>(it->name.size()) + 4;
    s += text_at(x, 16, "start", "what", it->name);
    x -= 24;
    s += fmt::format("<g class=\"p{}\">", it->series % kSeries);
    if (it->stroke != Stroke::none) s += fmt::format("<path class=\"path{}\" d=\"M{:.1f} 12h20\"/>", dash(it->stroke), x);
    s += fmt::format("<g class=\"mark\">{}</g></g>", shape(x + 10, 12, it->series));
    x -= 12;
  }
  return s;
}

std::string Plot::svg(std::string_view title, std::string_view style) const {
  return opened(width_, height_, title, style) + content() + "</svg>\n";
}

std::string Plot::file(std::string_view title, std::span<const Plot> plots) {
  double width = 0, height = 30;
  std::string parts;
  for (const Plot& p : plots) {
    parts += fmt::format("<g transform=\"translate(0 {:g})\">{}</g>\n", height, p.content());
    width = std::max(width, p.width_);
    height += p.height_;
  }
  return framed(width, height, title, parts);
}

std::string heat_map(std::span<const std::string> rows, std::span<const std::string> columns, std::span<const HeatCell> cells,
                     std::string_view title) {
  const Drawn map = drawn_heat_map(rows, columns, cells);
  return opened(map.width, map.height, title, "wide") + map.content + "</svg>\n";
}

std::string heat_map_file(std::span<const std::string> rows, std::span<const std::string> columns,
                          std::span<const HeatCell> cells, std::string_view title) {
  const Drawn map = drawn_heat_map(rows, columns, cells);
  const double wide = 16 + kLetter * static_cast<double>(title.size());
  return framed(std::max(map.width, wide), map.height + 30, title,
                fmt::format("<g transform=\"translate(0 30)\">{}</g>\n", map.content));
}

}  // namespace lp
