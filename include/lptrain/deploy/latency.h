// How long a network takes to answer, measured.
#pragma once
#include <span>

#include "lptrain/base/fields.h"
#include "lptrain/nn/model.h"

namespace lp {

// Seconds that a batch of examples takes: the median of a few passes in evaluation mode, after one that is not counted (weights
// are quantized and packed by then). Takes about a quarter of a second, at least three passes, at most a hundred.
double batch_seconds(Model& model, int64_t batch);

// How much faster one network is than another. Whatever else a machine does makes a pass longer, never shorter: so the shortest
// of many is compared. The range is that of the ratio in each third of the time that was measured; a wide one says that the
// machine was too busy to tell.
struct SpeedUp {
  double before = 0, after = 0;  // seconds: of the shortest passes
  double low = 0, high = 0;      // before / after, in thirds of the measurement
  double ratio() const { return before / after; }
  bool is_measurable() const;  // high is not more than a quarter above low
  void fields(Fields& f);
};
// Passes as batch_seconds makes them, by turns, so that what disturbs them falls on both. Takes about a second, at least six
// passes of each.
SpeedUp speed_up(Model& before, Model& after, int64_t batch);
// Of times that were measured by turns: as many of each, three at least.
SpeedUp speed_up_in(std::span<const double> before, std::span<const double> after);

}  // namespace lp
