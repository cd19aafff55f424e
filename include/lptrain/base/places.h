// Where the files that come with the program are looked for.
#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

namespace lp {

// Folders that may hold "models", "datasets" or "configs", in order: the current folder's, then those that came with the program:
// beside its build folder, as installed (share/lptrain), and in the source it was built from. They need not exist.
std::vector<std::filesystem::path> places(std::string_view kind);

}  // namespace lp
