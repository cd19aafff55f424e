// Max and average pooling of images that lie in memory as NHWC.
#pragma once
#include <cstdint>

namespace lp {

// Windows of KH x KW pixels over x[N,H,W,C], giving y[N,OH,OW,C]. Padding lies outside the image: it is never the maximum and
// does not count in an average. Every window holds at least one pixel: 0 <= pad <= K / 2 (else Error), as in PyTorch.
struct PoolShape {
  int64_t N, H, W, C, KH, KW;
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
  int64_t OH() const { return (H + 2 * pad_h - KH) / stride_h + 1; }
  int64_t OW() const { return (W + 2 * pad_w - KW) / stride_w + 1; }
  bool operator==(const PoolShape&) const = default;
};

// y = the maximum of each window, the first one in row-major order if there are several; NaN is the greatest.
// where[N,OH,OW,C] = u * KW + v, the place of the maximum in its window, for backward; may be null. KH * KW <= 256.
// T is f32, f64, or a code (i8, u8, i16): codes of one scale are ordered as the reals they stand for.
template <class T>
void max_pool(const PoolShape& shape, const T* x, T* y, uint8_t* where);

// dx[N,H,W,C] = the sum of dy over the windows whose maximum the pixel was. T is f32 or f64.
template <class T>
void max_pool_backward(const PoolShape& shape, const T* dy, const uint8_t* where, T* dx);

// y = (sum of the window's pixels) / (number of its pixels);  dx = the sum of dy / number over the windows that hold the pixel.
// T is f32 or f64.
template <class T>
void average_pool(const PoolShape& shape, const T* x, T* y);
template <class T>
void average_pool_backward(const PoolShape& shape, const T* dy, T* dx);

}  // namespace lp
