// The list of what keeps a run from being integer only.
#include "lptrain/train/integer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lptrain/base/text.h"

namespace lp {
namespace {

using Complaints = std::vector<std::string>;

bool is_power_of_two(double x) { return x > 0 && std::ldexp(1.0, std::ilogb(x)) == x; }

// The scale that a rule which looks at shapes alone gives weights.
double fixed_scale(const Quantizer& q, const Tensor& weight) { return static_cast<double>(fit_to(weight, q, 0).scale.item()); }

// The name of the rule in use; fixed point without a chosen one has the scale 1.
std::string rule_of(const Quantizer& q) {
  if (q.scale) return q.scale.name();
  return q.format.is_integer_grid() && q.format.fraction_bits > 0 ? "fixed" : "absmax";
}

// Why a quantizer's results are not integers with one power of two for the tensor, or "".
std::string not_integer(const Quantizer& q) {
  static constexpr std::array kShifts{"pow2", "layer_shift", "fixed"};
  if (q.is_identity()) return "is not quantized; give it an integer format";
  if (!q.format.is_integer_grid()) return fmt::format("is {}, which is no grid of integers", q.format.name());
  if (q.per != Per::tensor || q.zero_point || q.offset || q.scale_format != kF32)
    return "wants one scale for the tensor and nothing else (no \"per\", \"zero_point\", \"offset\", \"scale_format\")";
  if (std::ranges::find(kShifts, rule_of(q)) == std::end(kShifts))
    return fmt::format("has the scale \"{}\", which is no power of two; try pow2", rule_of(q));
  if (rule_of(q) == "fixed" && !is_power_of_two(fixed_scale(q, Tensor::zeros(Shape{1}))))
    return "has a fixed scale that is no power of two";
  if (q.decision && q.decision.name() != "pow2") return "has a \"decision\" that is no power of two; try pow2";
  return q.gradient == Estimator() || q.gradient.is_identity() ? ""
                                                               : "has a gradient whose slope is neither 0 nor 1; try clipped";
}

void check_roles(const Precision& precision, const std::vector<std::string>& layers, const std::string& where, Complaints& list) {
  const auto check = [&](Role role, const std::string& layer) {
    const std::string why = not_integer(precision.of(role, layer));
    if (!why.empty())
      list.push_back(fmt::format("{}precision.{}{} {}", where, word_of(role), layer.empty() ? "" : " of " + layer, why));
  };
  check(Role::input, "");
  for (const std::string& layer : layers)
    for (Role role : {Role::weights, Role::activations, Role::errors, Role::weight_grads, Role::master}) check(role, layer);
}

// A step is -lr dw, and nothing else.
bool is_plain(const Optimizer& optimizer, double lr) {
  if (!optimizer.slots().empty()) return false;
  Tensor w = Tensor::of<float>(Shape{2}, {1, 0});
  optimizer.update({lr, 1, true}, w, Tensor::of<float>(Shape{2}, {0, 1}), {});
  return w.data<float>()[0] == 1 && w.data<float>()[1] == static_cast<float>(-lr);
}

void check_training(const TrainSpec& train, const std::string& where, Complaints& list) {
  const auto claim = [&](bool holds, std::string_view message) {
    if (!holds) list.push_back(fmt::format("{}train.{}", where, message));
  };
  claim(train.loss.name() == "integer_cross_entropy", "loss has real arithmetic; give integer_cross_entropy");
  claim(is_power_of_two(train.optimizer->lr), "optimizer: the learning rate is no power of two");
  claim(is_plain(*train.optimizer, train.optimizer->lr), "optimizer does more than lr dw; give sgd without momentum and decay");
  claim(train.schedule.name() == "constant" && train.warmup == 0,
        "schedule: the learning rate changes; give phases their own \"decision\"");
  claim(!train.clip_norm && !train.clip_value, "clip_norm, clip_value: gradients are scaled by reals");
  claim(train.loss_scale.name() == "none", "loss_scale: errors have exponents of their own, and need none");
}

bool is_weight(const Param& p) { return p.lens && p.lens->role == Role::weights; }

void check_parameters(Model& model, Complaints& list) {
  for (const Param* p : model.params())
    if (!is_weight(*p))
      list.push_back(
          fmt::format("{} is no weight of a product; give layers \"bias\": false, and leave out normalization", p->name));
}

// Gradients come in whole steps of the master weights' grid, which does not move.
void check_weights(Model& model, const PhaseSpec& phase, const std::string& where, Complaints& list) {
  for (const Param* p : model.params()) {
    if (!is_weight(*p)) continue;
    const std::string layer = p->lens->layer();
    const Quantizer master = phase.precision.of(Role::master, layer), dw = phase.precision.of(Role::weight_grads, layer);
    if (!not_integer(master).empty() || !not_integer(dw).empty()) continue;
    if (master.rule().kind() != Scale::Kind::fixed || dw.rule().kind() != Scale::Kind::fixed) {
      list.push_back(fmt::format(
          "{}precision.master and weight_grads of {} need a scale that does not move: layer_shift or fixed", where, layer));
      continue;
    }
    const double steps = phase.train.optimizer->lr * fixed_scale(dw, p->value) / fixed_scale(master, p->value);
    if (steps != std::floor(steps))
      list.push_back(
          fmt::format("{}precision.weight_grads of {}: a step, lr times the scale, is {:g} steps of the master weights' grid, "
                      "wanted a whole number; give both the same format and scale",
                      where, layer, steps));
  }
}

void check_layers(const std::vector<LayerLine>& lines, Complaints& list) {
  static constexpr std::array kIntegerLayers{"linear",  "conv2d", "relu",      "max_pool2d",   "flatten",    "reshape",
                                             "permute", "slice",  "subsample", "pad_channels", "sequential", "repeat"};
  for (const LayerLine& line : lines)
    if (std::ranges::find(kIntegerLayers, line.kind) == std::end(kIntegerLayers))
      list.push_back(fmt::format("layer {} has real arithmetic", line.name.empty() ? line.kind : line.name));
}

}  // namespace

void require_integers(const RunConfig& config, Model& model) {
  Complaints list;
  check_layers(model.lines(), list);
  check_parameters(model, list);
  for (size_t i = 0; i < config.phases.size(); ++i) {
    const PhaseSpec& phase = config.phases[i];
    const std::string where = config.phases.size() > 1 ? fmt::format("phases.{}.", i) : "";
    check_roles(phase.precision, model.layers(), where, list);
    check_training(phase.train, where, list);
    check_weights(model, phase, where, list);
  }
  require(list.empty(), "\"compute\": \"integer\" leaves no real arithmetic, but\n  {}", join(list, "\n  "));
}

}  // namespace lp
