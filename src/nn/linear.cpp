// Fully connected layer.
#include "layers.h"

namespace lp {

void LinearLayer::fields(Fields& f) {
  f("name", name, "layer name; by default fc1, fc2 ...");
  f("out", out, "outputs; by default as many as the data set has classes", {1, 1e7});
  f("bias", bias, "add a trained bias");
  f("standardize", standardize, "see the weights behind each output with mean 0 and a variance of 2 / n (Qiao et al. 2019)");
  f("tied", tied_to, "an embedding or linear layer before this one, by its full name, whose weights [out, I] it shares");
  f.claim(!standardize || tied_to.empty(), "\"standardize\" would change weights that are another layer's: leave out \"tied\"");
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

Var LinearModule::of_seen(Context& c, const Var& x) {
  const auto [w, b] = operands(c, x);
  return linear(x, w, b, c.errors(error), c.accumulator(accumulator, name));
}

std::unique_ptr<LinearModule> inner_linear(Builder& b, const std::string& name, const InnerLinear& s) {
  const std::string full = b.name(name, "");
  auto module = std::make_unique<LinearModule>(b, full, Shape{s.out, s.in}, s.bias, s.bound);
  b.note(full, "linear", Shape{s.rows * s.times, s.out}, s.times * s.rows * s.in * s.out,
         ConvShape{s.rows, 1, 1, s.in, s.out, 1, 1});
  return module;
}

std::unique_ptr<Module> LinearLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Shape weights{out.value_or(b.classes()), input.back()};
  if (!tied_to.empty()) return std::make_unique<LinearModule>(b, full_name, b.shared(tied_to, weights), bias);
  auto module = std::make_unique<LinearModule>(b, full_name, weights, bias);
  if (standardize) module->standardize();
  return module;
}

}  // namespace lp
