// Spreads the loops of passages over threads; results do not depend on how many there are.
#include "lptrain/kernel/passage.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "long_rows.h"
#include "loops.h"
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements a thread takes at once

int64_t rows_at_once(int64_t C) { return std::max<int64_t>(32, kGrain / std::max<int64_t>(C, 1) / 32 * 32); }

// f(first row, end, part[C]) for chunks of rows, each with numbers of its own, which are then handed to `join` in order.
template <class T, class F, class Join>
void in_chunks(int64_t rows, int64_t C, T start, F f, Join join) {
  const int64_t chunk = rows_at_once(C), chunks = (rows + chunk - 1) / chunk;
  std::vector<T> parts(static_cast<size_t>(chunks * C), start);
  parallel_chunks(rows, chunk, [&](int64_t r, int64_t end) { f(r, end, parts.data() + r / chunk * C); });
  for (int64_t i = 0; i < chunks; ++i) join(parts.data() + i * C);
}

template <class C, class F>
void sum_integers(int64_t rows, int64_t columns, const C* codes, F loop, double* sums) {
  in_chunks(
      rows, columns, int32_t{0},
      [&](int64_t r, int64_t end, int32_t* part) { loop(end - r, columns, codes + r * columns, part); },
      [&](const int32_t* part) {
        for (int64_t c = 0; c < columns; ++c) sums[c] += part[c];
      });
}

}  // namespace

void mark_passage(int64_t n, const float* y, float low, float high, uint8_t* where) {
  const Timed timed("passage", "mark_passage");
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { loops().passage.mark(end - i, y + i, low, high, where + i); });
}

void pass_within(int64_t n, const float* x, float low, float high, const float* dy, float* dx) {
  const Timed timed("passage", "pass_within");
  parallel_chunks(n, kGrain,
                  [&](int64_t i, int64_t end) { loops().passage.pass_within(end - i, x + i, low, high, dy + i, dx + i); });
}

void scale_columns(int64_t rows, int64_t C, const float* x, const float* s, float* y) {
  const Timed timed("passage", "scale_columns");
  const std::vector<float> factors = repeated(s, C, rows);
  parallel_chunks(rows, rows_at_once(C), [&](int64_t begin, int64_t end) {
    in_long_rows(begin, end, C, [&](int64_t r, int64_t n, int64_t columns) {
      loops().passage.scale_columns(n, columns, x + r * C, factors.data(), y + r * C);
    });
  });
}

void passed_extremes(int64_t rows, int64_t C, const float* dy, const float* s, const uint8_t* where, float* low, float* high) {
  const Timed timed("passage", "passed_extremes");
  const int64_t width = rows_together(C) * C, chunk = rows_at_once(C);
  const std::vector<float> factors = s ? repeated(s, C, rows) : std::vector<float>(static_cast<size_t>(width), 1.f);
  std::vector<float> least(static_cast<size_t>((rows + chunk - 1) / chunk * width), 0.f), most = least;
  parallel_chunks(rows, chunk, [&](int64_t begin, int64_t end) {
    const auto run = where ? loops().passage.extremes : loops().passage.all_extremes;
    const int64_t at = begin / chunk * width;
    in_long_rows(begin, end, C, [&](int64_t r, int64_t n, int64_t columns) {
      run(n, columns, dy + r * C, factors.data(), where ? where + r * C : nullptr, least.data() + at, most.data() + at);
    });
  });
  *low = *high = 0;
  for (const auto& ends : {least, most})
    for (const float v : ends) {
      if (std::isnan(v)) *low = *high = v;
      if (v < *low) *low = v;
      if (v > *high) *high = v;
    }
}

void code_column_sums(int64_t rows, int64_t C, DType type, const void* codes, double* sums) {
  const Timed timed("passage", "code_column_sums");
  require(type == DType::i8 || type == DType::u8 || type == DType::bf16, "code_column_sums: codes of i8, u8 or bf16, found {}",
          name_of(type));
  std::fill_n(sums, C, 0.0);
  if (type == DType::i8) return sum_integers(rows, C, static_cast<const int8_t*>(codes), loops().passage.sum_i8, sums);
  if (type == DType::u8) return sum_integers(rows, C, static_cast<const uint8_t*>(codes), loops().passage.sum_u8, sums);
  const auto* bits = static_cast<const uint16_t*>(codes);
  in_chunks(
      rows, C, 0.0,
      [&](int64_t r, int64_t end, double* part) {
        std::vector<float> block(static_cast<size_t>(C));
        for (; r < end; r += 32) {
          std::ranges::fill(block, 0.f);
          loops().passage.sum_bf16(std::min<int64_t>(32, end - r), C, bits + r * C, block.data());
          for (int64_t c = 0; c < C; ++c) part[c] += static_cast<double>(block[static_cast<size_t>(c)]);
        }
      },
      [&](const double* part) {
        for (int64_t c = 0; c < C; ++c) sums[c] += part[c];
      });
}

}  // namespace lp
