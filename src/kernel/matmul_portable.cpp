// The f32 and f64 matrix product in plain C++: register tiles over packed columns, on any machine.
#include <algorithm>

#include "lptrain/base/parallel.h"
#include "rows.h"
#include "scratch.h"

namespace lp {
namespace {

constexpr int64_t kTileRows = 4;

template <class T>
struct Tile {
  static constexpr int64_t kColumns = 32 / sizeof(T);
  typedef T Vector __attribute__((vector_size(32), aligned(alignof(T))));
};

// The columns of op(b) in panels of kColumns, each [k, kColumns], the last one filled up with zeros.
template <class T>
void pack_panel(const MatmulKey& key, const T* b, int64_t panel, T* packed) {
  constexpr int64_t width = Tile<T>::kColumns;
  const int64_t column = key.transpose_b ? key.k : 1, step = key.transpose_b ? 1 : key.n;
  for (int64_t k = 0; k < key.k; ++k)
    for (int64_t j = 0; j < width; ++j) {
      const int64_t n = panel * width + j;
      packed[k * width + j] = n < key.n ? b[n * column + k * step] : T(0);
    }
}

// Rows [m, m + rows) of c, in the columns of one panel. Rows beyond the matrix repeat the last one and are not stored.
template <class T>
void tile(const MatmulKey& key, const T* a, const T* packed, int64_t m, int64_t panel, T* c) {
  using V = typename Tile<T>::Vector;
  constexpr int64_t width = Tile<T>::kColumns;
  const int64_t row = key.transpose_a ? 1 : key.k, step = key.transpose_a ? key.m : 1;
  const int64_t rows = std::min(kTileRows, key.m - m), columns = std::min(width, key.n - panel * width);
  const T* r[kTileRows];
  for (int64_t i = 0; i < kTileRows; ++i) r[i] = a + (m + std::min(i, rows - 1)) * row;
  V sum[kTileRows] = {};
  for (int64_t k = 0; k < key.k; ++k) {
    const V b = *reinterpret_cast<const V*>(packed + k * width);
    for (int64_t i = 0; i < kTileRows; ++i) sum[i] += r[i][k * step] * b;
  }
  for (int64_t i = 0; i < rows; ++i) {
    T* y = c + (m + i) * key.n + panel * width;
    for (int64_t j = 0; j < columns; ++j) y[j] = key.accumulate ? y[j] + sum[i][j] : sum[i][j];
  }
}

template <class T>
void product(const MatmulKey& key, const T* a, const T* b, T* c) {
  constexpr int64_t width = Tile<T>::kColumns;
  const int64_t panels = (key.n + width - 1) / width, panel_size = key.k * width;
  const Scratch<T> memory(panels * panel_size);
  T* packed = memory.data();
  parallel_for(panels, 1, [&](int64_t p) { pack_panel(key, b, p, packed + p * panel_size); });
  parallel_for((key.m + kTileRows - 1) / kTileRows, 1, [&](int64_t i) {
    for (int64_t p = 0; p < panels; ++p) tile(key, a, packed + p * panel_size, i * kTileRows, p, c);
  });
}

}  // namespace

const char* matmul_portable_refuses(const MatmulKey& key) { return is_real(key.a) ? nullptr : "takes f32 and f64"; }

void matmul_portable(const MatmulKey& key, const void* a, const void* b, void* c) {
  visit_real(key.a, [&]<class T>() { product(key, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(c)); });
}

}  // namespace lp
