// 2-D convolution: plain, grouped, dilated, depthwise.
#include "layers.h"

namespace lp {

void Size2d::fields(Fields& f) {
  f("size", size, "both", {0, 1e4});
  f("h", h, "along the height", {0, 1e4});
  f("w", w, "along the width", {0, 1e4});
}

void require_image(const Shape& input) {
  require(input.rank() == 3, "the input is {}, wanted [H,W,C]; {}", input.text(),
          input.rank() == 1 ? "a \"reshape\" can make images of vectors"
                            : "see the shapes of the layers before it with `lptrain summary`");
}

void Conv2dLayer::fields(Fields& f) {
  f("name", name, "layer name; by default conv1, conv2 ...");
  f("out", out, "output channels; with depthwise, by default as many as input channels", {1, 1e6});
  f("kernel", kernel, "size of the window");
  f("stride", stride, "step between windows");
  f("pad", pad, "zeros around the input");
  f("dilation", dilation, "step inside a window");
  f("groups", groups, "cut channels into groups that do not see each other", {1, 1e6});
  f("depthwise", depthwise, "as many groups as input channels");
  f("bias", bias, "add a trained bias");
  f("standardize", standardize, "see the weights behind each output with mean 0 and a variance of 2 / n (Qiao et al. 2019)");
  f.claim(out || depthwise, "\"out\" is missing: the number of output channels");
  f.claim(!depthwise || groups == 1, "\"depthwise\" says how many groups there are; leave out \"groups\"");
  f.claim(kernel.height() >= 1 && kernel.width() >= 1, "\"kernel\" must be at least 1");
  f.claim(stride.height() >= 1 && stride.width() >= 1, "\"stride\" must be at least 1");
  f.claim(dilation.height() >= 1 && dilation.width() >= 1, "\"dilation\" must be at least 1");
}

Shape Conv2dLayer::output(const Shape& input, int64_t) const {
  require_image(input);
  const int64_t C = input[2], O = out_for(input), G = groups_for(input);
  require(C % G == 0 && O % G == 0, "{} groups divide neither evenly: {} input channels, {} output channels", G, C, O);
  auto extent = [](int64_t n, int64_t k, int64_t s, int64_t p, int64_t d) {
    return n + 2 * p < d * (k - 1) + 1 ? 0 : (n + 2 * p - d * (k - 1) - 1) / s + 1;
  };
  const Shape y{extent(input[0], kernel.height(), stride.height(), pad.height(), dilation.height()),
                extent(input[1], kernel.width(), stride.width(), pad.width(), dilation.width()), O};
  require(y.size() > 0, "the input {} with padding {}x{} is smaller than the kernel {}x{} (dilation {}x{})", input.text(),
          pad.height(), pad.width(), kernel.height(), kernel.width(), dilation.height(), dilation.width());
  return y;
}

int64_t Conv2dLayer::macs(const Shape& input, int64_t classes) const {
  return output(input, classes).size() * kernel.height() * kernel.width() * (input.back() / groups_for(input));
}

std::optional<ConvShape> Conv2dLayer::product(const Shape& input, int64_t) const {
  return ConvShape{1,
                   input[0],
                   input[1],
                   input[2],
                   out_for(input),
                   kernel.height(),
                   kernel.width(),
                   stride.height(),
                   stride.width(),
                   pad.height(),
                   pad.width(),
                   dilation.height(),
                   dilation.width(),
                   groups_for(input)};
}

namespace {

struct ConvModule : ProductModule {
  Conv2d how;
  Neighbours behind;

  ConvModule(Builder& b, const std::string& layer, const Shape& shape, bool has_bias, const Conv2d& h)
      : ProductModule(b, layer, shape, has_bias), how(h) {}
  Neighbours* neighbours() override { return &behind; }
  Var product(const Var& x, const Var& w, const Var& b) const override { return conv2d(x, w, b, how); }
  Var forward(Context& c, const Var& x) override {
    const Var seen = c.look(input, x);
    const auto [w, offset] = operands(c, seen);
    if (seen.value.dtype() != DType::f32 || !accumulator.is_native())
      return behind.one_by_one(conv2d(seen, w, offset, how, c.errors(error), c.accumulator(accumulator, name)));
    const ConvBlock result = conv2d_block(seen, w, offset, how, behind.now(c), c.errors_block(error));
    behind.observe(c, result.extremes);
    return result.y;
  }
};

}  // namespace

std::unique_ptr<Module> Conv2dLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const int64_t G = groups_for(input);
  const Shape weight{out_for(input), kernel.height(), kernel.width(), input[2] / G};
  const Conv2d how{stride.height(), stride.width(), pad.height(), pad.width(), dilation.height(), dilation.width(), G};
  auto module = std::make_unique<ConvModule>(b, full_name, weight, bias, how);
  if (standardize) module->standardize();
  return module;
}

}  // namespace lp
