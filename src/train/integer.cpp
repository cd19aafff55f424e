// The list of what keeps a run from being integer only.
#include "lptrain/train/integer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "lptrain/base/text.h"

namespace lp {
namespace {

// What keeps a run from being integer only, with the places in its config.
struct Complaints {
  const RunConfig& config;
  std::vector<Problem> problems = {};
  size_t phase = 0;  // that is being looked at

  void add(const std::string& path, const std::string& message) {
    const std::string origin = config.origin(phase, path);
    const auto is_told = [&](const Problem& p) { return p.origin == origin && p.message == message; };
    if (std::ranges::none_of(problems, is_told)) problems.push_back({origin, path, message, std::ssize(problems)});
  }
};

bool is_power_of_two(double x) { return x > 0 && std::ldexp(1.0, std::ilogb(x)) == x; }

// The scale that a rule which looks at shapes alone gives weights.
double fixed_scale(const Quantizer& q, const Tensor& weight) { return static_cast<double>(fit_to(weight, q, 0).scale.item()); }

// Why a quantizer's results are not integers with one power of two for the tensor, or "".
std::string not_integer(const Quantizer& q) {
  if (q.is_identity()) return "is not quantized; give it an integer format";
  if (!q.format.is_integer_grid()) return fmt::format("is {}, which is no grid of integers", q.format.name());
  if (q.per != Per::tensor || q.zero_point || q.offset || q.scale_format != kF32)
    return "wants one scale for the tensor and nothing else (no \"per\", \"zero_point\", \"offset\", \"scale_format\")";
  if (!q.rule().shifts(q))
    return fmt::format("has the scale \"{}\", which is no power of two; try pow2", q.scale ? q.scale.name() : "absmax");
  if (!q.divider().shifts(q)) return "has a \"decision\" that is no power of two; try pow2";
  return q.gradient == Estimator() || q.gradient.is_identity() ? ""
                                                               : "has a gradient whose slope is neither 0 nor 1; try clipped";
}

// Layers of which the same is to be said share a line.
void check_role(const Precision& precision, Role role, std::span<const std::string> layers, Complaints& list) {
  std::map<std::string, std::vector<std::string>> found;  // why -> layers
  for (const std::string& layer : layers)
    if (const std::string why = not_integer(precision.of(role, layer)); !why.empty()) found[why].push_back(layer);
  const std::string path = fmt::format("precision.{}", word_of(role));
  for (const auto& [why, where] : found)
    list.add(path, fmt::format("{}{} {}", path, role == Role::input ? "" : " of " + join(where), why));
}

void check_roles(const Precision& precision, const std::vector<std::string>& layers, Complaints& list) {
  check_role(precision, Role::input, std::vector<std::string>{""}, list);
  for (Role role : {Role::weights, Role::activations, Role::errors, Role::weight_grads, Role::master})
    check_role(precision, role, layers, list);
}

// A step is -lr dw, and nothing else.
bool is_plain(const Optimizer& optimizer, double lr) {
  if (!optimizer.slots().empty()) return false;
  Tensor w = Tensor::of<float>(Shape{2}, {1, 0});
  optimizer.update({lr, 1, true}, w, Tensor::of<float>(Shape{2}, {0, 1}), {});
  return w.data<float>()[0] == 1 && w.data<float>()[1] == static_cast<float>(-lr);
}

void check_training(const TrainSpec& train, Complaints& list) {
  const auto claim = [&](bool holds, std::string_view keys, std::string_view why) {
    const std::string path = fmt::format("train.{}", keys.substr(0, keys.find(',')));
    if (!holds) list.add(path, fmt::format("train.{}: {}", keys, why));
  };
  claim(train.loss.name() == "integer_cross_entropy", "loss", "has real arithmetic; give integer_cross_entropy");
  claim(is_power_of_two(train.optimizer->lr), "optimizer", "the learning rate is no power of two");
  claim(is_plain(*train.optimizer, train.optimizer->lr), "optimizer",
        "does more than lr dw; give sgd without momentum and decay");
  claim(train.schedule.name() == "constant" && train.warmup == 0, "schedule",
        "the learning rate changes; give phases their own \"decision\"");
  claim(!train.clip_norm && !train.clip_value, "clip_norm, clip_value", "gradients are scaled by reals");
  claim(train.loss_scale.name() == "none", "loss_scale", "errors have exponents of their own, and need none");
}

void check_pruning(const PruneSpec& prune, Complaints& list) {
  if (!prune.criterion->only_compares())
    list.add("prune.criterion",
             fmt::format("prune.criterion: {} computes with reals; give magnitude, l1, zeros or random", prune.criterion.name()));
  if (!prune.shrink->is_none()) list.add("prune.shrink", "prune.shrink: weights are shrunk by reals; leave it out");
}

bool is_weight(const Param& p) { return p.lens && p.lens->role == Role::weights; }

void check_parameters(Model& model, Complaints& list) {
  for (const Param* p : model.params())
    if (!is_weight(*p))
      list.add("model",
               fmt::format("{} is no weight of a product; give layers \"bias\": false, and leave out normalization", p->name));
}

// Gradients come in whole steps of the master weights' grid, which does not move.
void check_weights(Model& model, const PhaseSpec& phase, Complaints& list) {
  for (const Param* p : model.params()) {
    if (!is_weight(*p)) continue;
    const std::string layer = p->lens->layer();
    const Quantizer master = phase.precision.of(Role::master, layer), dw = phase.precision.of(Role::weight_grads, layer);
    if (!not_integer(master).empty() || !not_integer(dw).empty()) continue;
    if (master.rule().kind() != Scale::Kind::fixed || dw.rule().kind() != Scale::Kind::fixed) {
      list.add(
          "precision.master",
          fmt::format("precision.master and weight_grads of {} need a scale that does not move: layer_shift or fixed", layer));
      continue;
    }
    const double steps = phase.train.optimizer->lr * fixed_scale(dw, p->value) / fixed_scale(master, p->value);
    if (steps != std::floor(steps))
      list.add("precision.weight_grads",
               fmt::format("precision.weight_grads of {}: a step, lr times the scale, is {:g} steps of the master weights' grid, "
                           "wanted a whole number; give both the same format and scale",
                           layer, steps));
  }
}

void check_layers(const std::vector<LayerLine>& lines, Complaints& list) {
  static constexpr std::array kIntegerLayers{"linear",  "conv2d", "relu",      "max_pool2d",   "flatten",    "reshape",
                                             "permute", "slice",  "subsample", "pad_channels", "sequential", "repeat"};
  for (const LayerLine& line : lines)
    if (std::ranges::find(kIntegerLayers, line.kind) == std::end(kIntegerLayers))
      list.add("model", fmt::format("layer {} has real arithmetic", line.name.empty() ? line.kind : line.name));
}

}  // namespace

void require_integers(const RunConfig& config, Model& model) {
  Complaints list{config};
  check_layers(model.lines(), list);
  check_parameters(model, list);
  for (list.phase = 0; list.phase < config.phases.size(); ++list.phase) {
    const PhaseSpec& phase = config.phases[list.phase];
    check_roles(phase.precision, model.layers(), list);
    check_training(phase.train, list);
    if (phase.prune) check_pruning(*phase.prune, list);
    check_weights(model, phase, list);
    if (phase.distill) list.add("distill", "distill compares real distributions; leave it out");
  }
  if (list.problems.empty()) return;
  list.problems.insert(list.problems.begin(),
                       Problem{config.origin(0, "compute"), "compute",
                               "\"compute\": \"integer\" leaves no real arithmetic, but here is some:", -1});
  throw DocumentError(list.problems);
}

}  // namespace lp
