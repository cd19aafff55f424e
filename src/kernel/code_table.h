// Formats without arithmetic of their own in the vector loops (posits, e8m0): their reals and rounding thresholds, as lists.
#pragma once
#include <vector>

#include "lptrain/number/rounding.h"

namespace lp {

// Rounding x: round_code(format, x, rounding) == format.lo() + the number of thresholds at or below x, for every float x that is
// not NaN. The thresholds of stochastic are the reals above the lowest. All formats of at most kTableBits bits.
struct CodeTable {
  std::vector<float> thresholds;  // 2^steps - 1, filled up with NaN
  std::vector<double> reals;      // of lo()..hi(), and one more that nothing rounds to
  int steps = 0;
};
inline constexpr int kTableBits = 16;

const CodeTable& code_table(const Format& format, Rounding rounding);  // made once for each pair

}  // namespace lp
