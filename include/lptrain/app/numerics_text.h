// The counters of a run for people: as tables, in words with what may help, and as pictures.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "lptrain/app/console.h"
#include "lptrain/base/plot.h"
#include "lptrain/train/events.h"

namespace lp {

// Something that is worth a word: what was found where, and what to try.
struct Remark {
  std::vector<std::string> layers;  // the gravest first
  std::vector<double> shares;       // of the numbers concerned, for each of them
  std::string role;                 // a word of Role, "updates" or "loss scale"
  std::string finding;              // "of the values that are not 0 become 0 in e5m2"
  std::string remedy;               // "try loss scaling (--set train.loss_scale=dynamic)"
  double gravest() const { return shares.empty() ? 0 : shares.front(); }
  // "conv2 errors: 31 % of the values that are not 0 become 0 in e5m2; try loss scaling ..."
  std::string sentence() const;
  void fields(Fields& f);
};

// On the last epoch, by the table of rules in the .cpp; the gravest first. On updates, over all of that epoch's phase. Nothing
// without counters.
std::vector<Remark> remarks_on(std::span<const EpochScores> history);

// The first row is the heading; layers in the order of the network.
Cells role_cells(const Numerics& numerics);
Cells update_cells(const Numerics& numerics);
Cells sum_cells(const Numerics& numerics);
std::string loss_scale_text(const Numerics& numerics);  // "65536 from step 0, 32768 from step 17"; "" without one

// Over epochs, a line for each of the layers that stand out most: shares of updates lost, of errors that become 0. And the loss
// scale over steps. Those for which there is nothing to show are left out.
std::vector<Plot> numerics_plots(std::span<const EpochScores> history);

}  // namespace lp
