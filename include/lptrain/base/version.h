// Which lptrain this is.
#pragma once
#include <string>

namespace lp {

std::string version();   // "0.1.0"
std::string commit();    // of the source it was built from, "+" appended if files differed; "" if unknown
std::string compiler();  // "GCC 12.2.0, Release"

}  // namespace lp
