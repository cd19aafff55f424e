// Pooling layers.
#include "layers.h"

namespace lp {

void Pool2dLayer::pool_fields(Fields& f) {
  f("kernel", kernel, "size of the window");
  f("stride", stride, "step between windows; by default the kernel");
  f("pad", pad, "rows and columns around the input, at most half the kernel");
  f.claim(kernel.height() >= 1 && kernel.width() >= 1, "\"kernel\" must be at least 1");
  f.claim(!stride || (stride->height() >= 1 && stride->width() >= 1), "\"stride\" must be at least 1");
  f.claim(2 * pad.height() <= kernel.height() && 2 * pad.width() <= kernel.width(), "\"pad\" must be at most half of \"kernel\"");
}

void MaxPool2dLayer::fields(Fields& f) {
  pool_fields(f);
  f.claim(kernel.height() * kernel.width() <= 256, "\"kernel\" must hold at most 256 elements");
}

Pool2d Pool2dLayer::how() const {
  const Size2d step = stride.value_or(kernel);
  return {kernel.height(), kernel.width(), step.height(), step.width(), pad.height(), pad.width()};
}

Shape Pool2dLayer::pooled(const Shape& input) const {
  require_image(input);
  const Pool2d p = how();
  const int64_t H = input[0] + 2 * p.pad_h, W = input[1] + 2 * p.pad_w;
  require(H >= p.kernel_h && W >= p.kernel_w, "the input {} is smaller than the window {}x{}", input.text(), p.kernel_h,
          p.kernel_w);
  return {(H - p.kernel_h) / p.stride_h + 1, (W - p.kernel_w) / p.stride_w + 1, input[2]};
}

Shape GlobalAvgPoolLayer::output(const Shape& input, int64_t) const {
  require_image(input);
  return {input[2]};
}

}  // namespace lp
