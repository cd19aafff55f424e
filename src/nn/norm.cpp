// Normalization layers, and the running statistics of batch norm.
#include "layers.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

struct BatchNormModule : Module {
  std::string name;
  Param gamma, beta;
  Tensor mean, variance;  // running averages; those of the variance are unbiased
  double momentum, eps;
  Neighbours behind;

  BatchNormModule(std::string n, Param g, Param b, const BatchNormLayer& layer)
      : name(std::move(n)),
        gamma(std::move(g)),
        beta(std::move(b)),
        mean(Tensor::zeros(gamma.value.shape(), gamma.value.dtype())),
        variance(Tensor::full(gamma.value.shape(), 1, gamma.value.dtype())),
        momentum(layer.momentum),
        eps(layer.eps) {
    behind.takes_pool = false;
  }

  Neighbours* neighbours() override { return &behind; }
  Var forward(Context& c, const Var& x) override {
    const bool is_block = x.value.dtype() == DType::f32;
    const BlockNeighbours steps = is_block ? behind.now(c) : BlockNeighbours{};
    const Var y =
        c.is_training() ? by_batch(c, x, steps) : batch_norm_fixed(x, c.param(gamma), c.param(beta), mean, variance, eps, steps);
    return is_block ? y : behind.one_by_one(y);
  }
  Var by_batch(Context& c, const Var& x, const BlockNeighbours& steps) {
    const BatchNorm result = batch_norm(x, c.param(gamma), c.param(beta), eps, steps);
    behind.observe(c, result.extremes);
    c.after_step([this, batch_mean = result.mean, batch_variance = result.variance] {
      auto mix = [this](auto old, auto now) { return static_cast<decltype(old)>((1 - momentum) * old + momentum * now); };
      mean = zip(mean, convert(batch_mean, mean.dtype()), mix);
      variance = zip(variance, convert(batch_variance, variance.dtype()), mix);
    });
    return result.y;
  }
  void visit(Visitor& v) override {
    lp::visit(gamma, v);
    lp::visit(beta, v);
    v.buffer(name + ".running_mean", mean);
    v.buffer(name + ".running_var", variance);
  }
};

struct LayerNormModule : Module {
  Param gamma, beta;
  double eps;
  LayerNormModule(Param g, Param b, double e) : gamma(std::move(g)), beta(std::move(b)), eps(e) {}
  Var forward(Context& c, const Var& x) override { return layer_norm(x, c.param(gamma), c.param(beta), eps); }
  void visit(Visitor& v) override {
    lp::visit(gamma, v);
    lp::visit(beta, v);
  }
};

Shape with_channels(const Shape& input) {
  require(input.rank() >= 1, "the input has no axis, wanted [..., C]");
  return input;
}

}  // namespace

void BatchNormLayer::fields(Fields& f) {
  f("name", name, "layer name; by default bn1, bn2 ...");
  f("momentum", momentum, "share of this batch in the running statistics", {0, 1});
  f("eps", eps, "added to the variance", {0, 1});
}

Shape BatchNormLayer::output(const Shape& input, int64_t) const { return with_channels(input); }

std::unique_ptr<Module> BatchNormLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Shape channels{input.back()};
  return std::make_unique<BatchNormModule>(full_name, b.plain(full_name + ".weight", channels, 1),
                                           b.plain(full_name + ".bias", channels, 0), *this);
}

void LayerNormLayer::fields(Fields& f) {
  f("name", name, "layer name; by default ln1, ln2 ...");
  f("eps", eps, "added to the variance", {0, 1});
}

Shape LayerNormLayer::output(const Shape& input, int64_t) const { return with_channels(input); }

std::unique_ptr<Module> LayerNormLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  const Shape channels{input.back()};
  return std::make_unique<LayerNormModule>(b.plain(full_name + ".weight", channels, 1), b.plain(full_name + ".bias", channels, 0),
                                           eps);
}

}  // namespace lp
