// A run's network made physically smaller: the config of what comes out, and what it gained and lost.
#pragma once
#include <string>
#include <vector>

#include "lptrain/deploy/coding.h"
#include "lptrain/deploy/latency.h"
#include "lptrain/train/run.h"

namespace lp {

// begun_from the run (app/begun_from.h): channels that are pruned as a whole taken out, then layers factored, if asked; then so
// many epochs. Assignments (--set) are applied.
RunConfig shrunk_config(const std::string& run, const std::optional<LowRank>& low_rank, int64_t epochs,
                        const std::vector<std::string>& assignments);

// What a network takes, counted.
struct NetworkSize {
  int64_t parameters = 0, macs = 0;
  StoredBytes bytes;  // of its tensors, packed
  Score validation, test;
  void fields(Fields& f);
};

struct ShrunkRun {
  std::string status = "finished", run, source;
  NetworkSize before, after;
  struct Latencies {
    SpeedUp batch_1, batch_64;
    void fields(Fields& f);
  };
  Latencies latency;  // measured by turns
  void fields(Fields& f);
  std::string text() const;
};
// Measures both in this process.
ShrunkRun compare_shrunk(const std::string& source, const std::string& run, const std::string& data);

}  // namespace lp
