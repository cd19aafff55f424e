// What linear and convolution layers have in common: weights, biases, and lenses around a product.
#include <cmath>

#include "layers.h"

namespace lp {
namespace {

// Weights start uniform with variance 2 / fan-in, which keeps the variance through relu.   Source: He et al. 2015
double usual_bound(const Shape& weight) { return std::sqrt(6.0 / static_cast<double>(weight.after(0))); }

Var standardized(const Var& w) {
  constexpr double kLeast = 1e-10;
  const int64_t n = w.shape().after(0);
  const Var gain = Tensor::full({n}, std::sqrt(2.0 / static_cast<double>(n)), w.value.dtype());
  const Var rows = reshape(w, {w.shape()[0], n});
  return reshape(layer_norm(rows, gain, Tensor::zeros({n}, w.value.dtype()), kLeast), w.shape());
}

}  // namespace

ProductModule::ProductModule(Builder& b, const std::string& layer, const Shape& shape, bool has_bias, double bound)
    : name(layer),
      accumulator(b.accumulator(layer)),
      own(b.weight(layer, shape, bound > 0 ? bound : usual_bound(shape))),
      weight(*own),
      input(b.lens(layer, Role::activations)),
      error(b.lens(layer, Role::errors)) {
  if (has_bias) bias.emplace(b.bias(layer, shape[0]));
  b.share(layer, weight);
}

ProductModule::ProductModule(Builder& b, const std::string& layer, Param& tied, bool has_bias)
    : name(layer),
      accumulator(b.accumulator(layer)),
      weight(tied),
      input(b.lens(layer, Role::activations)),
      error(b.lens(layer, Role::errors)) {
  if (has_bias) bias.emplace(b.bias(layer, tied.value.shape()[0]));
  b.may_be_named(layer);
}

ProductModule::~ProductModule() = default;

void ProductModule::standardize() {
  is_standardized = true;
  weight.is_remade = true;
}

void ProductModule::fold(std::unique_ptr<BatchNormModule> behind) {
  norm = std::move(behind);
  weight.is_remade = true;
  if (bias) bias->is_remade = true;
}

Var ProductModule::weights_before_lens(Context& c) { return is_standardized ? standardized(c.bare(weight)) : c.bare(weight); }

ProductModule::Operands ProductModule::operands(Context& c, const Var& x) {
  if (!norm)
    return {is_standardized ? c.look(*weight.lens, weights_before_lens(c)) : c.param(weight), bias ? c.param(*bias) : Var()};
  const Var w = weights_before_lens(c), b = bias ? c.bare(*bias) : Var();
  const auto [gain, shift] = norm->affine(c, [&] { return product(x, w, b); });
  const Shape& shape = w.shape();
  const Var rows = mul(reshape(w, {shape[0], shape.after(0)}), reshape(gain, {shape[0], 1}));
  const Var offset = b.value ? add(mul(gain, b), shift) : shift;
  return {c.look(*weight.lens, reshape(rows, shape)), bias ? c.look(*bias->lens, offset) : offset};
}

void ProductModule::visit(Visitor& v) {
  lp::visit(input, v);
  if (own) lp::visit(*own, v);
  if (bias) lp::visit(*bias, v);
  lp::visit(error, v);
  if (norm) norm->visit(v);
  v.accumulator(name, accumulator);
}

}  // namespace lp
