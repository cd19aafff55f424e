// Formats without arithmetic of their own in the vector loops (posits, e8m0): their reals and rounding thresholds, as lists.
#pragma once
#include <vector>

#include "lptrain/number/rounding.h"

namespace lp {

// Rounding x: round_code(format, x, rounding) == format.lo() + the number of thresholds at or below x, for every float x that is
// not NaN. The thresholds of stochastic are the reals above the lowest. All formats of at most kTableBits bits.
// The leading bits of x say where to begin: start[bits of x >> shift] thresholds lie at or below all floats with these bits, and
// fewer than 2^steps among them.
struct CodeTable {
  std::vector<float> thresholds;  // and 2^steps times NaN
  std::vector<double> reals;      // of lo()..hi(), and one more that nothing rounds to
  std::vector<int32_t> start;
  int shift = 0, steps = 0;
};
inline constexpr int kTableBits = 16;

const CodeTable& code_table(const Format& format, Rounding rounding);  // made once for each pair

}  // namespace lp
