// Measures channels: chunks of fixed size in parallel, their results joined in order.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "loops.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"
#include "lptrain/kernel/quantize.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements a thread takes at once

template <class T>
const StatisticsLoops<T>& statistics_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().statistics64;
  else
    return loops().statistics32;
}

// How lanes are cut into chunks. Each has a part of its own: one result per channel, chunk by chunk.
struct Cut {
  explicit Cut(const Lanes& l) : lanes(l), is_flat(l.channels == 1), is_rows(l.channels > 1 && l.inner == 1) {
    n = is_flat ? l.size() : l.outer;
    grain = is_flat ? kGrain : is_rows ? kGrain / l.channels + 1 : n;
    chunks = (n + grain - 1) / grain;
  }
  size_t parts() const { return static_cast<size_t>(chunks * lanes.channels); }

  // one_channel(n, first element, part) or rows(rows, first element, first part)
  template <class One, class Rows>
  void for_parts(One&& one_channel, Rows&& rows) const {
    const int64_t C = lanes.channels, inner = lanes.inner;
    if (is_flat) return parallel_chunks(n, grain, [&](int64_t i, int64_t end) { one_channel(end - i, i, i / grain); });
    if (is_rows) return parallel_chunks(n, grain, [&](int64_t r, int64_t end) { rows(end - r, r * C, r / grain * C); });
    parallel_for(C, kGrain / (n * inner) + 1, [&](int64_t c) {
      for (int64_t o = 0; o < n; ++o) one_channel(inner, (o * C + c) * inner, c);
    });
  }

  Lanes lanes;
  bool is_flat, is_rows;
  int64_t n, grain, chunks;
};

template <class T>
struct Extremes {
  std::vector<T> low, high;
  explicit Extremes(size_t n) : low(n, std::numeric_limits<T>::infinity()), high(n, -std::numeric_limits<T>::infinity()) {}
};

// Per channel; both NaN if there is one.
template <class T>
Extremes<T> extremes_of(const Lanes& lanes, const T* x) {
  const Cut cut(lanes);
  Extremes<T> parts(cut.parts()), all(static_cast<size_t>(lanes.channels));
  const auto& run = statistics_loops<T>();
  cut.for_parts([&](int64_t n, int64_t i, int64_t part) { run.extremes(n, x + i, &parts.low[part], &parts.high[part]); },
                [&](int64_t n, int64_t i, int64_t part) {
                  run.extremes_rows(n, lanes.channels, x + i, &parts.low[part], &parts.high[part]);
                });
  run.extremes_rows(cut.chunks, lanes.channels, parts.low.data(), all.low.data(), all.high.data());
  run.extremes_rows(cut.chunks, lanes.channels, parts.high.data(), all.low.data(), all.high.data());
  for (size_t c = 0; c < all.low.size(); ++c)
    if (std::isnan(all.low[c]) || std::isnan(all.high[c])) all.low[c] = all.high[c] = std::numeric_limits<T>::quiet_NaN();
  return all;
}

template <class T>
void mean_abs_of(const Lanes& lanes, const T* x, float* out) {
  const Cut cut(lanes);
  std::vector<double> parts(cut.parts());
  const auto& run = statistics_loops<T>();
  cut.for_parts(
      [&](int64_t n, int64_t i, int64_t part) { parts[static_cast<size_t>(part)] += run.sum_abs(n, x + i); },
      [&](int64_t n, int64_t i, int64_t part) { run.sum_abs_rows(n, lanes.channels, x + i, &parts[static_cast<size_t>(part)]); });
  for (int64_t c = 0; c < lanes.channels; ++c) {
    double total = 0;
    for (int64_t k = 0; k < cut.chunks; ++k) total += parts[static_cast<size_t>(k * lanes.channels + c)];
    out[c] = static_cast<float>(total / static_cast<double>(lanes.outer * lanes.inner));
  }
}

// Without elements, zeros; else f with the C++ type.
template <class F>
void measure(const Lanes& lanes, DType type, std::initializer_list<float*> outs, F&& f) {
  if (lanes.size() > 0) return visit_real(type, f);
  for (float* out : outs) std::fill(out, out + lanes.channels, 0.f);
}

// The exponent of the last bit that is set; of 0, infinity and NaN: far above any.
template <class T>
int last_exponent(T x) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1, kExponents = 2 * std::numeric_limits<T>::max_exponent - 1;
  const Bits bits = std::bit_cast<Bits>(x), mantissa = bits & ((Bits{1} << kMantissa) - 1);
  const int exponent = static_cast<int>(bits >> kMantissa) & kExponents;
  if (x == 0 || exponent == kExponents) return std::numeric_limits<int>::max();
  const int place = exponent == 0 ? 1 : exponent;
  return place + std::countr_zero(exponent == 0 ? mantissa : mantissa | Bits{1} << kMantissa) +
         std::numeric_limits<T>::min_exponent - 2 - kMantissa;
}

}  // namespace

void absmax(const Lanes& lanes, DType type, const void* x, float* out) {
  const Timed timed("statistics", "absmax");
  measure(lanes, type, {out}, [&]<class T>() {
    const Extremes<T> seen = extremes_of(lanes, static_cast<const T*>(x));
    for (size_t c = 0; c < seen.low.size(); ++c)
      out[c] = static_cast<float>(std::max(std::fabs(seen.low[c]), std::fabs(seen.high[c])));
  });
}

void minmax(const Lanes& lanes, DType type, const void* x, float* low, float* high) {
  const Timed timed("statistics", "minmax");
  measure(lanes, type, {low, high}, [&]<class T>() {
    const Extremes<T> seen = extremes_of(lanes, static_cast<const T*>(x));
    std::copy(seen.low.begin(), seen.low.end(), low);
    std::copy(seen.high.begin(), seen.high.end(), high);
  });
}

void mean_abs(const Lanes& lanes, DType type, const void* x, float* out) {
  const Timed timed("statistics", "mean_abs");
  measure(lanes, type, {out}, [&]<class T>() { mean_abs_of(lanes, static_cast<const T*>(x), out); });
}

int common_exponent(DType type, int64_t n, const void* x) {
  const Timed timed("statistics", "common_exponent");
  std::vector<int> parts(static_cast<size_t>((n + kGrain - 1) / kGrain), std::numeric_limits<int>::max());
  visit_real(type, [&]<class T>() {
    const T* p = static_cast<const T*>(x);
    parallel_chunks(n, kGrain, [&](int64_t begin, int64_t end) {
      int& least = parts[static_cast<size_t>(begin / kGrain)];
      for (int64_t i = begin; i < end; ++i) least = std::min(least, last_exponent(p[i]));
    });
  });
  const auto found = std::ranges::min_element(parts);
  return found == parts.end() || *found == std::numeric_limits<int>::max() ? 0 : *found;
}

}  // namespace lp
