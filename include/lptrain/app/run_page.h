// A run as a page to read: what came out, how it went, what it confuses, what it costs, and how to repeat it.
#pragma once
#include <string>

#include "lptrain/app/run_story.h"

namespace lp {

// An HTML file that needs nothing else. The model holds the weights that the page is about; it is looked at if the run is
// finished.
std::string run_page(const RunStory& story, const RunConfig& config, const Dataset& data, Model& model);

}  // namespace lp
