// The lowest precision that still meets a requirement: trainings, one after another, that a strategy asks for.
#pragma once
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/app/console.h"
#include "lptrain/app/search_space.h"
#include "lptrain/train/run.h"

namespace lp {

enum class Goal : uint8_t { bits, bytes, bitops };
template <>
struct Words<Goal> {
  static constexpr std::string_view list[] = {"bits", "bytes", "bitops"};
};

// search.json of the folder: what is searched for. A folder is gone on with only if it says the same.
struct SearchSpec {
  Document config;                   // the base, complete
  double min_accuracy = 0;           // of the validation examples, in the epoch that validation selects
  Goal minimize = Goal::bits;        // bits a weight, bytes of packed.safetensors, or bit-operations of an example
  std::vector<std::string> formats;  // from wide to narrow
  int64_t budget = 24;               // trainings
  void fields(Fields& f);
};

struct SearchTrial {
  std::string precision, run;  // the run's folder
  double validation = 0;       // 0 if it diverged
  double cost = 0;             // in the unit of the goal
  bool meets = false;
  void fields(Fields& f);
};

struct SearchResult {
  std::string status;                     // finished, unreachable, interrupted
  std::string folder, config, precision;  // config: of the answer, which runs as it is
  double validation = 0;
  std::optional<double> test;  // of the answer alone; nothing was decided by it
  double cost = 0;
  std::string minimize;
  std::vector<SearchTrial> trials;  // the path
  void fields(Fields& f);
};

// Says the budget (trainings, time), then trains, in folder/runs; what is there already is not trained again. When `stop` is not
// 0, the training under way saves and ends. Leaves search.json and, if the requirement can be met, best.json.
SearchResult run_search(const SearchSpec& spec, const std::filesystem::path& folder, const std::string& data,
                        const Console& console, const std::atomic<int>& stop);

}  // namespace lp
