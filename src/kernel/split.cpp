// The rows that make 16-bit products of byte products. Those are as fast as the machine's instructions for bytes, so that four of
// them beat one product of doubles.
#include "split.h"

#include <array>
#include <memory>

#include "loops.h"
#include "lptrain/base/parallel.h"
#include "product_types.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kChunk = 1 << 14;  // elements

ConvKey of_bytes(ConvKey key, DType a, DType b) {
  key.a = a;
  key.b = b;
  key.c = DType::i32;
  return key;
}

// A convolution with filters split once: b high or low, packed for a high or low.
class SplitFilters {
 public:
  SplitFilters(const ConvKey& key, const int16_t* w)
      : key_(key),
        w_(w, size_w(key.shape)),
        plans_{ConvPlan(of_bytes(key, DType::i8, DType::i8), w_.high.data()),
               ConvPlan(of_bytes(key, DType::i8, DType::u8), w_.low.data()),
               ConvPlan(of_bytes(key, DType::u8, DType::i8), w_.high.data()),
               ConvPlan(of_bytes(key, DType::u8, DType::u8), w_.low.data())} {}
  SplitFilters(const SplitFilters&) = delete;

  void run(const int16_t* a, double* c) const {
    const Split split(a, size_a(key_));
    const SplitSums sums(size_c(key_));
    for (size_t i = 0; i < plans_.size(); ++i) {
      const void* bytes = i < 2 ? static_cast<const void*>(split.high.data()) : split.low.data();
      plans_[i].run(bytes, sums.part(static_cast<int>(i)));
    }
    sums.join(false, c);
  }

 private:
  ConvKey key_;
  Split w_;
  std::array<ConvPlan, 4> plans_;
};

// All images at once, on all threads.
void both_split(const ConvKey& key, const int16_t* a, const int16_t* b, bool accumulate, double* c) {
  const Split x(a, size_a(key)), y(b, size_b(key));
  const SplitSums sums(size_c(key));
  each_split(x, y, [&](int i, DType type_a, const void* part_a, DType type_b, const void* part_b) {
    conv2d(of_bytes(key, type_a, type_b), part_a, part_b, sums.part(i));
  });
  sums.join(accumulate, c);
}

// As many images at a time as exact sums have terms for.
void backward_weights(ConvKey key, const int16_t* x, const int16_t* dy, double* dw) {
  const ConvShape whole = key.shape;
  const int64_t images = std::clamp<int64_t>(kSplitTerms / (whole.OH() * whole.OW()), 1, whole.N);
  for (int64_t n = 0; n < whole.N; n += images) {
    key.shape.N = std::min(images, whole.N - n);
    both_split(key, x + n * (size_x(whole) / whole.N), dy + n * (size_y(whole) / whole.N), n > 0, dw);
  }
}

}  // namespace

Split::Split(const int16_t* x, int64_t n) : high(n), low(n) {
  parallel_chunks(n, kChunk,
                  [&](int64_t i, int64_t end) { loops().split.split(end - i, x + i, high.data() + i, low.data() + i); });
}

void SplitSums::join(bool accumulate, double* c) const {
  parallel_chunks(n_, kChunk, [&](int64_t i, int64_t end) {
    loops().split.join(end - i, part(0) + i, part(1) + i, part(2) + i, part(3) + i, accumulate, c + i);
  });
}

const char* matmul_split_refuses(const MatmulKey& key) {
  if (key.a != DType::i16) return "takes i16";
  return key.k > kSplitTerms ? "takes k <= 33025" : nullptr;
}

void matmul_split(const MatmulKey& key, const void* a, const void* b, void* c) {
  const Split x(static_cast<const int16_t*>(a), key.m * key.k), y(static_cast<const int16_t*>(b), key.k * key.n);
  const SplitSums sums(key.m * key.n);
  each_split(x, y, [&](int i, DType type_a, const void* part_a, DType type_b, const void* part_b) {
    matmul({key.m, key.n, key.k, type_a, type_b, DType::i32, key.transpose_a, key.transpose_b}, part_a, part_b, sums.part(i));
  });
  sums.join(key.accumulate, static_cast<double*>(c));
}

const char* conv2d_split_refuses(const ConvKey& key) {
  if (key.a != DType::i16) return "takes i16";
  if (key.shape.groups > 1) return "takes one group";
  ConvKey image = key;
  image.shape.N = 1;
  return image.terms() > kSplitTerms ? "takes sums of at most 33025 terms" : nullptr;
}

void conv2d_split(const ConvKey& key, const void* a, const void* b, void* c) {
  const auto *x = static_cast<const int16_t*>(a), *y = static_cast<const int16_t*>(b);
  if (key.pass == ConvPass::backward_weights) return backward_weights(key, x, y, static_cast<double*>(c));
  both_split(key, x, y, false, static_cast<double*>(c));
}

ConvReady conv2d_split_ready(const ConvKey& key, const void* b) {
  return [filters = std::make_shared<const SplitFilters>(key, static_cast<const int16_t*>(b))](const void* a, void* c) {
    filters->run(static_cast<const int16_t*>(a), static_cast<double*>(c));
  };
}

}  // namespace lp
