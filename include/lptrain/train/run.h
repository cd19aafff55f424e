// A run: from a config to a run folder, without global state.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/train/summary.h"
#include "lptrain/train/trainer.h"

namespace lp {

struct RunEnd;

struct RunOptions {
  std::string out;                   // the folder, exactly; must be new or empty. "": runs/<name>-<time>
  std::string data;                  // --data
  std::vector<std::string> command;  // the command line, for meta.json
  std::vector<Watch*> watches;
  // Called when training is over and tested, before summary.json is written: for those above who measure and report.
  std::function<void(RunEnd&)> at_end = {};
};

// A run that is over: "finished", with the weights that validation selects in the model, or "diverged", as it stands.
struct RunEnd {
  const RunConfig& config;
  const Dataset& data;
  Model& model;
  const std::filesystem::path& folder;
  Summary& summary;  // to be completed
};

// Trains from the start, or goes on inside an existing folder. Leaves config.json meta.json metrics.jsonl log.txt
// best.safetensors last.safetensors last.state summary.json curve.svg; phase-1.safetensors and so on, of phases that another
// followed; teacher-1 and so on, runs of teachers that its config describes. Throws Error as the trainer does, with the folder in
// a consistent state.
Summary start_run(const RunConfig& config, const RunOptions& options, const std::atomic<int>& stop);
Summary resume_run(const std::filesystem::path& folder, const RunOptions& options, const std::atomic<int>& stop);

// The weights file of a run folder: the best epoch's if there is one, unless the last is asked for. A file is itself.
std::filesystem::path weights_file(const std::filesystem::path& run_or_file, bool last);

// Takes the weights that config.init_from names, if any, into a new model of that config. Lines for people: what was taken, what
// kept its initial value and why. Throws Error(data) as load_matching does.
std::vector<std::string> initialize(const RunConfig& config, Model& model);

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
// Its model alone, for those who hold its data already.
std::unique_ptr<Model> load_model(const std::filesystem::path& run_or_file, bool last, const Dataset& data);
// The config that a weights file holds. Throws Error(data) if there is none.
RunConfig config_in(const TensorFile& weights, const std::filesystem::path& file, std::span<const std::string> assignments = {});

}  // namespace lp
