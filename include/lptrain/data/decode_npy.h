// NumPy's .npy files: how people bring tensors of their own.
#pragma once
#include <string_view>

#include "lptrain/tensor/tensor.h"

namespace lp {

// The array of a .npy file (format 1.0 to 3.0, little-endian, C order): <f8 as f64; <f4, <f2, |i1, |u1, <i2, <i4 as f32.
// Error(data) with file and byte.   Source: NumPy Enhancement Proposal 1.
Tensor decode_npy(std::string_view bytes, std::string_view file);

}  // namespace lp
