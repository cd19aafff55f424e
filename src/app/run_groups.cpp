// Grouping runs by their labels.
#include "lptrain/app/run_groups.h"

#include <algorithm>

#include "lptrain/base/text.h"

namespace lp {

RunGroups::RunGroups(const std::vector<RunRecord>& runs, std::vector<std::string> axes, std::string baseline)
    : axes_(std::move(axes)), baseline_(std::move(baseline)) {
  for (const RunRecord& run : runs) {
    Labels labels;
    for (const std::string& axis : axes_) labels.push_back(label_of(run, axis));
    if (!groups_.contains(labels)) order_.push_back(labels);
    const auto [other, is_new] = groups_[labels].emplace(run.seed, &run);
    require(is_new, "{} and {} are both \"{}\" with seed {}: name the rows by what differs, like --rows precision.weights.format",
            other->second->folder.string(), run.folder.string(), join(labels, " "), run.seed);
  }
}

const std::map<int64_t, const RunRecord*>& RunGroups::runs(const Labels& labels) const {
  static const std::map<int64_t, const RunRecord*> kNone;
  const auto found = groups_.find(labels);
  return found == groups_.end() ? kNone : found->second;
}

std::map<int64_t, double> RunGroups::values(const Labels& labels, const TableColumn& column) const {
  std::map<int64_t, double> values;
  for (const auto& [seed, run] : runs(labels))
    if (run->status == "finished")
      if (const auto value = value_in(run->summary, column)) values[seed] = *value;
  return values;
}

RunGroups::Labels RunGroups::baseline_of(const Labels& labels) const {
  for (size_t i = 0; i < labels.size(); ++i) {
    Labels other = labels;
    other[i] = baseline_;
    if (groups_.contains(other)) return other == labels ? Labels{} : other;
  }
  return {};
}

Estimate RunGroups::estimate(const Labels& labels, const TableColumn& column) const {
  const std::map<int64_t, double> own = values(labels, column);
  std::vector<double> a, b;
  if (column.shown != Shown::difference) {
    for (const auto& [seed, value] : own) a.push_back(value);
    return lp::estimate(a);
  }
  const Labels baseline = baseline_of(labels);
  if (baseline.empty()) return {};
  const std::map<int64_t, double> other = values(baseline, column);
  for (const auto& [seed, value] : own)
    if (other.contains(seed)) a.push_back(value), b.push_back(other.at(seed));
  return paired_difference(a, b);
}

}  // namespace lp
