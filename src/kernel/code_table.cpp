// Thresholds are found with the definition of rounding itself, so that they cannot differ from it.
#include "code_table.h"

#include <algorithm>
#include <bit>
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

int64_t count_up_to(const std::vector<float>& thresholds, float x) {
  return std::upper_bound(thresholds.begin(), thresholds.end(), x) - thresholds.begin();
}

// Buckets of floats with the same leading bits. NaNs get what their neighbours have: they are dealt with apart.
void fill_start(CodeTable& table, const std::vector<float>& thresholds, int shift) {
  table.shift = shift;
  table.start.assign(size_t{1} << (32 - shift), 0);
  int64_t most = 0;
  for (uint32_t i = 0; i < table.start.size(); ++i) {
    const float near = std::bit_cast<float>(i << shift), far = std::bit_cast<float>((i << shift) | ((uint32_t{1} << shift) - 1));
    if (std::isnan(near)) continue;
    const float low = std::signbit(near) ? std::isnan(far) ? -std::numeric_limits<float>::infinity() : far : near;
    const float high = std::signbit(near) ? near : std::isnan(far) ? std::numeric_limits<float>::infinity() : far;
    const int64_t begin = count_up_to(thresholds, low);
    table.start[i] = static_cast<int32_t>(begin);
    most = std::max(most, count_up_to(thresholds, high) - begin);
  }
  table.steps = std::bit_width(static_cast<uint64_t>(most));
}

CodeTable make_table(const Format& f, Rounding rounding) {
  constexpr int kFinest = 16, kCoarsest = 20;  // bits cut off: 2^16 buckets at most
  CodeTable table;
  for (int64_t code = f.lo(); code <= f.hi(); ++code) table.reals.push_back(f.value(code));
  for (int64_t code = f.lo(); code < f.hi(); ++code) table.thresholds.push_back(threshold(f, rounding, code));
  while (std::isnan(table.thresholds.back())) table.thresholds.pop_back();  // beyond f32
  table.reals.push_back(table.reals.back() + 1);
  for (int shift = kCoarsest; shift >= kFinest; --shift) {
    fill_start(table, table.thresholds, shift);
    if (table.steps <= 1) break;
  }
  table.thresholds.insert(table.thresholds.end(), size_t{1} << table.steps, std::nanf(""));
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
