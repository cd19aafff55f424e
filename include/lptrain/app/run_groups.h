// Runs that differ in nothing but the seed, together.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "lptrain/app/run_record.h"
#include "lptrain/app/table_columns.h"

namespace lp {

class RunGroups {
 public:
  using Labels = std::vector<std::string>;  // one of each axis

  // Keeps references to the runs. `axes` must tell apart all runs that differ in more than the seed: throws Error(usage) for two
  // runs with the same labels and seed.
  RunGroups(const std::vector<RunRecord>& runs, std::vector<std::string> axes, std::string baseline);

  const std::vector<std::string>& axes() const { return axes_; }
  const std::vector<Labels>& labels() const { return order_; }                  // in the order of the runs
  const std::map<int64_t, const RunRecord*>& runs(const Labels& labels) const;  // by seed; empty if there are none

  // Mean over seeds; of a paired column the difference to the group where one label is the baseline, over the seeds of both.
  // Nothing (count 0) where values are missing, and for the baseline's own difference.
  Estimate estimate(const Labels& labels, const TableColumn& column) const;

 private:
  std::map<int64_t, double> values(const Labels& labels, const TableColumn& column) const;
  Labels baseline_of(const Labels& labels) const;  // empty: there is none, or it is itself

  std::vector<std::string> axes_;
  std::string baseline_;
  std::vector<Labels> order_;
  std::map<Labels, std::map<int64_t, const RunRecord*>> groups_;
};

}  // namespace lp
