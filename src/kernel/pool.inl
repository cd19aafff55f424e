// The loops of kernel/pool.h, for one instruction set (see loops.h): channels innermost, in blocks whose state stays in L1.
namespace {

constexpr int64_t kChannels = 64;  // in a block

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// f(pixel, place): the pixels of window (i,j) that lie in the image, as offsets of their first channel, and places in the window.
template <class F>
void for_window(const PoolShape& s, int64_t i, int64_t j, F&& f) {
  const int64_t top = i * s.stride_h - s.pad_h, left = j * s.stride_w - s.pad_w;
  for (int64_t u = larger(0, -top); u < smaller(s.KH, s.H - top); ++u)
    for (int64_t v = larger(0, -left); v < smaller(s.KW, s.W - left); ++v) f(((top + u) * s.W + left + v) * s.C, u * s.KW + v);
}

// f(output, i, j, c, n): blocks of channels c..c+n of every output pixel.
template <class F>
void for_outputs(const PoolShape& s, int64_t OH, int64_t OW, F&& f) {
  for (int64_t i = 0; i < OH; ++i)
    for (int64_t j = 0; j < OW; ++j)
      for (int64_t c = 0; c < s.C; c += kChannels) f((i * OW + j) * s.C + c, i, j, c, smaller(kChannels, s.C - c));
}

template <class T>
void max_forward(const PoolShape& s, int64_t OH, int64_t OW, const T* x, T* y, uint8_t* where) {
  using Place = typename Integer<sizeof(T)>::type;  // values and places then fill the same number of vectors
  for_outputs(s, OH, OW, [&](int64_t at, int64_t i, int64_t j, int64_t c, int64_t n) {
    T best[kChannels];
    Place places[kChannels];
    bool is_first = true;
    for_window(s, i, j, [&](int64_t pixel, int64_t place) {
      const T* a = x + pixel + c;
      const Place p = static_cast<Place>(place);
      for (int64_t k = 0; k < n; ++k) {
        const bool takes = is_first | (!(a[k] <= best[k]) & (best[k] == best[k]));
        best[k] = takes ? a[k] : best[k];
        places[k] = takes ? p : places[k];
      }
      is_first = false;
    });
    for (int64_t k = 0; k < n; ++k) y[at + k] = best[k];
    if (where)
      for (int64_t k = 0; k < n; ++k) where[at + k] = static_cast<uint8_t>(places[k]);
  });
}

template <class T>
void max_backward(const PoolShape& s, int64_t OH, int64_t OW, const T* dy, const uint8_t* where, T* dx) {
  using Place = typename Integer<sizeof(T)>::type;
  for (int64_t i = 0; i < s.H * s.W * s.C; ++i) dx[i] = 0;
  for_outputs(s, OH, OW, [&](int64_t at, int64_t i, int64_t j, int64_t c, int64_t n) {
    Place places[kChannels];
    for (int64_t k = 0; k < n; ++k) places[k] = where[at + k];
    for_window(s, i, j, [&](int64_t pixel, int64_t place) {
      T* d = dx + pixel + c;
      const Place p = static_cast<Place>(place);
      for (int64_t k = 0; k < n; ++k) d[k] += places[k] == p ? dy[at + k] : 0;
    });
  });
}

template <class T>
void average(const PoolShape& s, int64_t OH, int64_t OW, const T* x, T* y) {
  for_outputs(s, OH, OW, [&](int64_t at, int64_t i, int64_t j, int64_t c, int64_t n) {
    T total[kChannels] = {};
    int64_t count = 0;
    for_window(s, i, j, [&](int64_t pixel, int64_t) {
      for (int64_t k = 0; k < n; ++k) total[k] += x[pixel + c + k];
      ++count;
    });
    for (int64_t k = 0; k < n; ++k) y[at + k] = total[k] / static_cast<T>(count);
  });
}

template <class T>
void average_backward(const PoolShape& s, int64_t OH, int64_t OW, const T* dy, T* dx) {
  for (int64_t i = 0; i < s.H * s.W * s.C; ++i) dx[i] = 0;
  for_outputs(s, OH, OW, [&](int64_t at, int64_t i, int64_t j, int64_t c, int64_t n) {
    int64_t count = 0;
    for_window(s, i, j, [&](int64_t, int64_t) { ++count; });
    T share[kChannels];
    for (int64_t k = 0; k < n; ++k) share[k] = dy[at + k] / static_cast<T>(count);
    for_window(s, i, j, [&](int64_t pixel, int64_t) {
      for (int64_t k = 0; k < n; ++k) dx[pixel + c + k] += share[k];
    });
  });
}

template <class T>
constexpr PoolLoops<T> kPoolLoops = {max_backward<T>, average<T>, average_backward<T>};

}  // namespace
