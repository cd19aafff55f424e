// Version, commit and compiler, as the build told them.
#include "lptrain/base/version.h"

#include "commit.h"  // made by commit.cmake

namespace lp {

std::string version() { return LPTRAIN_VERSION; }
std::string commit() { return kCommit; }
std::string compiler() { return LPTRAIN_COMPILER; }

}  // namespace lp
