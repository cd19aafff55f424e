// Every format of at most 16 bits, for laws that are proved by looking at all of them.
#pragma once
#include <fmt/core.h>

#include <string>
#include <vector>

#include "lptrain/number/format.h"

namespace lp {

inline std::vector<std::string> small_float_names() {
  std::vector<std::string> names;
  for (int e = 1; e <= 11; ++e)
    for (int m = e == 11; 1 + e + m <= 16; ++m) names.push_back(fmt::format("e{}m{}", e, m));
  for (int n = 2; n <= 8; ++n) names.push_back(fmt::format("pow2_{}", n));
  return names;
}

inline std::vector<std::string> small_fixed_names() {
  std::vector<std::string> names{"ternary", "binary"};
  for (int n = 1; n <= 16; ++n) {
    names.push_back(fmt::format("int{}", n));
    names.push_back(fmt::format("uint{}", n));
    if (n > 1) names.push_back(fmt::format("int{}_narrow", n));
    for (int f = 1; f <= n; ++f) {
      names.push_back(fmt::format("uq{}.{}", n - f, f));
      if (f < n) names.push_back(fmt::format("q{}.{}", n - 1 - f, f));
    }
  }
  return names;
}

inline std::vector<std::string> small_posit_names() {
  std::vector<std::string> names;
  for (int es = 0; es <= 4; ++es)
    for (int n = es + 3; n <= 16; ++n) names.push_back(fmt::format("posit{}_{}", n, es));
  return names;
}

}  // namespace lp
