// The table of estimators.
#include "lptrain/quant/estimator.h"

#include <algorithm>
#include <cmath>

#include "lptrain/base/error.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// The end of the grid on u's side, as a distance.
double reach(double u, double low, double high) { return u < 0 ? -low : high; }
double soft(double u, double low, double high) {
  const double r = reach(u, low, high);
  return r == 0 ? 0 : std::isinf(r) ? u : r * std::tanh(u / r);
}

constexpr EstimatorRow kRows[] = {
    {"clipped", "straight through inside the grid, nothing outside (h = clip)   Source: Hubara et al. 2016; Esser et al. 2020",
     [](double u, double low, double high) { return std::clamp(u, low, high); },
     [](double u, double low, double high) { return u >= low && u <= high ? 1.0 : 0.0; }},
    {"ste", "dx = dy: straight through everywhere, whatever the decision scale (h = u)   Source: Bengio et al. 2013",
     [](double u, double, double) { return u; }, [](double, double, double) { return 1.0; }},
    {"tanh", "soft saturation: h = high tanh(u / high), and likewise below", soft,
     [](double u, double low, double high) {
       const double r = reach(u, low, high), t = r == 0 ? 1 : std::tanh(u / r);
       return 1 - t * t;
     }},
    {"approx_sign", "2u - u |u| within -1..1, nothing outside: for binary   Source: Liu et al. 2018 (Bi-Real Net), eq. 7",
     [](double u, double, double) {
       const double c = std::clamp(u, -1.0, 1.0);
       return 2 * c - c * std::abs(c);
     },
     [](double u, double, double) { return std::max(0.0, 2 - 2 * std::abs(u)); }},
};

}  // namespace

Estimator::Estimator() : row_(&kRows[0]) {}
std::span<const EstimatorRow> Estimator::rows() { return kRows; }
bool Estimator::is_identity() const { return row_->name == "ste"; }

std::vector<std::string> Estimator::known() {
  std::vector<std::string> names;
  for (const EstimatorRow& row : kRows) names.emplace_back(row.name);
  return names;
}

Estimator Estimator::parse(std::string_view name) {
  for (const EstimatorRow& row : kRows)
    if (row.name == name) return Estimator(&row);
  fail(ErrorKind::usage, "unknown gradient \"{}\"{}", name, suggestion(name, known()));
}

}  // namespace lp
