// Models and runs on disk.
#pragma once
#include <filesystem>
#include <string>

#include "lptrain/train/safetensors.h"
#include "lptrain/train/trainer.h"

namespace lp {

// Parameters and buffers of a model under their names; metadata "config" holds the resolved config (so a weights file needs
// nothing else), "input" and "classes" what the data looked like.
void save_weights(const std::filesystem::path& file, Model& model, const RunConfig& config, const Dataset& data);
// Every tensor of the model must be there with its shape; a tensor the model does not know is an error, too, unless `partial`.
// Throws Error(data).
void load_weights(const TensorFile& file, const std::string& name, Model& model, bool partial = false);

// What resume needs besides the weights: optimizer slots, and Progress as JSON in the metadata. It also carries the weights, so
// that one rename makes a consistent checkpoint.
void save_state(const std::filesystem::path& file, Trainer& trainer);
void load_state(const std::filesystem::path& file, Trainer& trainer);

}  // namespace lp
