// Convolutions of halves on the floats they stand for: exact products, sums in f32, at the speed of f32.
#include <memory>
#include <vector>

#include "product_types.h"
#include "rows.h"
#include "scratch.h"
#include "widen.h"

namespace lp {
namespace {

ConvKey of_floats(ConvKey key) {
  key.a = key.b = DType::f32;
  return key;
}

// A convolution with filters widened once.
class WideFilters {
 public:
  WideFilters(const ConvKey& key, const void* w) : key_(key), w_(size_b(key)), plan_(of_floats(key), widened(w)) {}
  WideFilters(const WideFilters&) = delete;

  void run(const void* a, void* c) const {
    const Scratch<float> x(size_a(key_));
    widen_halves(key_.a, size_a(key_), a, x.data());
    plan_.run(x.data(), c);
  }

 private:
  const float* widened(const void* w) {
    widen_halves(key_.b, size_b(key_), w, w_.data());
    return w_.data();
  }

  ConvKey key_;
  std::vector<float> w_;
  ConvPlan plan_;
};

}  // namespace

const char* conv2d_widened_refuses(const ConvKey& key) { return is_half(key.a) ? nullptr : "takes f16 and bf16"; }

void conv2d_widened(const ConvKey& key, const void* a, const void* b, void* c) {
  const Scratch<float> x(size_a(key)), y(size_b(key));
  widen_halves(key.a, size_a(key), a, x.data());
  widen_halves(key.b, size_b(key), b, y.data());
  conv2d(of_floats(key), x.data(), y.data(), c);
}

ConvReady conv2d_widened_ready(const ConvKey& key, const void* b) {
  return [filters = std::make_shared<const WideFilters>(key, b)](const void* a, void* c) { filters->run(a, c); };
}

}  // namespace lp
