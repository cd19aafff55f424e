// The parts of Key that are too slow for inner loops: 64-bit uniform and normal numbers, for data and initial weights.
#include "lptrain/base/random.h"

#include <cmath>
#include <numbers>

namespace lp {

double Key::uniform64(uint64_t index) const { return (static_cast<double>(with(index).bits >> 12) + 0.5) * 0x1p-52; }

double Key::normal(uint64_t index) const {
  const Key key = with(index);
  const double radius = std::sqrt(-2 * std::log(key.uniform64(0)));
  return radius * std::cos(2 * std::numbers::pi * key.uniform64(1));
}

}  // namespace lp
