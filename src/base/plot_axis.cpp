// Where the numbers of an axis stand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lptrain/base/plot.h"

namespace lp {
namespace {

struct Interval {
  double low, high;
};

// Around the values that `counts`; [fallback] without any.
template <class Counts>
Interval extent(std::span<const double> values, Interval fallback, Counts counts) {
  Interval e{INFINITY, -INFINITY};
  for (double v : values)
    if (counts(v)) e = {std::min(e.low, v), std::max(e.high, v)};
  return e.low > e.high ? fallback : e;
}

// 1, 2 or 5 times a power of ten: the least that is not below `least`.
double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 5.0})
    if (power * factor >= least * (1 - 1e-9)) return power * factor;
  return power * 10;
}

Interval positive(std::span<const double> values) {
  const Interval e = extent(values, {1, 2}, [](double v) { return std::isfinite(v) && v > 0; });
  constexpr double kLeast = 1e-300, kMost = 1e300;
  return {std::clamp(e.low, kLeast, kMost), std::clamp(e.high, kLeast, kMost)};
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string s;
  for (const char c : text) {
    switch (c) {
      case '&': s += "&amp;"; break;
      case '<': s += "&lt;"; break;
      case '>': s += "&gt;"; break;
      case '"': s += "&quot;"; break;
      case '\'': s += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
          s += "\xEF\xBF\xBD";
        else
          s += c;
    }
  }
  return s;
}

PlotAxis linear_axis(std::string name, std::span<const double> values, std::string_view unit, int count) {
  Interval e = extent(values, {0, 1}, [](double v) { return std::isfinite(v) && std::abs(v) < 1e300; });
  const double least = std::max({std::abs(e.low), std::abs(e.high), 1e-12}) * 1e-3;
  if (e.high - e.low < least) e = {e.low - least, e.high + least};
  const double step = round_step((e.high - e.low) / count), factor = unit == "%" ? 100 : 1;
  PlotAxis axis;
  axis.name = std::move(name);
  axis.low = std::floor(e.low / step + 1e-9) * step;
  axis.high = std::ceil(e.high / step - 1e-9) * step;
  const auto steps = static_cast<int>(std::lround((axis.high - axis.low) / step));
  for (int i = 0; i <= steps; ++i) axis.ticks.push_back(axis.low + step * i);
  const double magnitude = std::max(std::abs(axis.low), std::abs(axis.high)) * factor;
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step * factor) + 1e-9)));
  axis.label = [=, behind = std::string(unit)](double v) {
    const double shown = std::abs(v) < step * 1e-6 ? 0 : v * factor;
    if (magnitude >= 1e5 || digits > 4) return fmt::format("{:.3g}{}", shown, behind);
    return fmt::format("{:.{}f}{}", shown, digits, behind);
  };
  return axis;
}

PlotAxis log2_axis(std::string name, std::span<const double> values, std::function<std::string(double)> label) {
  const Interval e = positive(values);
  const double first = std::floor(std::log2(e.low) + 1e-9), last = std::max(first + 1, std::ceil(std::log2(e.high) - 1e-9));
  PlotAxis axis{std::move(name), std::exp2(first - 0.2), std::exp2(last + 0.2), true, {}, std::move(label)};
  const double stride = std::ceil((last - first) / 8);
  for (double k = first; k <= last; k += stride) axis.ticks.push_back(std::exp2(k));
  return axis;
}

PlotAxis log10_axis(std::string name, std::span<const double> values, std::function<std::string(double)> label) {
  const Interval e = positive(values);
  PlotAxis axis{std::move(name), e.low / 1.25, e.high * 1.25, true, {}, std::move(label)};
  const double decades = std::log10(axis.high / axis.low), stride = std::ceil(decades / 6);
  for (double k = std::floor(std::log10(axis.low)); k <= std::log10(axis.high); k += stride)
    for (double factor : {1.0, 2.0, 5.0}) {
      const double v = factor * std::pow(10.0, k);
      if (v >= axis.low && v <= axis.high && (factor == 1 || decades < 2.2)) axis.ticks.push_back(v);
    }
  return axis;
}

}  // namespace lp
