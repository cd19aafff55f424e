// Packed files made smaller: what comes most often is left out, and what comes often takes few bits.
#pragma once
#include <string_view>

#include "lptrain/train/safetensors.h"

namespace lp {

// How far a file may go. dense: every code at its own width, as pack() writes them. sparse: of tensors that are mostly zero the
// others alone, with an index of where they stand. huffman: both with words of varying length.
enum class Coding : uint8_t { dense, sparse, huffman };

// The same file with every tensor that gets smaller by more than its note takes written so:
//   "<name>"          U8: the codes or reals that differ from the one that comes most often, in row-major order, in as many bits
//                     as they need, the lowest bit first; or Huffman's words of them (deploy/huffman.h)
//   "<name>.index"    U8: where they stand, likewise: steps of 1 .. 8 bits, or 2 bits each for a 2:4 pattern, 1:4, 1:2, 4:8
//   note "<name>.coding"   what the tensor was, and how it is written: fields of CodingNote (src/deploy/coding.cpp)
// The smallest of all combinations is taken; without an index every code is there.
//   Source: Han, Mao & Dally 2016, "Deep Compression", sections 2 and 4
TensorFile coded(const TensorFile& packed, Coding most);

// What coded() was given, bit for bit. Throws Error(data) naming `name` and the tensor: notes, indices and words that do not
// belong together.
TensorFile decoded(const TensorFile& file, std::string_view name);

// Bytes of all tensors of a packed file, notes not counted, with codings up to that one.
struct StoredBytes {
  int64_t dense = 0, sparse = 0, huffman = 0;
};
StoredBytes stored_bytes(const TensorFile& packed);

// What a file is written with. Coded tensors cannot be read in place, so it must save a quarter.
Coding worthwhile(const StoredBytes& bytes);

}  // namespace lp
