// Narrow operands on the f32 or f64 product: exact, because each sum stays where that type holds every integer.
#include <algorithm>

#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "rows.h"
#include "scratch.h"
#include "widen.h"

namespace lp {
namespace {

constexpr int64_t kExactBytes = 256;         // 255 * 255 * 256 < 2^24, so a chunk of bytes is exact in f32
constexpr int64_t kBlockElements = 1 << 18;  // of a, widened at a time

template <class T, class W>
void widen_row(int64_t n, const T* from, W* to) {
  for (int64_t j = 0; j < n; ++j) to[j] = static_cast<W>(wide(from[j]));
}
void widen_row(int64_t n, const F16* from, float* to) { widen_halves(DType::f16, n, from, to); }
void widen_row(int64_t n, const Bf16* from, float* to) { widen_halves(DType::bf16, n, from, to); }

// A rows x columns window of a dense matrix, made dense.
template <class T, class W>
void widen(const T* from, int64_t stride, int64_t rows, int64_t columns, W* to) {
  parallel_for(rows, std::max<int64_t>(1, 4096 / columns),
               [&](int64_t i) { widen_row(columns, from + i * stride, to + i * columns); });
}

// Rows [m0, m0 + m) and terms [k0, k0 + k) of op(a).
template <class T, class W>
void widen_a(const MatmulKey& key, const T* a, int64_t m0, int64_t m, int64_t k0, int64_t k, W* to) {
  if (key.transpose_a)
    widen(a + k0 * key.m + m0, key.m, k, m, to);
  else
    widen(a + m0 * key.k + k0, key.k, m, k, to);
}

template <class T, class W>
void widen_b(const MatmulKey& key, const T* b, int64_t k0, int64_t k, W* to) {
  if (key.transpose_b)
    widen(b + k0, key.k, key.n, k, to);
  else
    widen(b + k0 * key.n, key.n, k, key.n, to);
}

// c (+)= the integers that `sum` holds, modulo 2^32.
void gather(int64_t size, const float* sum, bool accumulate, int32_t* c) {
  parallel_for(size, 4096, [&](int64_t i) {
    const uint32_t before = accumulate ? static_cast<uint32_t>(c[i]) : 0;
    c[i] = static_cast<int32_t>(before + static_cast<uint32_t>(static_cast<int32_t>(sum[i])));
  });
}

template <class A, class B, class C>
void product(const MatmulKey& key, const A* a, const B* b, C* c) {
  constexpr bool bytes = std::is_same_v<C, int32_t>;
  using W = std::conditional_t<bytes, float, C>;
  const int64_t K = bytes ? std::min(key.k, kExactBytes) : key.k;
  const int64_t M = std::min(key.m, std::max<int64_t>(64, kBlockElements / K));
  const Scratch<W> wide_a(M * K), wide_b(K * key.n), sum(bytes ? M * key.n : 0);
  MatmulKey inner{M, key.n, K, dtype_of<W>(), dtype_of<W>(), dtype_of<W>(), key.transpose_a, key.transpose_b};
  for (int64_t k0 = 0; k0 < key.k; k0 += K) {
    inner.k = std::min(K, key.k - k0);
    widen_b(key, b, k0, inner.k, wide_b.data());
    const bool accumulate = key.accumulate || k0 > 0;
    for (int64_t m0 = 0; m0 < key.m; m0 += M) {
      inner.m = std::min(M, key.m - m0);
      widen_a(key, a, m0, inner.m, k0, inner.k, wide_a.data());
      C* block = c + m0 * key.n;
      if constexpr (bytes) {
        matmul(inner, wide_a.data(), wide_b.data(), sum.data());
        gather(inner.m * key.n, sum.data(), accumulate, block);
      } else {
        inner.accumulate = accumulate;
        matmul(inner, wide_a.data(), wide_b.data(), block);
      }
    }
  }
}

}  // namespace

const char* matmul_widened_refuses(const MatmulKey& key) { return is_real(key.a) ? "takes types narrower than f32" : nullptr; }

void matmul_widened(const MatmulKey& key, const void* a, const void* b, void* c) {
  visit_product(key.a, key.b, [&]<class A, class B, class C>() {
    if constexpr (sizeof(A) <= 2) product(key, static_cast<const A*>(a), static_cast<const B*>(b), static_cast<C*>(c));
  });
}

}  // namespace lp
