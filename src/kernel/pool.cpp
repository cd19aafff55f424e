// Checks shapes and spreads pooling over threads, image by image.
#include "lptrain/kernel/pool.h"

#include "loops.h"
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

void check(const PoolShape& s) {
  require(s.N >= 0 && s.H > 0 && s.W > 0 && s.C > 0 && s.KH > 0 && s.KW > 0 && s.stride_h > 0 && s.stride_w > 0,
          "pool: sizes and strides must be positive, found image {} x {} x {}, window {} x {}, stride {} x {}", s.H, s.W, s.C,
          s.KH, s.KW, s.stride_h, s.stride_w);
  require(s.pad_h >= 0 && s.pad_w >= 0 && s.pad_h <= s.KH / 2 && s.pad_w <= s.KW / 2,
          "pool: padding {} x {} must lie between 0 and half the window {} x {}", s.pad_h, s.pad_w, s.KH, s.KW);
  require(s.H + 2 * s.pad_h >= s.KH && s.W + 2 * s.pad_w >= s.KW, "pool: window {} x {} is larger than the padded image {} x {}",
          s.KH, s.KW, s.H + 2 * s.pad_h, s.W + 2 * s.pad_w);
}

// f(offset into x, offset into y) for every image.
template <class F>
void for_images(const PoolShape& s, F&& f) {
  check(s);
  const int64_t in = s.H * s.W * s.C, out = s.OH() * s.OW() * s.C;
  parallel_for(s.N, (1 << 15) / in + 1, [&](int64_t image) { f(image * in, image * out); });
}

template <class T>
const MaxPoolLoops<T>& max_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().max_f64;
  else if constexpr (sizeof(T) == 4)
    return loops().max_f32;
  else if constexpr (sizeof(T) == 2)
    return loops().max_i16;
  else if constexpr (T(-1) < 0)
    return loops().max_i8;
  else
    return loops().max_u8;
}
template <class T>
const PoolLoops<T>& pool_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().pool64;
  else
    return loops().pool32;
}

}  // namespace

template <class T>
void max_pool(const PoolShape& s, const T* x, T* y, uint8_t* where) {
  const Timed timed("pool", "max_pool");
  require(!where || s.KH * s.KW <= 256, "max pool: window {} x {} has more than 256 places, too many for backward", s.KH, s.KW);
  const auto run = max_loops<T>().forward;
  for_images(s, [&](int64_t in, int64_t out) { run(s, s.OH(), s.OW(), x + in, y + out, where ? where + out : nullptr); });
}

template <class T>
void max_pool_backward(const PoolShape& s, const T* dy, const uint8_t* where, T* dx) {
  const Timed timed("pool", "max_pool_backward");
  const auto run = pool_loops<T>().max_backward;
  for_images(s, [&](int64_t in, int64_t out) { run(s, s.OH(), s.OW(), dy + out, where + out, dx + in); });
}

template <class T>
void average_pool(const PoolShape& s, const T* x, T* y) {
  const Timed timed("pool", "average_pool");
  const auto run = pool_loops<T>().average;
  for_images(s, [&](int64_t in, int64_t out) { run(s, s.OH(), s.OW(), x + in, y + out); });
}

template <class T>
void average_pool_backward(const PoolShape& s, const T* dy, T* dx) {
  const Timed timed("pool", "average_pool_backward");
  const auto run = pool_loops<T>().average_backward;
  for_images(s, [&](int64_t in, int64_t out) { run(s, s.OH(), s.OW(), dy + out, dx + in); });
}

template void max_pool(const PoolShape&, const float*, float*, uint8_t*);
template void max_pool(const PoolShape&, const double*, double*, uint8_t*);
template void max_pool(const PoolShape&, const int8_t*, int8_t*, uint8_t*);
template void max_pool(const PoolShape&, const uint8_t*, uint8_t*, uint8_t*);
template void max_pool(const PoolShape&, const int16_t*, int16_t*, uint8_t*);
template void max_pool_backward(const PoolShape&, const float*, const uint8_t*, float*);
template void max_pool_backward(const PoolShape&, const double*, const uint8_t*, double*);
template void average_pool(const PoolShape&, const float*, float*);
template void average_pool(const PoolShape&, const double*, double*);
template void average_pool_backward(const PoolShape&, const float*, float*);
template void average_pool_backward(const PoolShape&, const double*, double*);

}  // namespace lp
