// A convolution and what follows it - relu, max-pool, encoding - a block of images at a time, while their sums are in cache.
//
// Nothing here is rounded otherwise than by the plain steps one after the other: the same kernels run on the same numbers, block
// by block. Reals are f32.
#pragma once
#include <optional>

#include "lptrain/kernel/passage.h"
#include "lptrain/kernel/pool.h"
#include "lptrain/tensor/encoding.h"
#include "lptrain/tensor/product.h"

namespace lp {

// y = encode(max_pool(relu(conv2d(x, w) + bias))), each step if wanted.
struct ConvSteps {
  bool relu = false;
  std::optional<PoolShape> pool;     // of the convolution's result; windows that do not overlap, of at most 255 places
  std::optional<Encoding> encoding;  // with one scale, or one a channel
  bool is_recorded = false;          // backward will want `where`
  bool is_observed = false;          // `extremes` are wanted
};

struct ConvResult {
  Value y;
  Tensor where;     // u8, the shape of y: the place of the maximum in its window, kDead where no gradient passes; if recorded
  Tensor extremes;  // f32 [2]: the least and greatest element before encoding; if observed
};

ConvResult conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias, const ConvSteps& steps);

// The gradient at the convolution's sums, e[N,OH,OW,O]: dy, times ratio_o (if given), sent back to where the maxima were, and
// encoded (if wanted). `window` as for forward; without pooling, windows of one place.
Value conv2d_error(const Tensor& dy, const Tensor& where, const PoolShape& window, const Tensor* ratios,
                   const Encoding* encoding);

// The least and greatest element of that gradient before it is encoded, 0 included: f32 [2].
Tensor error_extremes(const Tensor& dy, const Tensor& where, const Tensor* ratios);

}  // namespace lp
