// How the sums of a product are held, where that is narrower than rows hold them: an arithmetic of its own, modelled exactly.
#pragma once
#include <compare>
#include <optional>

#include "lptrain/base/fields.h"
#include "lptrain/base/random.h"
#include "lptrain/number/dtype.h"
#include "lptrain/number/rounding.h"

namespace lp {

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
  Key noise = {};               // of stochastic rounding; not part of a config

  static constexpr std::string_view kShorthand = "format";
  void fields(Fields& f);
  auto operator<=>(const Accumulator&) const = default;

  bool is_native() const { return format == kF32 || format == kF64; }
  bool counts_codes() const { return format.is_integer_grid() && format.fraction_bits == 0; }
  Overflow overflow_of(const Format& f) const;
  Accumulator with_noise(uint64_t pass) const;
  // No sum of `terms` products of codes of these types leaves the register: then any row that is exact gives its bits.
  bool holds_all(DType a, DType b, int64_t terms) const;
  std::string name() const;  // in words: "f16 nearest_even, chunks of 64 summed in f32"
};

}  // namespace lp
