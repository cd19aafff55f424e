// What linear and convolution layers have in common: weights, biases, and lenses around a product.
#include <cmath>

#include "layers.h"

namespace lp {
namespace {

struct ProductModule : Module {
  Param weight;
  std::optional<Param> bias;
  Lens input, error;
  Product product;

  ProductModule(Param w, Lens i, Lens e, Product p)
      : weight(std::move(w)), input(std::move(i)), error(std::move(e)), product(std::move(p)) {}
  Var forward(Context& c, const Var& x) override {
    const Var seen = c.look(input, x);
    return product(seen, c.param(weight), bias ? c.param(*bias) : Var(), c.errors(error));
  }
  void visit(Visitor& v) override {
    lp::visit(input, v);
    lp::visit(weight, v);
    if (bias) lp::visit(*bias, v);
    lp::visit(error, v);
  }
};

}  // namespace

// Weights start uniform with variance 2 / fan-in, which keeps the variance through relu.   Source: He et al. 2015
std::unique_ptr<Module> product_module(Builder& b, const std::string& name, const Shape& weight, bool has_bias, Product product) {
  const double bound = std::sqrt(6.0 / static_cast<double>(weight.after(0)));
  auto m = std::make_unique<ProductModule>(b.weight(name, weight, bound), b.lens(name, Role::activations),
                                           b.lens(name, Role::errors), std::move(product));
  if (has_bias) m->bias.emplace(b.bias(name, weight[0]));
  return m;
}

}  // namespace lp
