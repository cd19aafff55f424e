// The steps behind a block's reals, and their way back.
#include "lptrain/tensor/block.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "blocks.h"
#include "lptrain/kernel/map.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Widens low..high; NaN stays.
void widen(float* extremes, float low, float high) {
  extremes[0] = low < extremes[0] || std::isnan(low) ? low : extremes[0];
  extremes[1] = high > extremes[1] || std::isnan(high) ? high : extremes[1];
}

Tensor no_extremes() { return Tensor::of<float>(Shape{2}, {kInf, -kInf}); }

// x as a pool sees it: [N,H,W,C], or, without a pool, anything.
PoolShape window_of(const Shape& x, const BlockSteps& steps) {
  return steps.pool.value_or(PoolShape{x[0], x.size() / std::max<int64_t>(1, x[0] * x.back()), 1, x.back(), 1, 1});
}

bool passes_everywhere(const BlockSteps& steps) {
  return !steps.relu && !steps.pool && (!steps.encoding || steps.encoding->passes_all());
}

// Behind a relu, nothing passes at 0 and below.
Bounds bounds_of(const BlockSteps& steps) {
  Bounds b = steps.encoding ? gradient_bounds(*steps.encoding) : Bounds{};
  if (steps.relu) b.low = std::max(b.low, std::numeric_limits<float>::denorm_min());
  return b;
}

}  // namespace

BlockTail::BlockTail(const Shape& x, const Blocks& blocks, const BlockSteps& steps)
    : steps_(steps),
      blocks_(blocks),
      window_(window_of(x, steps)),
      y_(steps.pool ? Shape{x[0], window_.OH(), window_.OW(), x.back()} : x),
      passage_(bounds_of(steps)),
      has_own_desks_(steps.pool || steps.encoding),
      desks_(has_own_desks_ ? blocks.count : 0, x.with(0, blocks.images), DType::f32),
      pooled_(steps.pool ? blocks.count : 0, y_.with(0, blocks.images), DType::f32),
      extremes_(blocks.count, Shape{2}, DType::f32),
      memory_(y_, steps.encoding ? encoded_type(*steps.encoding, DType::f32) : DType::f32) {
  if (steps.is_recorded && !passes_everywhere(steps)) where_ = Tensor(y_, DType::u8);
  for (Tensor& e : extremes_.all) e = no_extremes();
  window_.N = blocks.images;
}

// Through the pool, noting where the maxima are.
const float* BlockTail::pooled(int64_t worker, const float* x, uint8_t* where) {
  if (!steps_.pool) {
    if (where) std::memset(where, 0, static_cast<size_t>(blocks_.images * y_.after(0)));
    return x;
  }
  float* y = pooled_[worker].data<float>().data();
  max_pool(window_, x, y, where);
  return y;
}

float* BlockTail::desk(int64_t worker, int64_t block) {
  if (has_own_desks_) return desks_[worker].data<float>().data();
  return memory_.data<float>().data() + block * blocks_.images * y_.after(0);
}

void BlockTail::take(int64_t worker, int64_t block) {
  float* x = desk(worker, block);
  const int64_t n = blocks_.images * y_.after(0);
  uint8_t* where = where_ ? where_.data<uint8_t>().data() + block * n : nullptr;
  std::byte* out = static_cast<std::byte*>(memory_.raw()) + block * (memory_.bytes() / blocks_.count);
  if (steps_.relu) relu(window_.N * window_.H * window_.W * window_.C, x, x);
  const float* y = pooled(worker, x, where);
  if (where) mark_passage(n, y, passage_.low, passage_.high, where);
  if (steps_.is_observed) {
    float low = 0, high = 0;
    minmax({1, 1, n}, DType::f32, y, &low, &high);
    widen(extremes_[worker].data<float>().data(), low, high);
  }
  if (steps_.encoding)
    encode(*steps_.encoding, block * n, n, DType::f32, y, out);
  else if (steps_.pool)
    std::memcpy(out, y, static_cast<size_t>(n) * sizeof(float));
}

BlockResult BlockTail::result() {
  BlockResult r{{}, where_, {}};
  r.y = steps_.encoding ? encoded(*steps_.encoding, std::move(memory_), DType::f32) : Value(std::move(memory_));
  if (!steps_.is_observed) return r;
  r.extremes = no_extremes();
  for (const Tensor& e : extremes_.all) widen(r.extremes.data<float>().data(), e.data<float>()[0], e.data<float>()[1]);
  return r;
}

Value block_error(const Tensor& dy, const Tensor& where, const PoolShape& window, const Tensor* ratios,
                  const Encoding* encoding) {
  if (!where && !ratios && !encoding) return Value(dy);
  const Shape full = where ? Shape{window.N, window.H, window.W, window.C} : dy.shape();
  const Blocks blocks(full);
  PoolShape part = window;
  part.N = blocks.images;
  Tensor memory(full, encoding ? encoded_type(*encoding, DType::f32) : DType::f32);
  Desks folded(ratios ? blocks.count : 0, dy.shape().with(0, blocks.images), DType::f32);
  Desks spread(where && encoding ? blocks.count : 0, full.with(0, blocks.images), DType::f32);
  const int64_t n = dy.shape().after(0) * blocks.images, all = full.after(0) * blocks.images, C = dy.shape().back();
  each_block(blocks.count, [&](int64_t worker, int64_t block) {
    const float* e = dy.data<float>().data() + block * n;
    std::byte* out = static_cast<std::byte*>(memory.raw()) + block * (memory.bytes() / blocks.count);
    if (ratios) {
      float* to = where || encoding ? folded[worker].data<float>().data() : reinterpret_cast<float*>(out);
      scale_columns(n / C, C, e, ratios->data<float>().data(), to);
      e = to;
    }
    if (where) {
      float* to = encoding ? spread[worker].data<float>().data() : reinterpret_cast<float*>(out);
      max_pool_backward(part, e, where.data<uint8_t>().data() + block * n, to);
      e = to;
    }
    if (encoding) encode(*encoding, block * all, all, DType::f32, e, out);
  });
  return encoding ? encoded(*encoding, std::move(memory), DType::f32) : Value(std::move(memory));
}

Tensor error_extremes(const Tensor& dy, const Tensor& where, const Tensor* ratios) {
  Tensor extremes(Shape{2});
  float* ends = extremes.data<float>().data();
  passed_extremes(dy.shape().rows(), dy.shape().back(), dy.data<float>().data(), ratios ? ratios->data<float>().data() : nullptr,
                  where ? where.data<uint8_t>().data() : nullptr, ends, ends + 1);
  return extremes;
}

}  // namespace lp
