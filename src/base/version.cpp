// Version, commit and compiler, as the build told them.
#include "lptrain/base/version.h"

namespace lp {

std::string version() { return LPTRAIN_VERSION; }
std::string commit() { return LPTRAIN_COMMIT; }
std::string compiler() { return LPTRAIN_COMPILER; }

}  // namespace lp
