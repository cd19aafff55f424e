// Weights at their own width: what a network weighs when nothing is kept but codes and scales.
#pragma once
#include <string_view>

#include "lptrain/nn/model.h"
#include "lptrain/train/safetensors.h"

namespace lp {

// What packed.safetensors holds, before coding (deploy/coding.h). Each parameter, as evaluation sees it (masked, quantized):
//   not quantized            its reals, under its name
//   f16, bf16 of scale 1     F16, BF16
//   other formats            U8: the bit patterns of its codes (Format::to_bits), b bits each, one behind the other, the lowest
//                            bit of the first byte first; rows are filled up to whole blocks.
//                            "<name>.scale": F32, or U8 in a scale format of their own, likewise; "<name>.offset": F32, if any;
//                            and a note under its name that unpack() reads: {"format", "scale_format", "type", "shape",
//                            "lanes": [outer, channels, inner], "zero_point"}
// What no grid describes but few reals (TTQ, DoReFa, codebooks) is packed as numbers of these, counted from 0, b bits each:
// "<name>.levels" lists the reals, and the note says {"format": "uint<b>", "type", "shape", "is_listed": true}. (2^b numbers of a
// codebook and the zero of masked weights take one bit more.)
// Weights and biases of a layer that a batch norm is folded into are packed as a forward pass sees them, times the norm's gain (a
// layer without biases gets its shift from the norm's numbers, which follow).
// A tensor that this would not give back exactly is kept as reals, so that the size of the file is never too small. Buffers and
// learned scales that inference needs follow as they are.
TensorFile pack(Model& model);

// The tensors of such a file, coded or not, as reals (f32 or f64), scales and notes resolved: equal to what was packed (zeros
// have lost their sign). Throws Error(data) naming `name` and the tensor: notes and bytes that do not belong together, codes that
// the format does not have.
TensorFile unpack(const TensorFile& file, std::string_view name);

}  // namespace lp
