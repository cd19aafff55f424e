// The caching allocator behind every tensor: blocks by size class, returned to their class when the last handle goes.
#include "lptrain/tensor/storage.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "lptrain/tensor/tensor.h"

namespace lp {
namespace {

// Size classes are eighths of a power of two, so that at most an eighth of a block is wasted.
int64_t size_class(int64_t bytes) {
  if (bytes <= 64) return 64;
  const int64_t step = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(bytes))) / 16;
  const int64_t granule = step < 64 ? 64 : step;
  return (bytes + granule - 1) / granule * granule;
}

constexpr int64_t kHugePage = int64_t{1} << 21;

// Large blocks lie on huge pages where the system has them: a pass over memory then spends no time on looking up pages.
std::byte* from_system(int64_t bytes) {
  if (bytes < kHugePage) return static_cast<std::byte*>(std::aligned_alloc(64, static_cast<size_t>(bytes)));
  void* block = nullptr;
  if (posix_memalign(&block, kHugePage, static_cast<size_t>(bytes)) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  madvise(block, static_cast<size_t>(bytes / kHugePage * kHugePage), MADV_HUGEPAGE);
#endif
  return static_cast<std::byte*>(block);
}

struct Pool {
  std::mutex mutex;
  std::map<int64_t, std::vector<std::byte*>> free_blocks;
  MemoryUse use{};

  std::byte* take(int64_t bytes) {
    const std::lock_guard lock(mutex);
    use.live_bytes += bytes;
    use.peak_bytes = std::max(use.peak_bytes, use.live_bytes);
    auto& blocks = free_blocks[bytes];
    if (blocks.empty()) return fresh(bytes);
    std::byte* block = blocks.back();
    blocks.pop_back();
    return block;
  }

  std::byte* fresh(int64_t bytes) {
    std::byte* block = from_system(bytes);
    if (!block) {
      release_all();
      block = from_system(bytes);
    }
    if (!block) {
      use.live_bytes -= bytes;
      fail(ErrorKind::failure, "out of memory: a tensor needs {} bytes while {} are in use; try a smaller batch", bytes,
           use.live_bytes);
    }
    use.system_bytes += bytes;
    ++use.system_requests;
    return block;
  }

  void give_back(std::byte* block, int64_t bytes) {
    const std::lock_guard lock(mutex);
    use.live_bytes -= bytes;
    free_blocks[bytes].push_back(block);
  }

  void release_all() {
    for (auto& [bytes, blocks] : free_blocks) {
      for (std::byte* b : blocks) std::free(b);
      use.system_bytes -= bytes * static_cast<int64_t>(blocks.size());
      blocks.clear();
    }
  }
};

// Never destroyed: tensors in static objects may outlive any order of destruction.
Pool& pool() {
  static Pool* const p = new Pool;
  return *p;
}

}  // namespace

std::shared_ptr<Storage> Storage::allocate(int64_t bytes) {
  const int64_t size = size_class(bytes);
  return std::shared_ptr<Storage>(new Storage(pool().take(size), size));
}

Storage::~Storage() { pool().give_back(bytes_, size_); }

MemoryUse memory_use() {
  const std::lock_guard lock(pool().mutex);
  return pool().use;
}

void release_idle_memory() {
  const std::lock_guard lock(pool().mutex);
  pool().release_all();
}

void reset_peak() {
  const std::lock_guard lock(pool().mutex);
  pool().use.peak_bytes = pool().use.live_bytes;
}

}  // namespace lp
