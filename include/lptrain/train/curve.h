// The learning curve of a run as a picture.
#pragma once
#include <span>
#include <string>

#include "lptrain/base/plot.h"
#include "lptrain/train/events.h"

namespace lp {

// Over epochs: training dashed, validation solid (if there are such examples); phases are separated by a line.
Plot accuracy_curve(std::span<const EpochScores> history);
Plot loss_curve(std::span<const EpochScores> history);

// Epochs 1, 2 ... of all phases.
PlotAxis epoch_axis(size_t epochs);

// Both, as a file.
std::string curve_svg(std::span<const EpochScores> history, const std::string& title);

}  // namespace lp
