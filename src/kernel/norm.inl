// The loops of kernel/norm.h, for one instruction set (see loops.h). ivdep: memory is either the same or apart.
namespace {

constexpr int64_t kRowsAtOnce = 8;  // whose terms are summed in T

// first[c] += sum of a, second[c] += sum of b over `rows` rows, where terms(r, c, a, b) adds to a and b.
template <class T, int64_t kRows, class Terms>
void add_rows(int64_t first_row, int64_t rows, int64_t cols, double* first, double* second, Terms terms) {
#pragma GCC ivdep
  for (int64_t c = 0; c < cols; ++c) {
    T a = 0, b = 0;
    if constexpr (kRows > 0) {
#pragma GCC unroll 8
      for (int64_t r = 0; r < kRows; ++r) terms(first_row + r, c, a, b);
    } else {
      for (int64_t r = 0; r < rows; ++r) terms(first_row + r, c, a, b);
    }
    first[c] += static_cast<double>(a);
    second[c] += static_cast<double>(b);
  }
}

template <class T, class Terms>
void two_sums(int64_t rows, int64_t cols, double* first, double* second, Terms terms) {
  int64_t r = 0;
  for (; r + kRowsAtOnce <= rows; r += kRowsAtOnce) add_rows<T, kRowsAtOnce>(r, kRowsAtOnce, cols, first, second, terms);
  if (r < rows) add_rows<T, 0>(r, rows - r, cols, first, second, terms);
}

template <class T>
void norm_moments(int64_t rows, int64_t cols, const T* x, const T* origin, double* first, double* second) {
  two_sums<T>(rows, cols, first, second, [=](int64_t r, int64_t c, T& sum, T& square) {
    const T d = x[r * cols + c] - origin[c];
    sum += d;
    square += d * d;
  });
}

template <class T>
void norm_apply(int64_t rows, int64_t cols, const T* x, const T* mean, const T* factor, const T* term, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += cols, y += cols)
#pragma GCC ivdep
    for (int64_t c = 0; c < cols; ++c) y[c] = (x[c] - mean[c]) * factor[c] + term[c];
}

template <class T>
void norm_backward_sums(int64_t rows, int64_t cols, const T* dy, const uint8_t* where, const T* x, const T* mean, double* first,
                        double* second) {
  const auto terms = [=](T d, int64_t i, int64_t c, T& sum, T& along) {
    sum += d;
    along += d * (x[i] - mean[c]);
  };
  if (where)
    two_sums<T>(rows, cols, first, second, [=](int64_t r, int64_t c, T& sum, T& along) {
      terms(where[r * cols + c] == 255 ? T(0) : dy[r * cols + c], r * cols + c, c, sum, along);
    });
  else
    two_sums<T>(rows, cols, first, second,
                [=](int64_t r, int64_t c, T& sum, T& along) { terms(dy[r * cols + c], r * cols + c, c, sum, along); });
}

template <class T>
void norm_backward(int64_t rows, int64_t cols, const T* dy, const uint8_t* where, const T* x, const T* mean, const T* p,
                   const T* q, const T* s, T* dx) {
  for (int64_t r = 0; r < rows; ++r, dy += cols, x += cols, dx += cols) {
    if (where) {
#pragma GCC ivdep
      for (int64_t c = 0; c < cols; ++c) dx[c] = p[c] * (where[c] == 255 ? T(0) : dy[c]) - q[c] * (x[c] - mean[c]) - s[c];
      where += cols;
    } else {
#pragma GCC ivdep
      for (int64_t c = 0; c < cols; ++c) dx[c] = p[c] * dy[c] - q[c] * (x[c] - mean[c]) - s[c];
    }
  }
}

template <class T>
constexpr NormLoops<T> kNormLoops = {norm_moments<T>, norm_apply<T>, norm_backward_sums<T>, norm_backward<T>};

}  // namespace
