// Files out of a tar archive held in memory.
#pragma once
#include <string>
#include <string_view>

namespace lp {

// The content of a regular file of an archive (POSIX.1-1988 ustar and the older form; long names of GNU and pax are passed over).
// A missing member, a wrong header checksum or an early end is Error(data) naming `file` and byte.
std::string_view tar_member(std::string_view archive, std::string_view member, std::string_view file);

}  // namespace lp
