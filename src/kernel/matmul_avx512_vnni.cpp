// The matrix product of bytes on AVX512-VNNI: exact for every pair of signs, and with accumulation.
#ifdef __AVX512VNNI__
#include <algorithm>

#include "bytes.h"
#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "rows.h"
#include "scratch.h"
#include "vnni_tile.h"

namespace lp {
namespace {

using vnni::kPanel;
using vnni::kRows;

constexpr int64_t kBlockRows = 4 * kRows;  // of a task: they reuse a panel while it is in the cache

// op(b) packed by panels, with where the sums of each column start.
struct Packed {
  Packed(const MatmulKey& key, const uint8_t* b, bool flipped)
      : quads((key.k + 3) / 4), panels((key.n + kPanel - 1) / kPanel), bytes(panels * panel_bytes()), start(panels * kPanel) {
    parallel_for(panels, 1, [&](int64_t p) {
      const int64_t columns = std::min(kPanel, key.n - p * kPanel);
      if (key.transpose_b)
        vnni::pack_columns(b + p * kPanel * key.k, key.k, key.k, columns, panel(p));
      else
        vnni::pack_rows(b + p * kPanel, key.n, key.k, columns, panel(p));
      vnni::start_of(panel(p), quads, columns, key.b == DType::i8, flipped, &start[p * kPanel]);
    });
  }
  int64_t panel_bytes() const { return quads * 4 * kPanel; }
  uint8_t* panel(int64_t p) const { return bytes.data() + p * panel_bytes(); }

  int64_t quads, panels;
  Scratch<uint8_t> bytes;
  Scratch<int32_t> start;
};

// op(a) as rows of whole quads in the signedness that goes with b: a itself if it is that already.
class Rows {
 public:
  Rows(const MatmulKey& key, const uint8_t* a, bool flipped)
      : stride((key.k + 3) / 4 * 4),
        copied_(flipped || key.transpose_a || key.k % 4 != 0),
        transposed_(size(key.transpose_a, key)),
        own_(size(copied_, key)),
        data(copied_ ? own_.data() : a) {
    if (!copied_) return;
    if (key.transpose_a) transpose_bytes(key.k, key.m, a, transposed_.data());
    const uint8_t* rows = key.transpose_a ? transposed_.data() : a;
    const uint8_t flip = flipped ? kSignBit : 0;
    parallel_for(key.m, 16, [&](int64_t m) {
      uint8_t* row = own_.data() + m * stride;
      flip_bytes(rows + m * key.k, key.k, flip, row);
      std::fill(row + key.k, row + stride, uint8_t(0));
    });
  }

  int64_t stride;

 private:
  int64_t size(bool needed, const MatmulKey& key) const { return needed ? key.m * stride : 0; }
  bool copied_;
  Scratch<uint8_t> transposed_, own_;

 public:
  const uint8_t* data;
};

}  // namespace

const char* matmul_vnni_refuses(const MatmulKey& key) { return is_byte(key.a) ? nullptr : "takes i8 and u8"; }

void matmul_vnni(const MatmulKey& key, const void* a, const void* b, void* c) {
  const bool signed_b = key.b == DType::i8, flipped = key.a == key.b;
  const Rows rows(key, static_cast<const uint8_t*>(a), flipped);
  const Packed packed(key, static_cast<const uint8_t*>(b), flipped);
  const Walk walk{.quads = packed.quads};
  const int64_t blocks = (key.m + kBlockRows - 1) / kBlockRows;
  parallel_for(packed.panels * blocks, 1, [&](int64_t task) {
    const int64_t panel = task / blocks, first = task % blocks * kBlockRows, last = std::min(key.m, first + kBlockRows);
    const int64_t columns = std::min(kPanel, key.n - panel * kPanel);
    for (int64_t m = first; m < last; m += kRows) {
      const int64_t height = std::min<int64_t>(kRows, last - m);
      const uint8_t* row[kRows];
      for (int64_t i = 0; i < height; ++i) row[i] = rows.data + (m + i) * rows.stride;
      const Target target{static_cast<int32_t*>(c) + m * key.n + panel * kPanel, key.n, columns, key.accumulate};
      vnni::tile_for(height, columns, signed_b)(row, walk, packed.panel(panel), &packed.start[panel * kPanel], target);
    }
  });
}

}  // namespace lp
#endif
