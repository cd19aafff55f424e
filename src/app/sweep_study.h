// Several runs, grouped and measured: what a sweep's page speaks of.
#pragma once
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/app/reproduction.h"
#include "lptrain/app/table.h"

namespace lp {

// One group of runs, measured.
struct Measured {
  std::string name;
  double accuracy = NAN, deviation = 0, bits = NAN, bytes = NAN, operations = NAN;  // accuracy 0..1
  int64_t seeds = 0;
};
// Groups with the same labels on the column axes: they compete.
struct Series {
  std::string name;
  std::vector<Measured> members;
};

// One of the tables that the runs fill.
struct Chapter {
  std::string heading;
  Table table;
};

struct Study {
  std::string name, description, baseline;
  std::vector<RunRecord> runs;
  std::vector<Chapter> chapters;  // accuracies, as the sweep lays them out; differences; costs
  std::vector<Series> series;
  std::string source = {};  // the sweep as JSON; "" of folders that are none
  std::vector<std::string> discussion = {};
  Reproduction reproduction = {};  // no cells, if the sweep publishes nothing
};

// Throws Error(data) if no run is finished or one is damaged.
Study study_of(const std::filesystem::path& folder);

}  // namespace lp
