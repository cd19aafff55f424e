// What the program does when a run is over: it packs the weights, measures what inference takes, and writes the report.
#pragma once
#include <functional>

#include "lptrain/train/run.h"

namespace lp {

// For RunOptions::at_end. A finished run gets packed.safetensors, and its size in the summary; finished and diverged ones get
// report.html. Latency only if asked for: it takes half a second, and means little while other jobs share the cores.
std::function<void(RunEnd&)> run_end(bool measures_latency);

// Measures it afterwards: into the summary and the report of a finished run, of that config and data.
void add_latency(const std::filesystem::path& folder, const RunConfig& config, const Dataset& data);

}  // namespace lp
