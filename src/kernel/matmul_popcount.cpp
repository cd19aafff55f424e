// The matrix product of codes with few levels: rows of bits against panels of bits.
#include <algorithm>

#include "bit_panels.h"
#include "bytes.h"
#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "scratch.h"

namespace lp {
namespace {

constexpr int64_t kBlockTiles = 4;  // of rows in a task: they reuse a panel while it is in the cache
constexpr int64_t kMostRows = 16;   // of a tile

// A matrix of bytes with rows of k: itself, or its transpose in memory of its own.
class Straight {
 public:
  Straight(const void* codes, int64_t rows, int64_t k, bool is_transposed)
      : own_(is_transposed ? rows * k : 0), data(is_transposed ? own_.data() : static_cast<const uint8_t*>(codes)) {
    if (is_transposed) transpose_bytes(k, rows, static_cast<const uint8_t*>(codes), own_.data());
  }

 private:
  Scratch<uint8_t> own_;

 public:
  const uint8_t* data;
};

}  // namespace

const char* matmul_popcount_refuses(const MatmulKey& key) { return counting_refuses(key.a, key.levels_a, key.levels_b, key.k); }

void matmul_popcount_on(const BitLoops& loops, const MatmulKey& key, const void* a, const void* b, void* c) {
  const Straight left(a, key.m, key.k, key.transpose_a), right(b, key.n, key.k, !key.transpose_b);
  const Pieces whole{1, 1, key.k};
  const BitPanels panels(loops, key.levels_a, whole, key.n, right.data);
  const Planes planes = planes_of(key.levels_a);
  const BitRows how{{.quads = whole.words()}, planes.count, 4 * whole.words(), planes.ratio, planes.factor};
  const int64_t row_bytes = how.planes * how.plane_stride;
  const Scratch<uint8_t> rows(key.m * row_bytes);
  parallel_for(key.m, 16, [&](int64_t m) {
    for (int64_t i = 0; i < planes.count; ++i)
      loops.pack(left.data + m * key.k, key.k, planes.high - static_cast<int>(i), &rows[m * row_bytes + i * how.plane_stride]);
  });
  const int64_t block = kBlockTiles * loops.rows, blocks = (key.m + block - 1) / block;
  parallel_for(panels.count() * blocks, 1, [&](int64_t task) {
    const int64_t begin = task % blocks * block, end = std::min(key.m, begin + block);
    for (int64_t m = begin; m < end; m += loops.rows) {
      const int64_t height = std::min(loops.rows, end - m);
      const uint8_t* row[kMostRows];
      for (int64_t i = 0; i < height; ++i) row[i] = &rows[(m + i) * row_bytes];
      panels.multiply(task / blocks, height, row, how, key.accumulate, static_cast<int32_t*>(c) + m * key.n);
    }
  });
}

}  // namespace lp
