// What a run folder tells of its run.
#pragma once
#include <filesystem>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/train/run.h"

namespace lp {

struct RunStory {
  Summary summary;
  Document config, meta;
  std::vector<EpochScores> history;
};

// Throws Error(data) naming the file that is missing or damaged. `summary`: before it is written.
RunStory run_story(const std::filesystem::path& folder);
RunStory run_story(const std::filesystem::path& folder, const Summary& summary);

}  // namespace lp
