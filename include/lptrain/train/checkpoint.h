// Models and runs on disk.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/train/safetensors.h"
#include "lptrain/train/trainer.h"

namespace lp {

// Parameters and buffers of a model under their names; metadata "config" holds the resolved config (so a weights file needs
// nothing else), "input" and "classes" what the data looked like.
void save_weights(const std::filesystem::path& file, Model& model, const RunConfig& config, const Dataset& data);
// Every tensor of the model must be there with its shape; a tensor the model does not know is an error, too. Throws Error(data).
void load_weights(const TensorFile& file, const std::string& name, Model& model);

// What a model took from a file of another one, tensors with their shapes.
struct Loaded {
  int64_t taken = 0, weights_taken = 0, wanted = 0;
  std::vector<std::string> missing;              // of the model, not in the file
  std::vector<std::string> unlike;               // of the model, of another shape in the file
  std::vector<std::string> unused;               // of the file, not in the model
  std::vector<std::string> differences() const;  // the three as lines for people; none if the file is this model's
};
// Takes every tensor that has the name and shape of one of the model; the model's others keep their values. Throws Error(data)
// if no weight (two axes or more) is among them: then it is the file of another network.
Loaded load_matching(const TensorFile& file, const std::string& name, Model& model);

// The tensors of a model, copied: what load_weights() brings back.
TensorFile snapshot_of(Model& model);

// What resume needs besides the weights: optimizer slots, the network that a search for bits kept, and Progress as JSON in the
// metadata. It also carries the weights, so that one rename makes a consistent checkpoint.
void save_state(const std::filesystem::path& file, Trainer& trainer);
void load_state(const std::filesystem::path& file, Trainer& trainer);
// Its Progress alone. Throws Error(data) if that is missing or damaged.
Progress progress_in(const TensorFile& state, const std::filesystem::path& file);

}  // namespace lp
