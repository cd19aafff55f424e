// Fully connected layer.
#include "layers.h"

namespace lp {

void LinearLayer::fields(Fields& f) {
  f("name", name, "layer name; by default fc1, fc2 ...");
  f("out", out, "outputs; by default as many as the data set has classes", {1, 1e7});
  f("bias", bias, "add a trained bias");
}

Shape LinearLayer::output(const Shape& input, int64_t classes) const {
  require(input.rank() >= 1, "the input has no axis, wanted [..., I]");
  require(out || classes > 0, "no \"out\", and the data has no classes to count; give \"out\"");
  return input.with(-1, out.value_or(classes));
}

int64_t LinearLayer::macs(const Shape& input, int64_t classes) const { return input.size() * out.value_or(classes); }

std::optional<ConvShape> LinearLayer::product(const Shape& input, int64_t classes) const {
  return ConvShape{input.rows(), 1, 1, input.back(), out.value_or(classes), 1, 1};
}

namespace {

struct LinearModule : ProductModule {
  using ProductModule::ProductModule;
  Var product(const Var& x, const Var& w, const Var& b) const override { return linear(x, w, b); }
  Var forward(Context& c, const Var& x) override {
    const Var seen = c.look(input, x);
    const auto [w, b] = operands(c, seen);
    return linear(seen, w, b, c.errors(error), c.accumulator(accumulator, name));
  }
};

}  // namespace

std::unique_ptr<Module> LinearLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return std::make_unique<LinearModule>(b, full_name, Shape{out.value_or(b.classes()), input.back()}, bias);
}

}  // namespace lp
