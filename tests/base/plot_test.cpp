// Pictures: where numbers come to stand, that names cannot break out, that nothing infinite is drawn.
#include "lptrain/base/plot.h"
#include "support/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <set>

using namespace lp;
using namespace lp::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

std::string plain(double v) { return fmt::format("{:g}", v); }

std::string labels(const PlotAxis& a) {
  std::string text;
  for (double t : a.ticks) text += (text.empty() ? "" : " ") + a.label(t);
  return text;
}

PlotAxis linear(std::vector<double> values, std::string_view unit = "") { return linear_axis("y", values, unit); }

// Tags open and close in pairs, and nothing stands outside of them that could be one.
bool is_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (size_t at = svg.find('<'); at != svg.npos; at = svg.find('<', at + 1)) {
    const size_t end = svg.find('>', at);
    if (end == svg.npos) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find(' '));
    if (std::count(tag.begin(), tag.end(), '"') % 2) return false;
    if (tag.ends_with('/')) continue;
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("round ticks with the digits that they need") {
  CHECK(labels(linear({0, 1})) == "0.0 0.2 0.4 0.6 0.8 1.0");
  CHECK(labels(linear({0.971, 0.989}, "%")) == "97.0% 97.5% 98.0% 98.5% 99.0%");
  CHECK(labels(linear({-3, 12})) == "-5 0 5 10 15");
  CHECK(labels(linear({0, 1e7})) == "0 2e+06 4e+06 6e+06 8e+06 1e+07");
  CHECK(labels(linear({})) == labels(linear({0, 1})));
  CHECK(labels(linear({kNan, kInf, 0, 1, -kInf})) == labels(linear({0, 1})));
}

TEST_CASE("an axis covers its values, whatever they are") {
  for (const auto& values : std::vector<std::vector<double>>{
           {0.5}, {0, 0}, {1e-9, 2e-9}, {1e20, 3e20}, {-1, -1}, {5, 5.0000001}, {1e-300, 1e290}, {0.9999, 1}}) {
    const PlotAxis a = linear(values);
    for (double v : values) {
      CAPTURE(v);
      CHECK(a.share(v) >= -1e-9);
      CHECK(a.share(v) <= 1 + 1e-9);
    }
    CHECK(a.low < a.high);
    CHECK(a.ticks.size() >= 2);
    CHECK(a.ticks.size() < 20);
  }
}

TEST_CASE("logarithmic axes") {
  const std::vector<double> bits{1, 2, 4, 32, 0, -1, kNan};
  const PlotAxis two = log2_axis("bits", bits, plain);
  CHECK(labels(two) == "1 2 4 8 16 32");
  CHECK(two.share(4) - two.share(2) == doctest::Approx(two.share(32) - two.share(16)));
  const std::vector<double> bytes{12e3, 430e3};
  CHECK(labels(log10_axis("bytes", bytes, plain)) == "10000 20000 50000 100000 200000 500000");
  for (const auto& values : std::vector<std::vector<double>>{{}, {0}, {-5}, {1e-320, 1e308}, {7, 7}, {kInf}}) {
    for (const PlotAxis& a : {log2_axis("x", values, plain), log10_axis("x", values, plain)}) {
      CHECK(a.low > 0);
      CHECK(a.low < a.high);
      CHECK(a.ticks.size() < 40);
    }
  }
}

TEST_CASE("what is not finite is not drawn, and what is lies inside") {
  Plot plot(400, 250, linear({0, 1}), linear({0, 1}));
  plot.line(std::vector<PlotPoint>{{0, 0, 0, "first"}, {0.5, kNan, 0, "hole"}, {kInf, 0.5}, {1, 1, 0.2}}, 0, Plot::Stroke::solid);
  plot.bars(0, 1, std::vector<double>{0, 1, kNan, 0.5}, 1);
  plot.rules(std::vector<double>{-1, 0.5, 2, kNan}, 2);
  plot.legend("a & b", 0);
  const std::string svg = plot.svg("t");
  CHECK(is_well_formed(svg));
  CHECK_FALSE(has(svg, "nan"));
  CHECK_FALSE(has(svg, "inf"));
  CHECK(has(svg, "first"));
  CHECK_FALSE(has(svg, "hole"));
  CHECK(has(svg, "a &amp; b"));
  CHECK(has(svg, "M34.0 206.0L386.0 30.0"));
}

TEST_CASE("text from outside stays text") {
  const std::string evil = "</title></svg><script>alert(\"1\")</script>'\x01";
  CHECK(escaped(evil) == "&lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;\xEF\xBF\xBD");
  Plot plot(400, 250, linear_axis(evil, {}), linear_axis(evil, {}));
  plot.line(std::vector<PlotPoint>{{0.5, 0.5, 0.1, evil, evil}}, 3, Plot::Stroke::none);
  plot.legend(evil, 2);
  const std::vector<std::string> names{evil, "b"};
  const std::vector<HeatCell> cells(4, HeatCell{0.3, 0, evil, evil});
  for (const std::string& svg :
       {plot.svg(evil), Plot::file(evil, std::vector{plot, plot}), heat_map(names, names, cells, evil)}) {
    CHECK_FALSE(has(svg, "<script"));
    CHECK(is_well_formed(svg));
  }
}

TEST_CASE("labels stay where there is room: none lies on another") {
  Plot plot(400, 250, linear({0, 1}), linear({0, 1}));
  std::vector<PlotPoint> crowd(300, PlotPoint{0.5, 0.5, 0, "", "label"});
  plot.line(crowd, 0, Plot::Stroke::none);
  const std::string svg = plot.svg("t");
  size_t shown = 0;
  for (size_t at = svg.find(">label<"); at != svg.npos; at = svg.find(">label<", at + 1)) ++shown;
  CHECK(shown > 4);
  CHECK(shown < 300);
}

TEST_CASE("the longest number of the upright axis has room, and a legend that has none beside the name stands below") {
  Plot plot(400, 250, linear({0, 1}), linear({0.9901, 0.9999}, "%"));
  CHECK(has(plot.svg("t"), "viewBox=\"0 0 400 250\""));
  CHECK(has(plot.svg("t"), fmt::format("x=\"{:.1f}\"", text_width("99.00%") + 3)));
  for (int i = 0; i < 3; ++i) plot.legend("a series of that name", i);
  CHECK(has(plot.svg("t"), "viewBox=\"0 0 400 310\""));
}

TEST_CASE("series differ in shape, not in colour alone") {
  std::set<std::string> shapes;
  for (int s = 0; s < 6; ++s) {
    Plot plot(400, 250, linear({0, 1}), linear({0, 1}));
    plot.line(std::vector<PlotPoint>{{0.5, 0.5}}, s, Plot::Stroke::none);
    std::string svg = plot.svg("t");
    shapes.insert(svg.replace(svg.find("class=\"p"), 9, ""));
  }
  CHECK(shapes.size() == 6);
}

TEST_CASE("every colour stands out from paper and ink in light and dark") {
  const auto luminance = [](const std::string& hex) {
    double sum = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (size_t i = 0; i < 3; ++i) {
      const std::string part = hex.size() == 4 ? std::string(2, hex[i + 1]) : hex.substr(1 + 2 * i, 2);
      const double c = std::stoi(part, nullptr, 16) / 255.0;
      sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const auto contrast = [&](const std::string& a, const std::string& b) {  // as WCAG 2.1 defines it
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
  };
  const std::string style(plot_style());
  int schemes = 0;
  for (size_t at = style.find(":root{"); at != style.npos; at = style.find(":root{", at + 1), ++schemes) {
    const auto colour = [&](const std::string& name) {
      const size_t from = style.find("--" + name + ":", at) + name.size() + 3;
      return style.substr(from, style.find_first_of(";}", from) - from);
    };
    for (const char* name : {"ink", "soft", "s0", "s1", "s2", "s3", "s4", "s5"})
      CHECK_MESSAGE(contrast(colour(name), colour("paper")) > 4.5, name);
    for (const char* name : {"s0", "s1"}) CHECK_MESSAGE(contrast(colour(name), colour("on")) > 4.5, name);
  }
  CHECK(schemes == 3);
}
