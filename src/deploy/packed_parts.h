// What stands in packed files for the reals of a tensor: its note, and codes bit by bit. For those who write and read them.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/number/format.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

// Endings of the names of what lies beside the codes.
inline constexpr std::string_view kScale = ".scale", kOffset = ".offset", kLevels = ".levels";

// What is noted of a packed tensor.
struct PackedNote {
  Format format, scale_format;
  std::string type = "f32";  // of the reals
  std::vector<int64_t> shape, lanes;
  int64_t zero_point = 0;
  bool is_listed = false;

  void fields(Fields& f);
};

// What stands for the reals: codes of the shape filled up to whole blocks, a scale for each lane, and perhaps an offset.
struct PackedParts {
  Tensor codes, scale, offset = {};
};

Tensor reals_of(const PackedNote& note, const PackedParts& parts);

bool codes_fit(const Format& f);  // into 32 bits
int64_t packed_bytes(int64_t codes, int bits);
Tensor fixed_bits(std::span<const uint32_t> patterns, int bits);  // one behind the other, the lowest bit of the first byte first
// The first `count` patterns in `bytes`, which must hold them.
std::vector<uint32_t> read_fixed_bits(const Tensor& bytes, int64_t count, int bits);
Tensor packed_bits(const Tensor& codes, const Format& format);
// The codes in `bytes`; the first that the format does not have is an error of `place`.
Tensor unpacked_bits(const Tensor& bytes, const Shape& shape, const Format& format, std::string_view place);

}  // namespace lp
