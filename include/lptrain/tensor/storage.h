// The memory that tensors left behind.
#pragma once

namespace lp {

// Gives the system what no tensor holds. The next tensors have to ask for it again.
void release_idle_memory();

}  // namespace lp
