// From a sweep to its jobs: every config resolved and checked before the first one runs.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "lptrain/app/sweep_axes.h"

namespace lp {

// One config of the grid, for all seeds.
struct SweepCell {
  Points points;
  Document config;       // without defaults; seed and name are the job's
  std::string identity;  // everything that decides what comes out, but for the seed: digests, model, config
  int64_t epochs = 0;
  double work = 0;  // multiply-accumulates of all its forward passes in training: what time is estimated by
};

struct SweepJob {
  size_t cell = 0;
  int64_t seed = 0;
  std::string name;  // "int8 cnn seed 2"
  std::string key;   // of the resolved config, the data and the version: runs with the same key are the same run
  std::string stem;  // of its files: the name in safe characters, and the beginning of the key
};

struct SweepPlan {
  std::vector<Axis> axes;
  std::vector<SweepCell> cells;
  std::vector<SweepJob> jobs;  // by cell, then by seed
  // The labels of a cell: axis -> point.
  Dictionary<std::string> labels(const SweepCell& cell) const;
  // The config of a job: what `lptrain train` is given.
  Document config(const SweepJob& job) const;
};

// Throws before anything runs, all mistakes at once: Error(usage) for the grid and the configs (unknown paths, wrong values,
// models that cannot be built, cells that are the same run), Error(data) for data sets that are not here.
// Only cells that the sweep's own "only" and these patterns select become jobs; the configs of all are checked.
SweepPlan plan_sweep(const SweepSpec& spec, const std::vector<std::string>& only, const std::string& data_folder);

}  // namespace lp
