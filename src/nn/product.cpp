// What linear and convolution layers have in common: weights, biases, and lenses around a product.
#include <cmath>

#include "layers.h"

namespace lp {
namespace {

// Weights start uniform with variance 2 / fan-in, which keeps the variance through relu.   Source: He et al. 2015
double bound(const Shape& weight) { return std::sqrt(6.0 / static_cast<double>(weight.after(0))); }

}  // namespace

ProductModule::ProductModule(Builder& b, const std::string& name, const Shape& shape, bool has_bias)
    : weight(b.weight(name, shape, bound(shape))), input(b.lens(name, Role::activations)), error(b.lens(name, Role::errors)) {
  if (has_bias) bias.emplace(b.bias(name, shape[0]));
}

void ProductModule::visit(Visitor& v) {
  lp::visit(input, v);
  lp::visit(weight, v);
  if (bias) lp::visit(*bias, v);
  lp::visit(error, v);
}

}  // namespace lp
