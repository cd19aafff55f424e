// Loops over blocks of images: how many fit, who works on which, and what is done to each block behind its product.
#pragma once
#include <algorithm>
#include <vector>

#include "lptrain/base/parallel.h"
#include "lptrain/tensor/block.h"
#include "lptrain/tensor/tensor.h"

namespace lp {

inline constexpr int64_t kBlockBytes =
    256 << 10;  // of sums in a block: they, and what is made of them, stay in a second-level cache

// As many images as fill a block, such that all blocks are alike.
inline int64_t images_per_block(int64_t images, int64_t bytes_per_image) {
  int64_t n = std::clamp<int64_t>(kBlockBytes / std::max<int64_t>(bytes_per_image, 1), 1, images);
  while (images % n != 0) --n;
  return n;
}

// f(worker, block) for all blocks; a worker is a thread, so that it may own memory.
template <class F>
void each_block(int64_t blocks, F&& f) {
  const int64_t workers = std::min<int64_t>(blocks, thread_count());
  parallel_for(workers, 1, [&](int64_t worker) {
    for (int64_t b = worker; b < blocks; b += workers) f(worker, b);
  });
}

// One tensor a worker.
struct Desks {
  Desks(int64_t blocks, const Shape& shape, DType type) {
    for (int64_t i = 0; i < std::min<int64_t>(blocks, thread_count()); ++i) all.emplace_back(shape, type);
  }
  Tensor& operator[](int64_t worker) { return all[static_cast<size_t>(worker)]; }
  std::vector<Tensor> all;
};

// Images [N, ...] cut into blocks that are alike.
struct Blocks {
  explicit Blocks(const Shape& x) : images(images_per_block(x[0], x.after(0) * 4)), count(x[0] / images) {}
  int64_t images, count;  // images in a block
};

// The steps behind the reals x of a block, which are made at its desk. Workers may be at it at the same time, each with a number
// of its own.
class BlockTail {
 public:
  BlockTail(const Shape& x, const Blocks& blocks, const BlockSteps& steps);
  float* desk(int64_t worker, int64_t block);
  void take(int64_t worker, int64_t block);  // what lies at the desk is overwritten
  BlockResult result();                      // after all blocks

 private:
  const float* pooled(int64_t worker, const float* x, uint8_t* where);

  const BlockSteps& steps_;
  Blocks blocks_;
  PoolShape window_;  // of one block
  Shape y_;
  Bounds passage_;
  bool has_own_desks_;  // else reals are made where they stay
  Desks desks_, pooled_, extremes_;
  Tensor memory_, where_;
};

}  // namespace lp
