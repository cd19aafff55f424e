// Finding what came with the program, wherever it was put.
#include "lptrain/base/places.h"

#include <algorithm>

namespace lp {

std::vector<std::filesystem::path> places(std::string_view kind) {
  namespace fs = std::filesystem;
  std::vector<fs::path> list{kind};
  std::error_code error;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", error); !error) {
    const fs::path above = program.parent_path().parent_path();
    list.push_back(above / kind);
    list.push_back(above / "share" / "lptrain" / kind);
  }
  const fs::path source = fs::path(LPTRAIN_SOURCE) / kind;
  if (std::ranges::find(list, source) == list.end()) list.push_back(source);
  return list;
}

}  // namespace lp
