// Prepares what is the same for all rows of a rescaled product, and spreads the rows over threads.
#include "lptrain/kernel/epilogue.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "long_rows.h"
#include "loops.h"
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

template <class T>
const RescaleLoops<T>& rescale_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().rescale64;
  else
    return loops().rescale32;
}

// zero_point * w_sums[c]; the low 32 bits of an i32 product suffice, since the difference that it is needed for fits.
template <class T, class Acc>
std::vector<Acc> shifts(const Rescale<T>& how, int64_t cols) {
  std::vector<Acc> shift(static_cast<size_t>(cols), Acc{0});
  if (how.zero_point == 0) return shift;
  for (int64_t c = 0; c < cols; ++c) shift[static_cast<size_t>(c)] = static_cast<Acc>(int64_t{how.zero_point} * how.w_sums[c]);
  return shift;
}

template <class T>
void set_multipliers(const Rescale<T>& how, float x_scale, std::vector<T>& m) {
  for (size_t c = 0; c < m.size(); ++c) m[c] = static_cast<T>(x_scale) * static_cast<T>(how.w_scale[how.per_column ? c : 0]);
}
template <class T>
std::vector<T> multipliers(const Rescale<T>& how, int64_t cols) {
  std::vector<T> m(static_cast<size_t>(cols));
  set_multipliers(how, how.x_scale, m);
  return m;
}

// Each row has multipliers of its own.
template <class T, class Acc, class F>
void rescale_by_rows(const Rescale<T>& how, int64_t rows, int64_t cols, const Acc* acc, T* y, F run) {
  const std::vector<Acc> shift = shifts<T, Acc>(how, cols);
  parallel_chunks(rows, (1 << 15) / std::max<int64_t>(cols, 1) + 1, [&](int64_t begin, int64_t end) {
    std::vector<T> m(static_cast<size_t>(cols));
    for (int64_t r = begin; r < end; ++r) {
      set_multipliers(how, how.x_scales[r], m);
      run(1, cols, acc + r * cols, shift.data(), m.data(), how.bias, y + r * cols);
    }
  });
}

template <class T, class Acc, class F>
void rescale_rows(const Rescale<T>& how, int64_t rows, int64_t cols, const Acc* acc, T* y, F run) {
  const Timed timed("epilogue", "rescale");
  if (how.x_scales) return rescale_by_rows(how, rows, cols, acc, y, run);
  const std::vector<Acc> shift = repeated(shifts<T, Acc>(how, cols).data(), cols, rows);
  const std::vector<T> m = repeated(multipliers(how, cols).data(), cols, rows);
  const std::vector<T> bias = how.bias ? repeated(how.bias, cols, rows) : std::vector<T>();
  parallel_chunks(rows, (1 << 15) / std::max<int64_t>(cols, 1) + 1, [&](int64_t begin, int64_t end) {
    in_long_rows(begin, end, cols, [&](int64_t r, int64_t n, int64_t columns) {
      run(n, columns, acc + r * cols, shift.data(), m.data(), how.bias ? bias.data() : nullptr, y + r * cols);
    });
  });
}

}  // namespace

template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const int32_t* acc, T* y) {
  rescale_rows(how, rows, cols, acc, y, rescale_loops<T>().from_i32);
}
template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const float* acc, T* y) {
  rescale_rows(how, rows, cols, acc, y, rescale_loops<T>().from_f32);
}
template <class T>
void rescale(const Rescale<T>& how, int64_t rows, int64_t cols, const double* acc, T* y) {
  rescale_rows(how, rows, cols, acc, y, rescale_loops<T>().from_f64);
}

template <class C>
void code_sums(int64_t O, int64_t K, const C* w, int32_t* sums) {
  const Timed timed("epilogue", "code_sums");
  const int64_t largest = std::max<int64_t>(std::numeric_limits<C>::max(), -int64_t{std::numeric_limits<C>::min()});
  require(K <= std::numeric_limits<int32_t>::max() / largest,
          "sums of {} codes of {} bits may not fit into 32 bits; at most {} do", K, 8 * sizeof(C),
          std::numeric_limits<int32_t>::max() / largest);
  parallel_for(O, (1 << 15) / std::max<int64_t>(K, 1) + 1, [&](int64_t o) {
    int32_t total = 0;
    for (int64_t k = 0; k < K; ++k) total += w[o * K + k];
    sums[o] = total;
  });
}

template void rescale(const Rescale<float>&, int64_t, int64_t, const int32_t*, float*);
template void rescale(const Rescale<float>&, int64_t, int64_t, const float*, float*);
template void rescale(const Rescale<double>&, int64_t, int64_t, const float*, double*);
template void rescale(const Rescale<float>&, int64_t, int64_t, const double*, float*);
template void rescale(const Rescale<double>&, int64_t, int64_t, const int32_t*, double*);
template void rescale(const Rescale<double>&, int64_t, int64_t, const double*, double*);
template void code_sums(int64_t, int64_t, const int8_t*, int32_t*);
template void code_sums(int64_t, int64_t, const uint8_t*, int32_t*);
template void code_sums(int64_t, int64_t, const int16_t*, int32_t*);

}  // namespace lp
