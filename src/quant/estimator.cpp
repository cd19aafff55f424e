// The table of estimators.
#include "lptrain/quant/estimator.h"

#include <algorithm>

#include "lptrain/base/error.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr EstimatorRow kRows[] = {
    {"clipped", "straight through inside the grid, nothing outside (h = clip)   Source: Hubara et al. 2016; Esser et al. 2020",
     [](double u, double low, double high) { return std::clamp(u, low, high); },
     [](double u, double low, double high) { return u >= low && u <= high ? 1.0 : 0.0; }},
    {"ste", "straight through everywhere (h = u)   Source: Bengio et al. 2013", [](double u, double, double) { return u; },
     [](double, double, double) { return 1.0; }},
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
