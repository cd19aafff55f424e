// Normalization layers, and the running statistics of batch norm.
#include <algorithm>
#include <numeric>

#include "layers.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

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

BatchNormModule::BatchNormModule(std::string full_name, Param g, Param b, const BatchNormLayer& layer)
    : name(std::move(full_name)),
      gamma(std::move(g)),
      beta(std::move(b)),
      mean(Tensor::zeros(gamma.value.shape(), gamma.value.dtype())),
      variance(Tensor::full(gamma.value.shape(), 1, gamma.value.dtype())),
      how(layer) {
  behind.takes_pool = false;
}

void BatchNormModule::update(Context& c, const Tensor& batch_mean, const Tensor& batch_variance) {
  c.after_step([this, batch_mean, batch_variance] {
    const double momentum = how.momentum;
    auto mix = [momentum](auto old, auto now) { return static_cast<decltype(old)>((1 - momentum) * old + momentum * now); };
    mean = zip(mean, convert(batch_mean, mean.dtype()), mix);
    variance = zip(variance, convert(batch_variance, variance.dtype()), mix);
  });
}

Var BatchNormModule::forward(Context& c, const Var& x) {
  const bool is_block = x.value.dtype() == DType::f32;
  const BlockNeighbours steps = is_block ? behind.now(c) : BlockNeighbours{};
  const Var y = c.is_training() ? by_batch(c, x, steps)
                                : batch_norm_fixed(x, c.param(gamma), c.param(beta), mean, variance, how.eps, steps);
  return is_block ? y : behind.one_by_one(y);
}

Var BatchNormModule::by_batch(Context& c, const Var& x, const BlockNeighbours& steps) {
  const BatchNorm result = batch_norm(x, c.param(gamma), c.param(beta), how.eps, steps);
  behind.observe(c, result.extremes);
  update(c, result.mean, result.variance);
  return result.y;
}

BatchNormModule::Affine BatchNormModule::affine(Context& c, const std::function<Var()>& y) {
  Var m(mean), v(variance);
  if (c.is_training()) {
    const Var now = y();
    std::vector<int> axes(static_cast<size_t>(now.shape().rank() - 1));
    std::iota(axes.begin(), axes.end(), 0);
    const Var of_batch = lp::mean(now, axes), spread = lp::mean(square(sub(now, of_batch)), axes);
    const auto n = static_cast<double>(now.shape().rows());
    update(c, of_batch.tensor(), scaled(spread.tensor(), n / std::max(1.0, n - 1)));
    if (how.fold == Folding::batch) m = of_batch, v = spread;
  }
  const Var gain = div(c.param(gamma), sqrt(shift(v, how.eps)));
  return {gain, sub(c.param(beta), mul(gain, m))};
}

void BatchNormModule::visit(Visitor& v) {
  lp::visit(gamma, v);
  lp::visit(beta, v);
  v.buffer(name + ".running_mean", mean);
  v.buffer(name + ".running_var", variance);
}

void BatchNormLayer::fields(Fields& f) {
  f("name", name, "layer name; by default bn1, bn2 ...");
  f("momentum", momentum, "share of this batch in the running statistics", {0, 1});
  f("eps", eps, "added to the variance", {0, 1});
  f("fold", fold,
    "into the linear or conv2d before it, whose quantizers then see what is deployed: none, by the statistics of the batch, or "
    "by "
    "the running ones (Jacob et al. 2018, eq. 14)");
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
