// What makes the reals of a block: a convolution, or the affine map of a normalization.
#include "blocks.h"
#include "lptrain/kernel/map.h"
#include "lptrain/kernel/norm.h"
#include "lptrain/tensor/block.h"
#include "operands.h"

namespace lp {
namespace {

ConvForward in_blocks(ConvForward product, int64_t images) {
  product.key.shape.N = images;
  return product;
}

// One convolution: what all blocks share, and the memory that each worker reuses from block to block.
class ConvolvedBlocks {
 public:
  ConvolvedBlocks(const Value& x, const Value& w, const ConvShape& s, const Tensor* bias, const BlockSteps& steps)
      : bias_(bias),
        sums_{s.N, s.OH(), s.OW(), s.O},
        blocks_(sums_),
        product_(in_blocks(conv_forward(x, w, s), blocks_.images)),
        plan_(product_.key, product_.w.raw()),
        tail_(sums_, blocks_, steps),
        acc_(blocks_.count, sums_.with(0, blocks_.images), product_.key.c),
        reals_(product_.key.c != DType::f32 ? blocks_.count : 0, sums_.with(0, blocks_.images), DType::f32) {}

  BlockResult run() {
    const int64_t bytes = product_.x.bytes() / blocks_.count;
    each_block(blocks_.count, [&](int64_t worker, int64_t block) {
      Tensor& sums = acc_[worker];
      plan_.run(static_cast<const std::byte*>(product_.x.raw()) + block * bytes, sums.raw());
      tail_.take(worker, block, reals(sums, reals_.all.empty() ? sums : reals_[worker]));
    });
    return tail_.result();
  }

 private:
  // The reals that sums stand for; they may lie in the same memory.
  float* reals(const Tensor& sums, Tensor& to) const {
    const int64_t rows = sums.shape().rows(), C = sums.shape().back();
    float* x = to.data<float>().data();
    if (product_.scales)
      rescale(sums.dtype(), sums.raw(), rows, C, *product_.scales, bias_, DType::f32, x);
    else if (bias_)
      add_bias(rows, C, x, bias_->data<float>().data(), x);
    return x;
  }

  const Tensor* bias_;
  Shape sums_;
  Blocks blocks_;
  ConvForward product_;  // of one block
  ConvPlan plan_;
  BlockTail tail_;
  Desks acc_, reals_;
};

}  // namespace

BlockResult conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias, const BlockSteps& steps) {
  return ConvolvedBlocks(x, w, shape, bias, steps).run();
}

BlockResult norm_forward(const Tensor& x, const Tensor& mean, const Tensor& factor, const Tensor& term, const BlockSteps& steps) {
  const Blocks blocks(x.shape());
  BlockTail tail(x.shape(), blocks, steps);
  Desks reals(blocks.count, x.shape().with(0, blocks.images), DType::f32);
  const int64_t C = x.shape().back(), n = x.shape().after(0) * blocks.images;
  each_block(blocks.count, [&](int64_t worker, int64_t block) {
    float* y = reals[worker].data<float>().data();
    norm_apply(n / C, C, x.data<float>().data() + block * n, mean.data<float>().data(), factor.data<float>().data(),
               term.data<float>().data(), y);
    tail.take(worker, block, y);
  });
  return tail.result();
}

}  // namespace lp
