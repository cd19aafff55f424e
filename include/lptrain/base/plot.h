// Pictures of numbers in SVG, drawn by hand: axes, lines, points with error bars, bars, heat maps.
//
// Colours are names of CSS classes, defined once by plot_style() for light and dark: a picture is as good on a page as alone.
// Whatever is not finite is left out.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/base/plot_labels.h"

namespace lp {

std::string escaped(std::string_view text);  // for XML and HTML; characters that neither may hold become U+FFFD

// The rules of all pictures for a <style>: colours as variables (--paper --ink --soft --line --s0 ... --s5), light, dark, paper.
std::string_view plot_style();

// An interval of reals and the ticks on it.
struct PlotAxis {
  std::string name;
  double low = 0, high = 1;
  bool is_log = false;        // then low > 0
  std::vector<double> ticks;  // where numbers stand
  std::function<std::string(double)> label;

  double share(double v) const;  // 0 at low, 1 at high
};
// Round ticks (1, 2 or 5 times a power of ten; about `count`) around the finite values, with the digits that the ticks need.
// `unit`: "%" shows hundredths (0.5 is "50%"); others stand behind the number.
PlotAxis linear_axis(std::string name, std::span<const double> values, std::string_view unit = "", int count = 5);
// Powers of two, or 1, 2, 5, 10 ... around the positive values; `label` is how a number is written.
PlotAxis log2_axis(std::string name, std::span<const double> values, std::function<std::string(double)> label);
PlotAxis log10_axis(std::string name, std::span<const double> values, std::function<std::string(double)> label);

struct PlotPoint {
  double x = 0, y = 0;
  double error = 0;        // half the length of an error bar; 0: none
  std::string title = {};  // shown when pointed at
  std::string label = {};  // beside the point, or joined to it by a line, where there is room
};

// One picture: what is added later lies above. Series 0..5 have a colour and a shape of points each.
class Plot {
 public:
  Plot(double width, double height, PlotAxis x, PlotAxis y);

  enum class Stroke { solid, dashed, steps, none };
  void line(std::span<const PlotPoint> points, int series, Stroke stroke, bool has_points = true);
  void bars(double low, double high, std::span<const double> heights, int series);  // of equal width, from low to high
  void rules(std::span<const double> xs, int series);                               // upright, through the whole picture
  void legend(std::string name, int series, Stroke stroke = Stroke::solid);

  // A part of a page that has plot_style(). `style`: more class names ("wide": larger letters on narrow screens).
  std::string svg(std::string_view title, std::string_view style = "") const;
  // Pictures of one width below each other: a file that needs nothing else.
  static std::string file(std::string_view title, std::span<const Plot> plots);

 private:
  double left() const, ground() const, height() const;  // edges of the field, and of the picture
  double px(double x) const;
  double py(double y) const;
  void marker(const PlotPoint& p, int series);
  void stroke(std::span<const PlotPoint> points, Stroke stroke);
  bool has_legend_below() const;
  std::string content() const { return grid() + body_ + labels() + legend_rows(); }
  std::string grid() const;
  std::string x_ticks() const;
  std::string labels() const;
  std::string legend_rows() const;

  double width_, height_;
  PlotAxis x_, y_;
  std::string body_;
  struct Label {
    LabelWish wish;
    std::string text;
    int series;
  };
  std::vector<Label> labels_;  // placed when all is drawn, above everything
  struct Entry {
    std::string name;
    int series;
    Stroke stroke;
    double width() const { return text_width(name) + 40; }
  };
  std::vector<Entry> legend_;
  std::vector<Box> marks_, strokes_;  // what labels must not cover
};

// A matrix of shaded squares: rows downwards. shade 0..1 is how strong the colour of the series is.
struct HeatCell {
  double shade = 0;
  int series = 0;
  std::string text = {}, title = {};
};
std::string heat_map(std::span<const std::string> rows, std::span<const std::string> columns, std::span<const HeatCell> cells,
                     std::string_view title);
// The same as a file that needs nothing else, the title above it.
std::string heat_map_file(std::span<const std::string> rows, std::span<const std::string> columns,
                          std::span<const HeatCell> cells, std::string_view title);

}  // namespace lp
