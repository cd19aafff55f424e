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
        acc_(product_.key.c != DType::f32 ? blocks_.count : 0, sums_.with(0, blocks_.images), product_.key.c) {}

  BlockResult run() {
    const int64_t bytes = product_.x.bytes() / blocks_.count;
    each_block(blocks_.count, [&](int64_t worker, int64_t block) {
      float* x = tail_.desk(worker, block);
      void* sums = acc_.all.empty() ? x : acc_[worker].raw();
      plan_.run(static_cast<const std::byte*>(product_.x.raw()) + block * bytes, sums);
      to_reals(sums, x);
      tail_.take(worker, block);
    });
    return tail_.result();
  }

 private:
  // The reals that sums stand for, which may lie in the same memory.
  void to_reals(const void* sums, float* x) const {
    const int64_t C = sums_.back(), rows = blocks_.images * sums_.after(0) / C;
    if (product_.scales)
      rescale(product_.key.c, sums, rows, C, *product_.scales, bias_, DType::f32, x);
    else if (bias_)
      add_bias(rows, C, x, bias_->data<float>().data(), x);
  }

  const Tensor* bias_;
  Shape sums_;
  Blocks blocks_;
  ConvForward product_;  // of one block
  ConvPlan plan_;
  BlockTail tail_;
  Desks acc_;  // sums that are not f32
};

}  // namespace

BlockResult conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias, const BlockSteps& steps) {
  return ConvolvedBlocks(x, w, shape, bias, steps).run();
}

BlockResult norm_forward(const Tensor& x, const Tensor& mean, const Tensor& factor, const Tensor& term, const BlockSteps& steps) {
  const Blocks blocks(x.shape());
  BlockTail tail(x.shape(), blocks, steps);
  const int64_t C = x.shape().back(), n = x.shape().after(0) * blocks.images;
  each_block(blocks.count, [&](int64_t worker, int64_t block) {
    norm_apply(n / C, C, x.data<float>().data() + block * n, mean.data<float>().data(), factor.data<float>().data(),
               term.data<float>().data(), tail.desk(worker, block));
    tail.take(worker, block);
  });
  return tail.result();
}

}  // namespace lp
