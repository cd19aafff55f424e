// What a finished run says of itself, read from its folder for tables, lists and comparisons.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/train/events.h"

namespace lp {

struct RunRecord {
  Dictionary<std::string> labels;  // axis -> point; of a run that stands alone: run -> its name
  int64_t seed = 0;
  std::filesystem::path folder;
  std::string status;   // waiting, started, finished, diverged
  Document summary;     // {} unless there is one
  std::string version;  // of lptrain; "" if it is not over
};

// How lptrain names what made a run: "0.1.0 (a72145d)".
std::string own_version();                                        // of this program
std::string version_of_run(const std::filesystem::path& folder);  // of the one that began the run; "" if none did

// Each version that made runs, in order, and how many. As text "0.1.0 (a72145d): 40 runs, 0.1.0 (c00cfd4): 26 runs"; of one alone
// its name.
using Versions = Dictionary<int64_t>;
Versions versions_of(const std::vector<RunRecord>& runs);
std::string versions_text(const Versions& versions);

// The lines of its metrics.jsonl. Throws Error(data) with file and line.
std::vector<EpochScores> read_metrics(const std::filesystem::path& run);

// Where a run stands, from what its folder holds: "waiting", "started", "finished" or "diverged".
std::string status_of_run(const std::filesystem::path& run);

// The runs of sweeps' folders, and run folders themselves, in order. Throws Error(usage) for folders that are neither,
// Error(data) for damaged ones and for runs that check_selection refuses.
std::vector<RunRecord> read_records(const std::vector<std::string>& folders);

// The formats of the weights and activations of a run's last phase, but for layers with their own: "int8/uint8". An axis that
// every run has.
inline constexpr const char* kFormatsAxis = "W/A";

// The label of a run on an axis, or, if it has none, what its config says at that path, be it by default. Throws Error(usage) if
// neither exists.
std::string label_of(const RunRecord& run, const std::string& axis);

// Recomputes from metrics.jsonl which epoch validation selects. Throws Error(data) if the summary's "best" is another one, or has
// another validation score: a number that was selected in any other way (by the test split, say) does not come into a table.
void check_selection(const Document& summary, const std::filesystem::path& run);

}  // namespace lp
