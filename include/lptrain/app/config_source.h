// From what a command was given to the config that it means.
#pragma once
#include <filesystem>
#include <string>

#include "lptrain/app/command.h"
#include "lptrain/train/config.h"

namespace lp {

// Is the word a config rather than a command's name: it ends in .json, or there is such a file?
bool looks_like_config(const std::string& word);

// The file: as named, else among the configs that came with the program ("cnn_int8", "configs/cnn_int8.json" from anywhere).
// Throws Error(usage) with a suggestion.
std::filesystem::path find_config(const std::string& name);
// Names of the JSON files in a folder (of each place): "", "tables". Sorted.
std::vector<std::string> shipped_configs(const std::string& folder = "");

// What a config file, a run folder (its config.json) or a weights file (the config in it) says, unchecked.
Document document_of(const std::string& source);

// The same with --set, --seed, --limit and --init-from applied (those that the command has), checked.
RunConfig config_of(const std::string& source, const Arguments& arguments);

// --set, --limit and --seed as texts of --set.
std::vector<std::string> assignments_of(const Arguments& arguments);

// --threads: for all loops from here on.
void apply_threads(const Arguments& arguments);

}  // namespace lp
