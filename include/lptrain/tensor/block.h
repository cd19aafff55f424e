// What follows a product or a normalization - relu, max-pool, encoding - a block of images at a time, while their reals are in
// cache; and the way back.
//
// Nothing here is rounded otherwise than by the plain steps one after the other: the same kernels run on the same numbers, block
// by block. Reals are f32, images lie along the first axis, channels along the last.
#pragma once
#include <optional>

#include "lptrain/kernel/passage.h"
#include "lptrain/kernel/pool.h"
#include "lptrain/tensor/encoding.h"
#include "lptrain/tensor/product.h"

namespace lp {

// y = encode(max_pool(relu(x))), each step if wanted.
struct BlockSteps {
  bool relu = false;
  std::optional<PoolShape> pool;     // of x; windows that do not overlap, of at most 255 places
  std::optional<Encoding> encoding;  // with one scale
  bool is_recorded = false;          // backward will want `where`
  bool is_observed = false;          // `extremes` are wanted
};

struct BlockResult {
  Value y;
  Tensor where;     // u8, the shape of y: the place of the maximum in its window, kDead where no gradient passes; if recorded,
                    // and if gradients do not pass everywhere
  Tensor extremes;  // f32 [2]: the least and greatest element before encoding; if observed
};

// x = conv2d(x, w) + bias; bias may be null.
BlockResult conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias, const BlockSteps& steps);
// x = (x - mean_c) factor_c + term_c, f32 [C] each.
BlockResult norm_forward(const Tensor& x, const Tensor& mean, const Tensor& factor, const Tensor& term, const BlockSteps& steps);

// The gradient at x: dy, times ratio_c (if given), sent back to where the maxima were, and encoded (if wanted). `window` as for
// forward; without pooling, windows of one place.
Value block_error(const Tensor& dy, const Tensor& where, const PoolShape& window, const Tensor* ratios, const Encoding* encoding);

// The least and greatest element of that gradient before it is encoded, 0 included: f32 [2].
Tensor error_extremes(const Tensor& dy, const Tensor& where, const Tensor* ratios);

}  // namespace lp
