// Where those elements of a list stand that are stored, when most are alike and left out.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lptrain/base/fields.h"

namespace lp {

// How the places are written.
//   gap_bits > 0   steps of so many bits: k < 2^bits - 1 passes over k elements and stores the next; k = 2^bits - 1 passes over k
//                  and stores none (Han et al. 2016, section 2, store a zero there, which takes more bits). What is behind the
//                  last step is left out. One bit: a map of what is stored.
//   of > 0         of every `of` neighbours `keep` are stored, at the places 0 .. of - 1 that follow: N:M sparsity
//   neither        all are stored
struct SparseIndex {
  int64_t gap_bits = 0, keep = 0, of = 0;

  void fields(Fields& f);
  bool is_there() const { return gap_bits > 0 || of > 0; }
  int bits() const;  // of a step, or of a place
  // The steps or places for these elements of `count`, which must fit the pattern; where it needs more, the first free ones are
  // stored, too, and join `places`.
  std::vector<uint32_t> steps_for(std::vector<int64_t>& places, int64_t count) const;
  bool fits(std::span<const int64_t> places, int64_t count) const;
  // The elements again. Throws Error(data) naming `where` if they do not lie in order within `count`.
  std::vector<int64_t> places_in(std::span<const uint32_t> steps, int64_t count, std::string_view where) const;
};

// All that are tried.
std::span<const SparseIndex> sparse_indices();

}  // namespace lp
