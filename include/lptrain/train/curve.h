// The learning curve of a run as a picture.
#pragma once
#include <span>
#include <string>

#include "lptrain/train/events.h"

namespace lp {

// A self-contained SVG: accuracy above, loss below, over epochs; training dashed, validation solid; phases are separated by a
// line.
std::string curve_svg(std::span<const EpochScores> history, const std::string& title);

}  // namespace lp
