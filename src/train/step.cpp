// One training step.
#include "lptrain/train/step.h"

#include <algorithm>
#include <cmath>

#include "lptrain/prune/mask.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "lptrain/train/clip.h"
#include "lptrain/train/divergence.h"

namespace lp {
namespace {

struct Gradient {
  Param* param;
  Value dw;
};

// Codes of integers are finite where their scales are.
bool is_finite(const Value& v) {
  const bool are_integers = v.codes() && v.codes()->format.is_integer_grid();
  return std::isfinite(largest_magnitude(are_integers ? v.codes()->scale : v.tensor()));
}

// The loss of a pass, and the scores behind it.
struct Passed {
  Var loss;
  Tensor scores;
};

Passed pass(Model& model, const PhaseSpec& phase, const Tensor& x, std::span<const int32_t> labels, const StepHooks& hooks,
            Context& context, Tape& tape) {
  std::vector<std::string> hints;
  if (hooks.lesson)
    for (const HintSpec& hint : phase.distill->hints) hints.push_back(hint.layer);
  const Heard heard = forward(model, context, x, hints);
  const Tape::Label label(&tape, "loss");
  const Var own = (*phase.train.loss)(heard.scores, labels);
  return {hooks.lesson ? taught_loss(*phase.distill, own, heard, *hooks.lesson) : own, heard.scores.tensor()};
}

std::vector<Gradient> collect(const Context& context, const Gradients& gradients, double scale) {
  std::vector<Gradient> list;
  for (const auto& [param, leaf] : context.leaves()) {
    const Value* found = gradients.find(leaf);
    const Value dw = found ? *found : Value(Tensor::zeros(leaf.shape(), leaf.value.dtype()));
    list.push_back({param, scale == 1 ? dw : Value(scaled(dw.tensor(), 1 / scale))});
  }
  return list;
}

void clip(std::vector<Gradient>& list, const TrainSpec& train) {
  if (!train.clip_norm && !train.clip_value) return;
  std::vector<Tensor> tensors;
  for (Gradient& g : list) tensors.push_back(std::exchange(g.dw, {}).tensor());
  if (train.clip_value) clip_by_value(tensors, *train.clip_value);
  if (train.clip_norm) clip_by_norm(tensors, *train.clip_norm);
  for (size_t i = 0; i < list.size(); ++i) list[i].dw = Value(std::move(tensors[i]));
}

// The layer of a parameter: "conv1" of "conv1.weight".
std::string layer_of(const Param& p) { return p.name.substr(0, p.name.find_last_of('.')); }

// Some rows of a parameter, its gradient and what its optimizer remembers of them: views.
struct Rows {
  int64_t first = 0;
  Tensor w;
  Value dw;
  std::vector<Tensor> slots;
};

// What all parameters of a step have in common.
struct Step {
  const PhaseSpec& phase;
  UpdateStep how;
  Key noise;
  Numerics* numerics = nullptr;  // null, as the probe is: nobody counts
  UpdateProbe* probe = nullptr;
  const StepHooks* hooks = nullptr;
};

// What happens to a parameter between backward and the next step: its gradient is narrowed, the optimizer moves it, and what is
// kept is narrowed. Block of rows by block of rows in cache, if no scale looks beyond its row.
class Update {
 public:
  Update(const Step& step, const Param& p)
      : step_(step),
        p_(p),
        optimizer_(*step.phase.train.optimizer),
        gradient_{Role::weight_grads, quantizer(Role::weight_grads), ".gradient"},
        state_{Role::state, quantizer(Role::state), "/"},
        master_{Role::master, quantizer(Role::master), ".master"},
        own_(step.how) {
    own_.lr *= p.lr_factor;
    own_.decays = p.decays;
  }

  void run(const Value& dw, const std::vector<Tensor>& slots) const {
    const int64_t all = p_.value.shape().rank() == 0 ? 1 : p_.value.shape()[0], at_once = rows_at_once(all);
    if (at_once >= all) return apply({0, p_.value, dw, slots});
    parallel_chunks(all, at_once, [&](int64_t begin, int64_t end) {
      Rows rows{begin, p_.value.rows(begin, end), dw.rows(begin, end), {}};
      for (const Tensor& slot : slots) rows.slots.push_back(slot.rows(begin, end));
      apply(std::move(rows));
    });
  }
  void store() const {
    narrow(master_, 0, p_.value, "");
    Tensor w = p_.value;
    if (p_.mask) lp::hold(p_.mask, w);
  }

 private:
  struct Narrow {
    Role role;
    Quantizer q;
    const char* noise;  // its name behind the parameter's
  };

  Quantizer quantizer(Role role) const { return p_.lens ? step_.phase.precision.of(role, layer_of(p_)) : Quantizer{}; }

  void count(const Narrow& n, const Tensor& before, const Tensor& after) const {
    if (step_.numerics) step_.numerics->count(layer_of(p_), n.role, n.q, before, after);
  }

  // t, rows `first` ... of the parameter or of a slot, through a quantizer; in place.
  void narrow(const Narrow& n, int64_t first, Tensor t, std::string_view slot) const {
    if (n.q.is_identity()) return;
    const Tensor before = step_.numerics ? t.clone() : Tensor();
    quantize_in_place(t, n.q, 0, step_.noise.with(p_.name + n.noise + std::string(slot)), first);
    count(n, before, t);
  }
  // The same for a gradient, whose memory others may share.
  Tensor narrowed(const Narrow& n, const Rows& rows) const {
    const Tensor dw = rows.dw.tensor(), y = quantized(dw, n.q, 0, step_.noise.with(p_.name + n.noise), rows.first);
    if (!n.q.is_identity()) count(n, dw, y);
    return y;
  }

  // A weight that ran far beyond a grid that stays where it is would hardly come back.
  //   Source: Courbariaux, Bengio & David 2015 (BinaryConnect), section 2.4
  void hold(double share, Tensor w) const {
    const bool is_weight = p_.lens && p_.lens->role == Role::weights && !p_.lens->is_identity();
    if (!is_weight || p_.lens->quantizer.rule().kind() != Scale::Kind::fixed) return;
    const Quantizer& q = p_.lens->quantizer;
    const double most = share * q.ends().reach() * static_cast<double>(fit_to(w, q, p_.lens->axis).scale.data<float>()[0]);
    within(most, w);
  }

  static void within(double most, Tensor w) {
    visit_real(w.dtype(), [&]<class T>() {
      T* x = w.data<T>().data();
      parallel_for(w.size(), kGrain, [&](int64_t i) { x[i] = std::clamp(x[i], static_cast<T>(-most), static_cast<T>(most)); });
    });
  }

  // What is pruned is 0, and has no past that it could begin from if it came back.
  void keep_pruned(Rows& rows) const {
    if (!p_.mask) return;
    const Tensor mask = p_.mask.rows(rows.first, rows.first + rows.w.shape()[0]);
    lp::hold(mask, rows.w);
    for (Tensor& slot : rows.slots) lp::hold(mask, slot);
  }

  // The weights that are on their grid for good, as they were.
  static void put_back(const Tensor& before, const Tensor& held, Tensor w) {
    visit_real(w.dtype(), [&]<class T>() {
      const T *old = before.data<T>().data(), *h = held.data<T>().data();
      T* x = w.data<T>().data();
      parallel_for(w.size(), kGrain, [&](int64_t i) { x[i] = h[i] != 0 ? old[i] : x[i]; });
    });
  }

  void apply(Rows rows) const {
    const Tensor dw = narrowed(gradient_, rows), before = p_.held ? rows.w.clone() : Tensor();
    if (step_.probe) step_.probe->expect(p_, optimizer_, own_, dw, rows.slots);
    optimizer_.update(own_, rows.w, dw, rows.slots);
    if (step_.hooks && step_.hooks->shrink) step_.hooks->shrink(p_, own_.lr, rows.w);
    for (size_t i = 0; i < rows.slots.size(); ++i) narrow(state_, rows.first, rows.slots[i], optimizer_.slots()[i]);
    if (step_.phase.train.clip_weights) hold(*step_.phase.train.clip_weights, rows.w);
    if (step_.phase.train.clamp && p_.lens) within(*step_.phase.train.clamp, rows.w);
    narrow(master_, rows.first, rows.w, "");
    if (p_.held) put_back(before, p_.held.rows(rows.first, rows.first + rows.w.shape()[0]), rows.w);
    keep_pruned(rows);
  }

  // All of them, if a scale looks beyond its row.
  int64_t rows_at_once(int64_t all) const {
    constexpr int64_t kElements = 1 << 14;  // some arrays of which stay in cache together
    const Shape& shape = p_.value.shape();
    const bool is_small = shape.rank() < 2 || shape.size() <= kElements;
    if (step_.hooks && step_.hooks->shrink) return all;
    if (is_small || step_.numerics || !is_by_rows(gradient_.q) || !is_by_rows(state_.q) || !is_by_rows(master_.q)) return all;
    return std::max<int64_t>(1, kElements / shape.after(0));
  }

  const Step& step_;
  const Param& p_;
  const Optimizer& optimizer_;
  Narrow gradient_, state_, master_;
  UpdateStep own_;
};

// All that the microscope looks at while gradients are made.
void watch(Context& context, Numerics& numerics, SumProbe& sums) {
  context.watch([&numerics](const Look& look) { numerics.count(look); });
  context.watch_sums(sums.watch());
}

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
  const Step store{phase, {}, Key(phase.train.seed).with("start").with(static_cast<uint64_t>(step))};
  for (const Param* p : model.params()) Update(store, *p).store();
}

StepOutcome train_step(Model& model, const PhaseSpec& phase, const Tensor& x, std::span<const int32_t> labels,
                       const StepPlace& place, LossScale& loss_scale, OptimizerState& state, Numerics* numerics,
                       const StepHooks& hooks) {
  const Key key = Key(phase.train.seed).with("step").with(static_cast<uint64_t>(place.step));
  Tape tape;
  Context context(&tape, Mode::train, key);
  SumProbe sums;
  if (numerics) {
    watch(context, *numerics, sums);
    if (phase.train.loss_scale.name() != "none") numerics->note_loss_scale(place.step, loss_scale.scale());
  }
  if (loss_scale.can_skip()) context.watch_clipped_errors();
  const Passed passed = pass(model, phase, x, labels, hooks, context, tape);
  const DivergedStep again{model, phase, place.step, key, loss_scale.scale(), [&](Context& c, Tape& t) {
                             return pass(model, phase, x, labels, hooks, c, t).loss;
                           }};
  StepOutcome outcome{passed.loss.tensor().item(), classes_of(*phase.train.loss, passed.scores), false};
  if (!std::isfinite(outcome.loss)) fail_diverged(again, "the loss");

  std::vector<Gradient> gradients = collect(context, tape.backward(passed.loss, again.loss_scale), again.loss_scale);
  const Timed timed("optimizer");
  const auto broken = std::ranges::find_if(gradients, [](const Gradient& g) { return !is_finite(g.dw); });
  outcome.skipped = broken != gradients.end() || context.has_clipped_errors();
  if (numerics) sums.count(*numerics);
  if (outcome.skipped && !loss_scale.can_skip()) fail_diverged(again, fmt::format("the gradient of {}", broken->param->name));
  loss_scale.report(!outcome.skipped);
  if (outcome.skipped) return outcome;

  if (hooks.hear)
    for (Gradient& g : gradients) hooks.hear(*g.param, g.dw);
  clip(gradients, phase.train);
  std::optional<UpdateProbe> probe;
  if (numerics) probe.emplace(model);
  const UpdateStep how{phase.train.optimizer->lr * place.lr_factor, place.updates + 1, true};
  const Step step{phase, how, key, numerics, probe ? &*probe : nullptr, &hooks};
  for (const Gradient& g : gradients) Update(step, *g.param).run(g.dw, state.slots(*g.param, *phase.train.optimizer));
  context.apply_changes();
  if (probe) probe->count(phase.precision, *numerics);
  return outcome;
}

}  // namespace lp
