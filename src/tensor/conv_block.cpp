// The loop over blocks of images, forward and back.
#include "lptrain/tensor/conv_block.h"

#include <cmath>
#include <limits>

#include "lptrain/kernel/map.h"
#include "lptrain/kernel/passage.h"
#include "lptrain/tensor/math.h"
#include "operands.h"

namespace lp {
namespace {

constexpr int64_t kBlockBytes = 256 << 10;  // of sums in a block: they, and what is made of them, stay in a second-level cache

// As many images as fill a block, such that all blocks are alike.
int64_t images_per_block(int64_t images, int64_t bytes_per_image) {
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

// The greatest y with y / s <= high (greatest = true), or the least with y / s >= low: comparisons then need no division.
float threshold(double end, float s, bool greatest) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  if (std::isinf(end)) return greatest ? kInf : -kInf;
  const auto passes = [&](float y) { return greatest ? y / s <= static_cast<float>(end) : y / s >= static_cast<float>(end); };
  const float outward = greatest ? kInf : -kInf;
  float y = static_cast<float>(end) * s;
  if (!std::isfinite(y)) return y;  // of a scale that is NaN nothing passes
  while (!passes(y)) y = std::nextafter(y, -outward);
  while (!std::isinf(y) && passes(std::nextafter(y, outward))) y = std::nextafter(y, outward);
  return y;
}

// Where the gradient passes: low <= y <= high, and above 0 behind a relu.
struct Passage {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();

  explicit Passage(const ConvSteps& steps) {
    if (steps.encoding && !steps.encoding->passes_all()) {
      const float s = steps.encoding->scale.data<float>()[0];
      low = threshold(steps.encoding->low, s, false);
      high = threshold(steps.encoding->high, s, true);
    }
    if (steps.relu) low = std::max(low, std::numeric_limits<float>::denorm_min());
  }
};

// Widens low..high; NaN stays.
void widen(float* extremes, float low, float high) {
  extremes[0] = low < extremes[0] || std::isnan(low) ? low : extremes[0];
  extremes[1] = high > extremes[1] || std::isnan(high) ? high : extremes[1];
}

Tensor no_extremes() {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  return Tensor::of<float>(Shape{2}, {kInf, -kInf});
}

ConvForward in_blocks(ConvForward product, int64_t images) {
  product.key.shape.N = images;
  return product;
}

// One forward pass: what all blocks share, and the memory that each worker reuses from block to block.
class ForwardPass {
 public:
  ForwardPass(const Value& x, const Value& w, const ConvShape& s, const Tensor* bias, const ConvSteps& steps)
      : steps_(steps),
        bias_(bias),
        sums_{s.N, s.OH(), s.OW(), s.O},
        window_(steps.pool.value_or(PoolShape{s.N, s.OH(), s.OW(), s.O, 1, 1})),
        y_{s.N, window_.OH(), window_.OW(), s.O},
        images_(images_per_block(s.N, sums_.after(0) * 4)),
        blocks_(s.N / images_),
        product_(in_blocks(conv_forward(x, w, s), images_)),
        plan_(product_.key, product_.w.raw()),
        passage_(steps),
        acc_(blocks_, sums_.with(0, images_), product_.key.c),
        reals_(has_own_reals() ? blocks_ : 0, sums_.with(0, images_), DType::f32),
        pooled_(steps.pool ? blocks_ : 0, y_.with(0, images_), DType::f32),
        extremes_(blocks_, Shape{2}, DType::f32),
        memory_(y_, steps.encoding ? encoded_type(*steps.encoding, DType::f32) : DType::f32) {
    if (steps.is_recorded) where_ = Tensor(y_, DType::u8);
    for (Tensor& e : extremes_.all) e = no_extremes();
    window_.N = images_;
  }

  ConvResult run() {
    each_block(blocks_, [this](int64_t worker, int64_t block) { this->block(worker, block); });
    ConvResult result{{}, where_, {}};
    result.y = steps_.encoding ? encoded(*steps_.encoding, std::move(memory_), DType::f32) : Value(std::move(memory_));
    if (!steps_.is_observed) return result;
    result.extremes = no_extremes();
    for (const Tensor& e : extremes_.all) widen(result.extremes.data<float>().data(), e.data<float>()[0], e.data<float>()[1]);
    return result;
  }

 private:
  bool has_own_reals() const { return product_.key.c != DType::f32; }

  void block(int64_t worker, int64_t block) {
    Tensor& sums = acc_[worker];
    const int64_t x_bytes = product_.x.bytes() / y_[0] * images_, y_bytes = memory_.bytes() / blocks_;
    plan_.run(static_cast<const std::byte*>(product_.x.raw()) + block * x_bytes, sums.raw());
    const float* done = activated(sums, has_own_reals() ? reals_[worker] : sums);
    done = passed(worker, block, done);
    std::byte* out = static_cast<std::byte*>(memory_.raw()) + block * y_bytes;
    if (steps_.encoding)
      encode(*steps_.encoding, block * images_ * y_.after(0), images_ * y_.after(0), DType::f32, done, out);
    else
      std::memcpy(out, done, static_cast<size_t>(y_bytes));
  }

  // From sums to reals (which may lie in the same memory), through relu.
  const float* activated(const Tensor& sums, Tensor& reals) const {
    const int64_t rows = sums.shape().rows(), C = sums.shape().back();
    float* x = reals.data<float>().data();
    if (product_.scales)
      rescale(sums.dtype(), sums.raw(), rows, C, *product_.scales, bias_, DType::f32, x);
    else if (bias_)
      add_bias(rows, C, x, bias_->data<float>().data(), x);
    if (steps_.relu) relu(reals.size(), x, x);
    return x;
  }

  // Through the pool; notes where gradients pass, and the extremes.
  const float* passed(int64_t worker, int64_t block, const float* x) {
    const int64_t n = images_ * y_.after(0);
    uint8_t* where = where_ ? where_.data<uint8_t>().data() + block * n : nullptr;
    if (steps_.pool) {
      float* y = pooled_[worker].data<float>().data();
      max_pool(window_, x, y, where);
      x = y;
    } else if (where) {
      std::memset(where, 0, static_cast<size_t>(n));
    }
    if (where) mark_passage(n, x, passage_.low, passage_.high, where);
    if (steps_.is_observed) {
      float low = 0, high = 0;
      minmax({1, 1, n}, DType::f32, x, &low, &high);
      widen(extremes_[worker].data<float>().data(), low, high);
    }
    return x;
  }

  const ConvSteps& steps_;
  const Tensor* bias_;
  Shape sums_;
  PoolShape window_;  // of one block
  Shape y_;
  int64_t images_, blocks_;  // images in a block
  ConvForward product_;      // of one block
  ConvPlan plan_;
  Passage passage_;
  Desks acc_, reals_, pooled_, extremes_;
  Tensor memory_, where_;
};

}  // namespace

ConvResult conv2d_forward(const Value& x, const Value& w, const ConvShape& shape, const Tensor* bias, const ConvSteps& steps) {
  return ForwardPass(x, w, shape, bias, steps).run();
}

Value conv2d_error(const Tensor& dy, const Tensor& where, const PoolShape& window, const Tensor* ratios,
                   const Encoding* encoding) {
  const Shape full{window.N, window.H, window.W, window.C};
  const int64_t images = images_per_block(window.N, full.after(0) * 4), blocks = window.N / images, C = window.C;
  PoolShape part = window;
  part.N = images;
  Tensor memory(full, encoding ? encoded_type(*encoding, DType::f32) : DType::f32);
  Desks folded(ratios ? blocks : 0, dy.shape().with(0, images), DType::f32);
  Desks spread(encoding ? blocks : 0, full.with(0, images), DType::f32);
  const int64_t n = dy.shape().after(0) * images, bytes = memory.bytes() / blocks;
  each_block(blocks, [&](int64_t worker, int64_t block) {
    const float* from = dy.data<float>().data() + block * n;
    if (ratios) {
      float* to = folded[worker].data<float>().data();
      scale_columns(n / C, C, from, ratios->data<float>().data(), to);
      from = to;
    }
    std::byte* out = static_cast<std::byte*>(memory.raw()) + block * bytes;
    float* all = encoding ? spread[worker].data<float>().data() : reinterpret_cast<float*>(out);
    max_pool_backward(part, from, where.data<uint8_t>().data() + block * n, all);
    if (encoding) encode(*encoding, block * images * full.after(0), images * full.after(0), DType::f32, all, out);
  });
  return encoding ? encoded(*encoding, std::move(memory), DType::f32) : Value(std::move(memory));
}

Tensor error_extremes(const Tensor& dy, const Tensor& where, const Tensor* ratios) {
  Tensor extremes(Shape{2});
  float* ends = extremes.data<float>().data();
  passed_extremes(dy.shape().rows(), dy.shape().back(), dy.data<float>().data(), ratios ? ratios->data<float>().data() : nullptr,
                  where.data<uint8_t>().data(), ends, ends + 1);
  return extremes;
}

}  // namespace lp
