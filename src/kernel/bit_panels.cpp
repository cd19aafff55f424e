// Packing codes bit by bit.
#include "bit_panels.h"

#include <algorithm>

#include "lptrain/base/parallel.h"

namespace lp {
namespace {

constexpr int64_t kFewestTerms = 64;        // measured
constexpr int kNegative = 1, kNonzero = 0;  // bits of -1, 0 and 1

// One column of a piece: its words of either plane.
struct PackedPiece {
  const BitLoops& loops;
  const Pieces& pieces;
  std::vector<uint32_t> words = std::vector<uint32_t>(static_cast<size_t>(pieces.words()));

  // Writes them `stride` words apart, and returns how many bits are set.
  uint32_t write(const uint8_t* codes, int bit, int64_t stride, uint32_t* to) {
    words.back() = 0;
    auto* bytes = reinterpret_cast<uint8_t*>(words.data());
    const uint32_t set = pack_pixels(loops, codes, pieces.pixels, pieces.channels, bit, bytes);
    for (size_t i = 0; i < words.size(); ++i) to[static_cast<int64_t>(i) * stride] = words[i];
    return set;
  }
};

}  // namespace

Planes planes_of(Levels levels) {
  constexpr auto minus_two = static_cast<uint32_t>(-2);
  switch (levels) {
    case Levels::bit: return {1, 0, 0, 1, 0};
    case Levels::signs: return {1, 1, 0, minus_two, 1};
    case Levels::two_bits: return {2, 1, 2, 1, 0};
    case Levels::any:
    case Levels::ternary:
    case Levels::signed_two_bits: break;
  }
  return {2, 1, minus_two, 1, 0};
}

const char* counting_refuses(DType type, Levels left, Levels right, int64_t terms) {
  if (!is_byte(type) || left == Levels::any) return "takes codes of 1 and 2 bits on the left";
  if (right != Levels::bit && right != Levels::signs && right != Levels::ternary) return "takes -1, 0, 1 on the right";
  return terms < kFewestTerms * planes_of(left).count ? "takes sums of at least 64 terms a bit" : nullptr;
}

uint32_t pack_pixels(const BitLoops& loops, const uint8_t* codes, int64_t pixels, int64_t channels, int bit, uint8_t* to) {
  if (channels % 8 == 0) return loops.pack(codes, pixels * channels, bit, to);
  uint32_t set = 0;
  for (int64_t i = 0; i < pixels; ++i, codes += channels, to += (channels + 7) / 8) set += loops.pack(codes, channels, bit, to);
  return set;
}

BitPanels::BitPanels(const BitLoops& loops, Levels left, const Pieces& pieces, int64_t columns, const uint8_t* w)
    : loops_(loops),
      columns_(columns),
      width_(2 * loops.lanes),
      words_(pieces.count * pieces.words() * 2 * width_),
      packed_(static_cast<size_t>(count() * words_)),
      start_(static_cast<size_t>(count() * width_)) {
  parallel_for(count(), 1, [&](int64_t panel) { pack(pieces, planes_of(left), w, panel); });
}

int64_t BitPanels::columns_of(int64_t panel) const { return std::min(width_, columns_ - panel * width_); }

void BitPanels::pack(const Pieces& pieces, const Planes& left, const uint8_t* w, int64_t panel) {
  const int64_t columns = columns_of(panel), stride = columns > loops_.lanes ? width_ : loops_.lanes;
  PackedPiece piece{loops_, pieces};
  for (int64_t j = 0; j < columns; ++j) {
    const uint8_t* codes = w + (panel * width_ + j) * pieces.count * pieces.codes();
    uint32_t* to = packed_.data() + panel * words_ + j;
    uint32_t negative = 0, nonzero = 0;
    for (int64_t i = 0; i < pieces.count; ++i, codes += pieces.codes(), to += pieces.words() * 2 * stride) {
      negative += piece.write(codes, kNegative, 2 * stride, to);
      nonzero += piece.write(codes, kNonzero, 2 * stride, to + stride);
    }
    const uint32_t sum = nonzero - 2 * negative;
    start_[static_cast<size_t>(panel * width_ + j)] = static_cast<int32_t>(left.constant * sum - left.weights() * negative);
  }
}

void BitPanels::multiply(int64_t panel, int64_t rows, const uint8_t* const* a, const BitRows& how, bool accumulate,
                         int32_t* c) const {
  loops_.tile(rows, a, how, packed_.data() + panel * words_, start_.data() + panel * width_,
              {c + panel * width_, columns_, columns_of(panel), accumulate});
}

}  // namespace lp
