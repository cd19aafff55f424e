// Patterns of pruning: which weights go together, and within which bounds the choice is made.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/tensor/shape.h"

namespace lp {

// Weights [O, ...] are seen as a matrix [O, K], K being what a product sums over (of a convolution kh kw I, inputs fastest).
//   unstructured  each weight by itself
//   rows          the weights of one output: filters of a convolution, neurons of a linear layer
//   <n>:<m>       of every m neighbours along K n stay (2:4, 1:4); r < m at the end of a row keep ceil(r n / m)
//   <r>x<c>       blocks of r outputs by c inputs (4x4, 1x8); those at the edge may be smaller
// "filters" and "neurons" are other words for rows.
struct Pattern {
  enum class Kind : uint8_t { unstructured, rows, n_of_m, blocks };
  Kind kind = Kind::unstructured;
  int64_t first = 0, second = 0;  // n and m, or r and c

  static Pattern parse(std::string_view text);  // throws Error(usage)
  std::string name() const;
  static std::vector<std::string> known();
  bool operator==(const Pattern&) const = default;

  std::optional<double> sparsity() const;  // that the pattern itself says: 1 - n/m
};

// Weights that stay or go together, numbered in the order of their first weight.
struct Units {
  int64_t count = 0;
  std::vector<int64_t> of;     // every weight's unit
  std::vector<int64_t> sizes;  // weights in each
  std::vector<int64_t> ends;   // of stretches of units among which a given share goes; empty: the choice is free
};
Units units_of(const Shape& w, const Pattern& pattern);

}  // namespace lp
