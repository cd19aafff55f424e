// A run: from a config to a run folder, without global state.
#pragma once
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/train/trainer.h"

namespace lp {

struct RunOptions {
  std::string out;                   // the folder, exactly; must be new or empty. "": runs/<name>-<time>
  std::string data;                  // --data
  std::vector<std::string> command;  // the command line, for meta.json
  std::vector<Watch*> watches;
};

// summary.json: what a table cell needs.
struct Summary {
  std::string name, status;  // "finished", "interrupted", "diverged"
  std::string run;           // the folder
  int64_t epochs = 0;
  double seconds = 0;
  Score train, validation, test;  // the last epoch's model; train as measured while training
  struct Selected {
    int64_t epoch = 0;
    Score validation, test;
    void fields(Fields& f);
  };
  Selected best;  // selected by validation, never by test
  int64_t parameters = 0, weight_bytes = 0, macs = 0;
  double bits_per_weight = 0;
  void fields(Fields& f);
};

// Trains from the start, or goes on inside an existing folder. Leaves config.json meta.json metrics.jsonl log.txt
// best.safetensors last.safetensors last.state summary.json curve.svg. Throws Error as the trainer does, with the folder in a
// consistent state.
Summary start_run(const RunConfig& config, const RunOptions& options, const std::atomic<int>& stop);
Summary resume_run(const std::filesystem::path& folder, const RunOptions& options, const std::atomic<int>& stop);

// A trained model with what it was trained on.
struct Trained {
  RunConfig config;
  Dataset data;
  std::unique_ptr<Model> model;
  std::filesystem::path file;
};
// From a run folder (best.safetensors unless `last`) or a weights file.
Trained load_trained(const std::filesystem::path& run_or_file, bool last, const std::string& data_folder,
                     std::span<const std::string> assignments = {});

}  // namespace lp
