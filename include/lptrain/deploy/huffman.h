// Huffman coding: numbers that come often take few bits.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "lptrain/tensor/tensor.h"

namespace lp {

// Numbers that a code may have: 0 .. kMostSymbols - 1. Words have at most 15 bits.
inline constexpr uint32_t kMostSymbols = 4096;

// A canonical code and what it makes of numbers: bytes (U8)
//   lo, hi             the least and the greatest number that comes, 16 bits each, the low byte first
//   lengths            of the words of lo .. hi, 4 bits each, the lower half of a byte first; 0: does not come
//   words              one behind the other, the first bit of the stream being the lowest of the first byte
// Words are counted upwards from the shortest, those of one length in the order of the numbers, and read from their highest bit.
// Lengths are Huffman's, of counts that are halved until no word is too long. A number that comes alone has the word 0. No
// numbers: no bytes.   Source: Huffman 1952; the canonical order as in RFC 1951, section 3.2.2
Tensor huffman_coded(std::span<const uint32_t> numbers);

// The same count of numbers again. Throws Error(data) naming `place`: bytes that end too early or too late, lengths that are no
// code (too many or too few words), a word that is none.
std::vector<uint32_t> huffman_decoded(const Tensor& bytes, int64_t count, std::string_view place);

}  // namespace lp
