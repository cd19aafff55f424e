// Thresholds are found with the definition of rounding itself, so that they cannot differ from it.
#include "code_table.h"

#include <cmath>
#include <limits>
#include <map>
#include <mutex>

namespace lp {
namespace {

// About where rounding changes from code to code + 1.
double border(const Format& f, Rounding rounding, int64_t code) {
  switch (rounding) {
    case Rounding::nearest_even:
    case Rounding::nearest_away: return f.tie(code);
    case Rounding::ceil: return f.value(code);
    case Rounding::zero: return f.value(code < f.zero_code() ? code : code + 1);
    default: return f.value(code + 1);
  }
}

// The least float that rounds to more than `code`: the border as a float, or a neighbour of it. NaN if there is none.
float threshold(const Format& f, Rounding rounding, int64_t code) {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  const float near = static_cast<float>(border(f, rounding, code));
  const bool is_stochastic = rounding == Rounding::stochastic;
  for (const float x : {std::nextafter(near, -kFar), near, std::nextafter(near, kFar)})
    if (round_code(f, static_cast<double>(x), is_stochastic ? Rounding::floor : rounding) > code) return x;
  return std::nanf("");
}

CodeTable make_table(const Format& f, Rounding rounding) {
  CodeTable table;
  for (int64_t code = f.lo(); code <= f.hi(); ++code) table.reals.push_back(f.value(code));
  for (int64_t code = f.lo(); code < f.hi(); ++code) table.thresholds.push_back(threshold(f, rounding, code));
  table.reals.push_back(table.reals.back() + 1);
  while ((size_t{1} << table.steps) - 1 < table.thresholds.size()) ++table.steps;
  table.thresholds.resize((size_t{1} << table.steps) - 1, std::nanf(""));
  return table;
}

}  // namespace

const CodeTable& code_table(const Format& format, Rounding rounding) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, Rounding>, CodeTable> tables;
  const std::lock_guard lock(mutex);
  const auto [found, is_new] = tables.try_emplace({format.name(), rounding});
  if (is_new) found->second = make_table(format, rounding);
  return found->second;
}

}  // namespace lp
