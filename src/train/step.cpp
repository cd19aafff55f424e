// One training step.
#include "lptrain/train/step.h"

#include <algorithm>
#include <cmath>

#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "lptrain/train/clip.h"

namespace lp {
namespace {

struct Gradient {
  Param* param;
  Tensor dw;
};

bool is_finite(const Tensor& t) { return std::isfinite(largest_magnitude(t)); }

// Where a number that is not finite came from, and what may help.
[[noreturn]] void diverged(const std::string& what, const std::string& largest, const PhaseSpec& phase, int64_t step) {
  fail(ErrorKind::diverged,
       "diverged at step {}: {}{}. Try a lower learning rate (--set train.optimizer.{}.lr={:g}), gradient clipping (--set "
       "train.clip_norm=1){}",
       step, what, largest, phase.train.optimizer.name(), phase.train.optimizer->lr / 10,
       phase.train.loss_scale.name() == "none" ? ", or, with narrow errors, loss scaling (--set train.loss_scale=dynamic)" : "");
}

std::string largest_weight(const Model& model) {
  double most = 0;
  std::string name;
  for (Param* p : const_cast<Model&>(model).params()) {
    const double m = largest_magnitude(p->value);
    if (!std::isfinite(m)) return fmt::format("; {} holds {}", p->name, m);
    if (m > most) {
      most = m;
      name = p->name;
    }
  }
  return fmt::format("; the largest weight is {:g}, in {}", most, name);
}

Var loss_of(const PhaseSpec& phase, const Var& logits, std::span<const int32_t> labels, Tape& tape) {
  const Tape::Label label(&tape, "loss");
  return (*phase.train.loss)(logits, labels);
}

std::vector<Gradient> collect(const Context& context, const Gradients& gradients, double scale) {
  std::vector<Gradient> list;
  for (const auto& [param, leaf] : context.leaves()) {
    const Tensor dw = gradients.of(leaf);
    list.push_back({param, scale == 1 ? dw : scaled(dw, 1 / scale)});
  }
  return list;
}

void clip(std::vector<Gradient>& list, const TrainSpec& train) {
  if (!train.clip_norm && !train.clip_value) return;
  std::vector<Tensor> tensors;
  for (Gradient& g : list) tensors.push_back(std::move(g.dw));
  if (train.clip_value) clip_by_value(tensors, *train.clip_value);
  if (train.clip_norm) clip_by_norm(tensors, *train.clip_norm);
  for (size_t i = 0; i < list.size(); ++i) list[i].dw = std::move(tensors[i]);
}

// The layer of a parameter: "conv1" of "conv1.weight".
std::string layer_of(const Param& p) { return p.name.substr(0, p.name.find_last_of('.')); }

struct Update {
  const PhaseSpec& phase;
  UpdateStep how;
  Key noise;
  Numerics* numerics = nullptr;  // null, as the probe is: nobody counts
  UpdateProbe* probe = nullptr;

  // t through the quantizer of a role; in place.
  void narrow(Tensor& t, Role role, const Param& p, const std::string& what) const {
    const Quantizer q = phase.precision.of(role, layer_of(p));
    if (q.is_identity() || !p.lens) return;
    const Tensor narrowed = quantized(t, q, 0, noise.with(what));
    if (numerics) numerics->count(layer_of(p), role, q, t, narrowed);
    t = narrowed;
  }

  // A weight that ran far beyond a grid that stays where it is would hardly come back.
  //   Source: Courbariaux, Bengio & David 2015 (BinaryConnect), section 2.4
  static void hold(Param& p, double share) {
    const bool is_weight = p.lens && p.lens->role == Role::weights && !p.lens->is_identity();
    if (!is_weight || p.lens->quantizer.rule().kind() != Scale::Kind::fixed) return;
    const Quantizer& q = p.lens->quantizer;
    const double most = share * q.ends().reach() * static_cast<double>(fit_to(p.value, q, p.lens->axis).scale.data<float>()[0]);
    p.value = map(p.value, [most](auto w) {
      const auto end = static_cast<decltype(w)>(most);
      return std::clamp(w, -end, end);
    });
  }

  void apply(Gradient& g, OptimizerState& state) const {
    const Optimizer& optimizer = *phase.train.optimizer;
    Param& p = *g.param;
    narrow(g.dw, Role::weight_grads, p, p.name + ".gradient");
    UpdateStep own = how;
    own.lr *= p.lr_factor;
    own.decays = p.decays;
    auto& slots = state.slots(p, optimizer);
    if (probe) probe->expect(p, optimizer, own, g.dw, slots);
    optimizer.update(own, p.value, g.dw, slots);
    for (size_t i = 0; i < slots.size(); ++i) narrow(slots[i], Role::state, p, p.name + "/" + std::string(optimizer.slots()[i]));
    if (phase.train.clip_weights) hold(p, *phase.train.clip_weights);
    narrow(p.value, Role::master, p, p.name + ".master");
    if (p.mask) p.value = zip(p.value, p.mask, [](auto w, auto m) { return w * m; });
  }
};

}  // namespace

std::vector<Tensor>& OptimizerState::slots(const Param& p, const Optimizer& optimizer) {
  auto& list = slots_[p.name];
  while (list.size() < optimizer.slots().size()) list.push_back(Tensor::zeros(p.value.shape(), p.value.dtype()));
  return list;
}

std::vector<std::pair<std::string, Tensor>> OptimizerState::named() const {
  std::vector<std::pair<std::string, Tensor>> list;
  for (const auto& [param, tensors] : slots_)
    for (size_t i = 0; i < tensors.size(); ++i) list.emplace_back(fmt::format("{}/{}", param, i), tensors[i]);
  return list;
}

void OptimizerState::restore(const std::string& name, Tensor value) {
  const size_t slash = name.rfind('/');
  const std::string number = slash == name.npos ? "" : name.substr(slash + 1);
  if (number.size() != 1 || number[0] < '0' || number[0] > '9')
    fail(ErrorKind::data, "\"{}\" is not the name of an optimizer slot", name);
  auto& list = slots_[name.substr(0, slash)];
  const size_t index = static_cast<size_t>(number[0] - '0');
  if (list.size() <= index) list.resize(index + 1);
  list[index] = std::move(value);
}

void store_masters(Model& model, const PhaseSpec& phase, int64_t step) {
  const Update store{phase, {}, Key(phase.train.seed).with("start").with(static_cast<uint64_t>(step))};
  for (Param* p : model.params()) store.narrow(p->value, Role::master, *p, p->name);
}

StepOutcome train_step(Model& model, const PhaseSpec& phase, const Tensor& x, std::span<const int32_t> labels,
                       const StepPlace& place, LossScale& loss_scale, OptimizerState& state, Numerics* numerics) {
  const Key key = Key(phase.train.seed).with("step").with(static_cast<uint64_t>(place.step));
  Tape tape;
  Context context(&tape, Mode::train, key);
  if (numerics) {
    context.watch([numerics](const Look& look) { numerics->count(look); });
    if (phase.train.loss_scale.name() != "none") numerics->note_loss_scale(place.step, loss_scale.scale());
  }
  const Var logits = model.forward(context, x);
  const Var loss = loss_of(phase, logits, labels, tape);
  StepOutcome outcome{loss.tensor().item(), classes_of(*phase.train.loss, logits.tensor()), false};
  if (!std::isfinite(outcome.loss))
    diverged(fmt::format("the loss is {}", outcome.loss), largest_weight(model), phase, place.step);

  const double scale = loss_scale.scale();
  std::vector<Gradient> gradients = collect(context, tape.backward(loss, scale), scale);
  const Timed timed("optimizer");
  const auto broken = std::ranges::find_if(gradients, [](const Gradient& g) { return !is_finite(g.dw); });
  outcome.skipped = broken != gradients.end();
  if (outcome.skipped && !loss_scale.can_skip())
    diverged(fmt::format("the gradient of {} is not finite", broken->param->name), largest_weight(model), phase, place.step);
  loss_scale.report(!outcome.skipped);
  if (outcome.skipped) return outcome;

  clip(gradients, phase.train);
  std::optional<UpdateProbe> probe;
  if (numerics) probe.emplace(model);
  const UpdateStep how{phase.train.optimizer->lr * place.lr_factor, place.updates + 1, true};
  const Update update{phase, how, key, numerics, probe ? &*probe : nullptr};
  for (Gradient& g : gradients) update.apply(g, state);
  context.apply_changes();
  if (probe) probe->count(phase.precision, *numerics);
  return outcome;
}

}  // namespace lp
