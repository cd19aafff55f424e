// The scalar rows of the quantize family: the definition itself, element by element, and the oracle of the vector rows.
#pragma once
#include "lptrain/kernel/quantize.h"

namespace lp {

void quantize_reference(const QuantizeKey& key, DType x_type, const void* x, const float* scale, DType codes_type, void* codes);
void dequantize_reference(const QuantizeKey& key, DType codes_type, const void* codes, const float* scale, DType y_type, void* y);
void quantize_values_reference(const QuantizeKey& key, DType type, const void* x, const float* scale, void* y);

}  // namespace lp
