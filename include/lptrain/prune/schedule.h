// Schedules of pruning: how often within a phase, when, and how much each time.
#pragma once
#include <memory>

#include "lptrain/base/fields.h"

namespace lp {

// Prunings k = 1 .. times(). A phase is done to 0 before its first step and to 1 before its last.
struct PruneSchedule {
  virtual ~PruneSchedule() = default;
  virtual std::unique_ptr<PruneSchedule> clone() const = 0;
  virtual void fields(Fields& f) = 0;
  virtual int64_t times() const = 0;
  virtual double moment(int64_t k) const = 0;                   // 0..1, not falling with k
  virtual double sparsity(int64_t k, double target) const = 0;  // behind pruning k; not falling with k; of the last one `target`
  int64_t due(double done) const;                               // how many have their moment at `done` or before
};
template <>
std::span<const ChoiceRow<PruneSchedule>> choices<PruneSchedule>();

}  // namespace lp
