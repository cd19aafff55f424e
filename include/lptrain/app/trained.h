// What eval and predict begin with: a trained model and a split of its data.
#pragma once
#include <chrono>
#include <string>

#include "lptrain/app/command.h"
#include "lptrain/train/run.h"

namespace lp {

// RUN with --last, --data, --set and --limit (those that the command has).
Trained trained_of(const Arguments& arguments);

// A network, and what a run made of it (its last epoch, if asked), both beside the data of that run: scored on the same examples.
struct TrainedPair {
  Trained before, after;
};
TrainedPair trained_pair(const std::string& source, const std::string& run, bool last, const std::string& data_folder);

std::string split_name(const Arguments& arguments);                    // --split, or "test"; throws Error(usage) on other words
Score score_of(const Trained& t, const Subset& split);                 // with the last phase's loss; nothing of an empty split
const Subset& split_of(const Dataset& data, const std::string& name);  // throws Error(usage) if it holds no examples

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace lp
