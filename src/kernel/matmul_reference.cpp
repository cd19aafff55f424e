// The matrix product as its definition says it: the oracle of every other row.
#include "lptrain/base/parallel.h"
#include "modelled_sum.h"
#include "rows.h"

namespace lp {
namespace {

template <class A, class B, class C, class Start>
void multiply(const MatmulKey& key, const A* a, const B* b, C* c, Start start) {
  const int64_t a_row = key.transpose_a ? 1 : key.k, a_step = key.transpose_a ? key.m : 1;
  const int64_t b_column = key.transpose_b ? key.k : 1, b_step = key.transpose_b ? 1 : key.n;
  parallel_for(key.m, 1, [&](int64_t m) {
    for (int64_t n = 0; n < key.n; ++n) {
      auto sum = start(m * key.n + n);
      if (key.accumulate) sum.start_from(c[m * key.n + n]);
      for (int64_t k = 0; k < key.k; ++k) sum.add(a[m * a_row + k * a_step], b[n * b_column + k * b_step]);
      c[m * key.n + n] = sum.value();
    }
  });
}

}  // namespace

void matmul_reference(const MatmulKey& key, const void* a_memory, const void* b_memory, void* c_memory) {
  visit_product(key.a, key.b, [&]<class A, class B, class C>() {
    const A* a = static_cast<const A*>(a_memory);
    const B* b = static_cast<const B*>(b_memory);
    C* c = static_cast<C*>(c_memory);
    with_sums<C>(key.accumulator, [&](auto start) { multiply(key, a, b, c, start); });
  });
}

}  // namespace lp
