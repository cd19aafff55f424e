// Gradient estimators: the smooth map h that backward pretends rounding was.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lp {

// h and its slope h' at u (in units of the scale), for a grid that reaches from `low` to `high`. A test demands slope = dh/du
// wherever h is smooth.
struct EstimatorRow {
  std::string_view name;
  std::string_view doc;
  double (*h)(double u, double low, double high);
  double (*slope)(double u, double low, double high);
};

// A row of the table, chosen by name. Default: clipped.
class Estimator {
 public:
  Estimator();
  static Estimator parse(std::string_view name);  // throws Error(usage) with a suggestion
  static std::vector<std::string> known();
  static std::span<const EstimatorRow> rows();
  std::string name() const { return std::string(row_->name); }
  const EstimatorRow& row() const { return *row_; }
  bool is_identity() const;  // slope 1 everywhere
  bool operator==(const Estimator& o) const { return row_ == o.row_; }

 private:
  explicit Estimator(const EstimatorRow* row) : row_(row) {}
  const EstimatorRow* row_;
};

}  // namespace lp
