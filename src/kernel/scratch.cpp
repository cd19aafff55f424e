// Keeps each thread's temporary arrays between calls.
#include "scratch.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

namespace lp {
namespace {

constexpr std::align_val_t kAlignment{64};

struct Free {
  void operator()(void* p) const { ::operator delete(p, kAlignment); }
};
struct Block {
  std::unique_ptr<void, Free> memory;
  size_t bytes;
  bool busy;
};

std::vector<Block>& blocks() {
  thread_local std::vector<Block> mine;
  return mine;
}

}  // namespace

// The smallest idle block that is large enough; else a new one, in place of the largest idle block (which is too small).
void* acquire_scratch(size_t bytes) {
  Block *fits = nullptr, *largest_idle = nullptr;
  for (Block& b : blocks()) {
    if (b.busy) continue;
    if (b.bytes >= bytes && (!fits || b.bytes < fits->bytes)) fits = &b;
    if (!largest_idle || b.bytes > largest_idle->bytes) largest_idle = &b;
  }
  if (!fits) {
    const size_t size = (std::max<size_t>(bytes, 64) + 63) / 64 * 64;
    fits = largest_idle ? largest_idle : &blocks().emplace_back();
    fits->bytes = 0;
    fits->memory.reset();
    fits->memory.reset(::operator new(size, kAlignment));
    fits->bytes = size;
  }
  fits->busy = true;
  return fits->memory.get();
}

void release_scratch(void* memory) {
  for (Block& b : blocks())
    if (b.memory.get() == memory) b.busy = false;
}

}  // namespace lp
