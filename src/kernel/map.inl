// The loops of kernel/map.h, for one instruction set (see loops.h). ivdep: memory is either the same or apart.
namespace {

template <class T>
void relu(int64_t n, const T* x, T* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

template <class T>
void relu_backward(int64_t n, const T* y, const T* dy, T* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) dx[i] = y[i] > 0 ? dy[i] : 0;
}

template <class T>
void add(int64_t n, const T* a, const T* b, T* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

template <class T>
void scale(int64_t n, T a, const T* x, T* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = a * x[i];
}

template <class T>
void axpy(int64_t n, T a, const T* x, T* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}

template <class T>
void add_bias(int64_t rows, int64_t cols, const T* x, const T* bias, T* y) {
  for (int64_t r = 0; r < rows; ++r) add(cols, x + r * cols, bias, y + r * cols);
}

// total[c] += sum over rows; block[c] is scratch.
template <class T>
void column_sums(int64_t rows, int64_t cols, const T* x, T* block, double* total) {
  for (int64_t first = 0; first < rows; first += 32) {
    const int64_t last = first + 32 < rows ? first + 32 : rows;
    for (int64_t c = 0; c < cols; ++c) block[c] = x[first * cols + c];
    for (int64_t r = first + 1; r < last; ++r) add(cols, block, x + r * cols, block);
    for (int64_t c = 0; c < cols; ++c) total[c] += block[c];
  }
}

// 16 running sums in f64, element i belongs to sum i % 16; then a tree: an order that gives the same bits on every ISA.
typedef double Sums __attribute__((vector_size(64)));

enum class Term { itself, square, magnitude };

template <Term kTerm, class V>
void accumulate(const V& a, V& total) {
  if constexpr (kTerm == Term::square)
    total += a * a;
  else if constexpr (kTerm == Term::magnitude)
    total += a < 0 ? -a : a;
  else
    total += a;
}

template <class T, Term kTerm>
double total(int64_t n, const T* x) {
  typedef T Lane __attribute__((vector_size(8 * sizeof(T)), aligned(sizeof(T)), may_alias));
  Sums low = {}, high = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    accumulate<kTerm>(__builtin_convertvector(*reinterpret_cast<const Lane*>(x + i), Sums), low);
    accumulate<kTerm>(__builtin_convertvector(*reinterpret_cast<const Lane*>(x + i + 8), Sums), high);
  }
  Sums rest[2] = {};
  for (int64_t j = 0; i + j < n; ++j) rest[j / 8][j % 8] = x[i + j];
  accumulate<kTerm>(rest[0], low);
  accumulate<kTerm>(rest[1], high);
  low += high;
  return ((low[0] + low[4]) + (low[2] + low[6])) + ((low[1] + low[5]) + (low[3] + low[7]));
}

template <class T>
constexpr MapLoops<T> kMapLoops = {relu<T>,
                                   relu_backward<T>,
                                   add<T>,
                                   scale<T>,
                                   axpy<T>,
                                   add_bias<T>,
                                   column_sums<T>,
                                   total<T, Term::itself>,
                                   total<T, Term::square>};

}  // namespace
