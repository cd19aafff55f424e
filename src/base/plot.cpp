// Drawing.
#include "lptrain/base/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lp {
namespace {

constexpr double kRight = 14, kTop = 30, kBottom = 44;  // around the field, for numbers and names
constexpr double kBare = 26, kLegend = 20;              // below it if the axis has no name; a line of the legend
constexpr double kLetter = 7.2;                         // width of one, about
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
.plot .leader{stroke:var(--c);stroke-width:1;stroke-opacity:.7}
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
double Plot::left() const {
  double longest = 0;
  for (double v : y_.ticks) longest = std::max(longest, text_width(y_.label(v)));
  return y_.ticks.empty() ? kRight : longest + 10;
}
double Plot::px(double x) const { return left() + (width_ - left() - kRight) * x_.share(x); }
double Plot::py(double y) const { return kTop + (ground() - kTop) * (1 - y_.share(y)); }

void Plot::marker(const PlotPoint& p, int series) {
  const double x = px(p.x), y = py(p.y);
  body_ += "<g class=\"mark\">" + titled(p.title);
  if (p.error > 0) {
    const double top = std::max(py(p.y + p.error), kTop), bottom = std::min(py(p.y - p.error), ground());
    body_ += fmt::format("<path class=\"stem\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}h6M{3:.1f} {2:.1f}h6\"/>", x, top,
                         bottom, x - 3);
    marks_.push_back({x - 4, top - 1, x + 4, bottom + 1});
  }
  body_ += shape(x, y, series) + "</g>";
  marks_.push_back({x - 5, y - 5, x + 5, y + 5});
}

void Plot::stroke(std::span<const PlotPoint> points, Stroke stroke) {
  std::string path;
  Spot last;
  const auto to = [&](Spot next) {
    for (const Box& box : boxes_along(last, next)) strokes_.push_back(box);
    last = next;
  };
  for (const PlotPoint& p : points) {
    const Spot next{px(p.x), py(p.y)};
    if (path.empty()) last = next;
    if (stroke == Stroke::steps && !path.empty()) {
      path += fmt::format("H{:.1f}", next.x);
      to({next.x, last.y});
    }
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", next.x, next.y);
    to(next);
  }
  body_ += fmt::format("<path class=\"path{}\" d=\"{}\"/>", dash(stroke), path);
}

void Plot::line(std::span<const PlotPoint> points, int series, Stroke stroke, bool has_points) {
  body_ += fmt::format("<g class=\"p{}\">", series % kSeries);
  std::vector<PlotPoint> shown;
  for (const PlotPoint& p : points)
    if (std::isfinite(p.y) && std::isfinite(x_.share(p.x))) shown.push_back(p);
  if (stroke != Stroke::none && shown.size() > 1) this->stroke(shown, stroke);
  for (const PlotPoint& p : shown) {
    if (has_points || shown.size() == 1) marker(p, series);
    if (!p.label.empty()) labels_.push_back({{{px(p.x), py(p.y)}, text_width(p.label)}, p.label, series});
  }
  body_ += "</g>\n";
}

std::string Plot::labels() const {
  std::vector<LabelWish> wishes;
  for (const Label& label : labels_) wishes.push_back(label.wish);
  const auto places = places_of(wishes, {left() + 2, kLegend, width_ - 2, ground() - 2}, marks_, strokes_);
  std::string lines, texts;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    const Box& box = places[i]->box;
    const Spot point = wishes[i].point;
    const std::string_view anchor = box.left > point.x ? "start" : box.right < point.x ? "end" : "middle";
    const double at = anchor == "start" ? box.left : anchor == "end" ? box.right : (box.left + box.right) / 2;
    texts += text_at(at, box.bottom - 4, anchor, "label", labels_[i].text);
    if (places[i]->has_leader)
      lines += fmt::format("<path class=\"leader p{}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>", labels_[i].series % kSeries,
                           places[i]->from.x, places[i]->from.y, point.x, point.y);
  }
  return lines + texts;
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
  s += x_ticks();
  if (!x_.name.empty()) s += text_at(right, height_ - 8, "end", "what", x_.name);
  return s + text_at(y_.ticks.empty() ? left() : 8, 16, "start", "name", y_.name) + "\n";
}

// Numbers that would stand on one another are left out.
std::string Plot::x_ticks() const {
  std::string s;
  double free = 0;
  for (double v : x_.ticks) {
    const std::string label = x_.label(v);
    const double half = text_width(label) / 2, at = std::min(px(v), width_ - half);
    s += fmt::format("<path class=\"base\" d=\"M{:.1f} {:.1f}v4\"/>", px(v), ground());
    if (at - half < free) continue;
    s += text_at(at, ground() + 17, "middle", "tick", label);
    free = at + half + 4;
  }
  return s;
}

bool Plot::has_legend_below() const {
  double width = text_width(y_.name) + 8;
  for (const Entry& entry : legend_) width += entry.width();
  return width > width_ - kRight;
}

double Plot::height() const { return height_ + (has_legend_below() ? kLegend * static_cast<double>(legend_.size()) : 0); }

// Beside the name of the upright axis; below the picture, a line each, if there is no room.
std::string Plot::legend_rows() const {
  std::string s;
  const bool is_below = has_legend_below();
  double x = width_ - kRight, y = is_below ? height_ - 4 : 12;
  if (is_below)
    x = left();
  else
    for (const Entry& entry : legend_) x -= entry.width();
  for (const Entry& entry : legend_) {
    s += fmt::format("<g class=\"p{}\">", entry.series % kSeries);
    if (entry.stroke != Stroke::none)
      s += fmt::format("<path class=\"path{}\" d=\"M{:.1f} {:.1f}h20\"/>", dash(entry.stroke), x, y);
    s += fmt::format("<g class=\"mark\">{}</g></g>", shape(x + 10, y, entry.series));
    s += text_at(x + 24, y + 4, "start", "what", entry.name);
    (is_below ? y : x) += is_below ? kLegend : entry.width();
  }
  return s;
}

std::string Plot::svg(std::string_view title, std::string_view style) const {
  return opened(width_, height(), title, style) + content() + "</svg>\n";
}

std::string Plot::file(std::string_view title, std::span<const Plot> plots) {
  double width = 0, height = 30;
  std::string parts;
  for (const Plot& p : plots) {
    parts += fmt::format("<g transform=\"translate(0 {:g})\">{}</g>\n", height, p.content());
    width = std::max(width, p.width_);
    height += p.height();
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
