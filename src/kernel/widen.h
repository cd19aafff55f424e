// f16 and bf16 arrays as floats, for products that run on floats.
#pragma once
#include <cstdint>

#include "lptrain/number/dtype.h"

namespace lp {

void widen_halves(DType type, int64_t n, const void* x, float* y);  // type: f16 or bf16; exact

}  // namespace lp
