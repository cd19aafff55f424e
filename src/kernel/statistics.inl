// The loops of absmax, minmax and mean_abs, for one instruction set (see loops.h).
namespace {

template <class T>
void extremes(int64_t n, const T* x, T* low, T* high) {
  auto least = ordered(*low), greatest = ordered(*high);
  for (int64_t i = 0; i < n; ++i) {
    const auto a = ordered(x[i]);
    least = a < least ? a : least;
    greatest = a > greatest ? a : greatest;
  }
  *low = unordered<T>(least), *high = unordered<T>(greatest);
}

template <class T>
void extremes_rows(int64_t rows, int64_t cols, const T* x, T* low, T* high) {
  for (int64_t r = 0; r < rows; ++r, x += cols)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) {
      const auto a = ordered(x[c]), least = ordered(low[c]), greatest = ordered(high[c]);
      low[c] = unordered<T>(a < least ? a : least);
      high[c] = unordered<T>(a > greatest ? a : greatest);
    }
}

template <class T>
void sum_abs_rows(int64_t rows, int64_t cols, const T* x, double* sums) {
  for (int64_t r = 0; r < rows; ++r, x += cols)
    for (int64_t c = 0; c < cols; ++c) sums[c] += __builtin_fabs(x[c]);
}

template <class T>
constexpr StatisticsLoops<T> kStatisticsLoops = {extremes<T>, extremes_rows<T>, total<T, Term::magnitude>, sum_abs_rows<T>};

}  // namespace
