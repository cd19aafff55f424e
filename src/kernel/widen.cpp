// Halves to floats in parallel chunks.
#include "widen.h"

#include "loops.h"
#include "lptrain/base/parallel.h"

namespace lp {

void widen_halves(DType type, int64_t n, const void* x, float* y) {
  constexpr int64_t kChunk = 1 << 14;  // elements
  const auto widen = type == DType::f16 ? loops().widen.from_f16 : loops().widen.from_bf16;
  parallel_chunks(n, kChunk, [&](int64_t i, int64_t end) { widen(end - i, static_cast<const uint16_t*>(x) + i, y + i); });
}

}  // namespace lp
