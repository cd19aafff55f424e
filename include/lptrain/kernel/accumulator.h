// How the sums of a product are held, where that is narrower than rows hold them: an arithmetic of its own, modelled exactly.
#pragma once
#include <compare>
#include <optional>

#include "lptrain/base/fields.h"
#include "lptrain/base/random.h"
#include "lptrain/number/dtype.h"
#include "lptrain/number/rounding.h"

namespace lp {

// What became of additions. Those beyond the format are not counted as rounded or lost.
struct SumCounts {
  int64_t sums = 0, additions = 0;
  int64_t rounded = 0;    // the format does not have the exact sum
  int64_t lost = 0;       // the sum stayed what it was, though what was added is not 0
  int64_t saturated = 0;  // held at the format's end
  int64_t overflows = 0;  // became infinite, or wrapped around
  void fields(Fields& f);
  SumCounts& operator+=(const SumCounts& o);
  void add_from_thread(const SumCounts& o);  // += while other threads do so too
};

// The register that one result of a product is summed in. With products p_1, p_2 ... in the order that kernel/product.h states
// (those that meet padding left out), round() being `rounding` to `format`, and `overflow` beyond its ends:
//   chunk = 0:  s = 0;  s = round(s + p_k) for each k                  one after the other, each product exact, one rounding a
//   sum chunk = n:  a register s for every n products; each, when full, goes into t = round_outer(t + s); the last may hold fewer
// int<N> holds sums of products of codes, as an integer multiplier does, before any scale; a product whose operands are not both
// integers does not pass through it. All other formats (floats, fixed point with fraction bits) hold sums of products of reals.
// start (c += ...) rounds c first. Products of f64 reals are rounded to f64 before they are added; all others are exact.
//   Source: chunks: Wang et al. 2018 (FP8 training), section 3.1
struct Accumulator {
  Format format = kF32;  // f32 (f64): nothing is modelled, sums are held as the fastest row holds them
  Rounding rounding = Rounding::nearest_even;
  std::optional<Overflow> overflow;  // nothing: infinity for f16 and bf16, as hardware has it; else saturate
  int64_t chunk = 0;
  std::optional<Format> outer;  // of the sum of chunks; nothing: `format`
  // Not part of a config: the noise of stochastic rounding, and where additions are counted (null: nobody wants to know).
  Key noise = {};
  SumCounts* counts = nullptr;

  static constexpr std::string_view kShorthand = "format";
  void fields(Fields& f);
  auto operator<=>(const Accumulator&) const = default;

  bool is_native() const { return format == kF32 || format == kF64; }
  bool counts_codes() const { return format.counts(); }
  Overflow overflow_of(const Format& f) const;
  // One of several accumulators that are alike but for what stochastic rounding draws; counts are those of an array.
  Accumulator of_pass(size_t pass) const;
  // No sum of `terms` products of codes of these types leaves the register: then any row that is exact gives its bits.
  bool holds_all(DType a, DType b, int64_t terms) const;
  std::string name() const;  // in words: "f16 nearest_even, chunks of 64 summed in f32"
};

}  // namespace lp
