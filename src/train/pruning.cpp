// Masks over the course of a phase.
#include "lptrain/train/pruning.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lptrain/nn/rewrite.h"
#include "lptrain/prune/mask.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr std::string_view kHeard = "heard/", kStart = "start/";

// All parameters, learned scales that have no value yet among them.
struct Parameters : Visitor {
  std::vector<Param*> list;
  explicit Parameters(Model& model) { model.visit(*this); }
  void param(Param& p) override { list.push_back(&p); }
  Param* find(const std::string& name) const {
    const auto found = std::ranges::find(list, name, &Param::name);
    return found == list.end() ? nullptr : *found;
  }
};

bool is_weight(const Param& p) { return p.lens && p.lens->role == Role::weights; }

// The batch norm right behind a layer; "": there is none.
std::string norm_behind(const Model& model, const std::string& layer) {
  const auto& lines = model.lines();
  const auto at = std::ranges::find(lines, layer, &LayerLine::name);
  return at != lines.end() && at + 1 != lines.end() && at[1].kind == "batch_norm" ? at[1].name : "";
}

// The product that ends the network.
std::string last_product(const Model& model) {
  std::string last;
  for (const LayerLine& line : model.lines())
    if (line.product) last = line.name;
  return last;
}

// The weights that a phase may prune.
std::vector<Param*> chosen_weights(Model& model, const PruneSpec& spec) {
  std::vector<Param*> list;
  const std::string last = last_product(model);
  for (Param* p : Parameters(model).list) {
    if (!is_weight(*p)) continue;
    const std::string layer = p->lens->layer();
    const PruneSpec::Target target = spec.target(layer);
    const bool is_exempt = (target.is_own && target.sparsity == 0) || (spec.pattern.kind == Pattern::Kind::rows && layer == last);
    if (!is_exempt) list.push_back(p);
  }
  return list;
}

// A mask of rows [O] for what lies beside weights [O, ...]: a row is left if any of its weights is.
Tensor rows_left(const Tensor& mask) {
  Tensor rows(Shape{mask.shape()[0]}, mask.dtype());
  visit_real(mask.dtype(), [&]<class T>() {
    const auto m = mask.data<T>();
    const auto columns = static_cast<size_t>(mask.shape().after(0));
    for (size_t r = 0; r < rows.data<T>().size(); ++r)
      rows.data<T>()[r] = std::ranges::any_of(m.subspan(r * columns, columns), [](T v) { return v != 0; }) ? T(1) : T(0);
  });
  return rows;
}

// What a quantizer makes of 0 among other weights.
double seen_zero(const Quantizer& q, const Lens& like, int64_t rows, DType type) {
  Param probe(like.name, Tensor(Shape{rows, 4}, type));
  visit_real(type, [&]<class T>() {
    for (size_t i = 0; i < probe.value.data<T>().size(); ++i)
      probe.value.data<T>()[i] = std::array{T(0), T(0.3), T(-0.2), T(0.1)}[i % 4];
  });
  probe.lens = std::make_unique<Lens>(like.name, like.role, like.axis, q);
  Context eye(nullptr, Mode::eval);
  const Tensor seen = eye.param(probe).tensor();
  return visit_real(type, [&]<class T>() { return static_cast<double>(seen.data<T>()[0]); });
}

void check_zeros(const PhaseSpec& phase, const std::vector<Param*>& weights) {
  for (const Param* p : weights) {
    const std::string layer = p->lens->layer();
    const Quantizer q = phase.precision.of(Role::weights, layer);
    const double zero = q.is_identity() ? 0 : seen_zero(q, *p->lens, p->value.shape()[0], p->value.dtype());
    require(
        zero == 0,
        "precision.weights: {} sees its weights through {}, where 0 becomes {:g}: what is pruned would come back. Take a format "
        "and a scale with a zero, say int8, or leave the layer alone (prune.overrides)",
        layer, q.format.name(), zero);
  }
}

}  // namespace

void check_pruning(const RunConfig& config, const PhaseSpec& phase, Model& model) {
  const PruneSpec* spec = nullptr;
  for (const PhaseSpec& p : config.phases) {
    if (p.prune) spec = &*p.prune;
    if (&p == &phase) break;
  }
  if (!spec) return;
  const std::vector<Param*> weights = chosen_weights(model, *spec);
  if (phase.prune) {
    spec->check(model.layers());
    require(!weights.empty(), "prune.overrides: no layer is left that could be pruned");
    require(phase.train.epochs > 0 || !spec->criterion->listens(),
            "prune.criterion: {} listens to training, but the phase has no epochs", spec->criterion.name());
    for (const Param* p : weights)
      require(!spec->criterion->needs_norm() || !norm_behind(model, p->lens->layer()).empty(),
              "prune.criterion: batch_norm needs a batch norm right behind every layer; {} has none: leave it alone with "
              "prune.overrides",
              p->lens->layer());
  }
  check_zeros(phase, weights);
}

void Pruning::enter(Model& model, const PhaseSpec& phase) {
  model_ = &model;
  phase_ = &phase;
  layers_.clear();
  if (!phase.prune) return;
  const Parameters all(model);
  for (Param* p : chosen_weights(model, *phase.prune)) {
    const std::string name = p->lens->layer(), norm = norm_behind(model, name);
    Layer layer{p, phase.prune->target(name), {}};
    layer.gain = norm.empty() ? nullptr : all.find(norm + ".weight");
    if (phase.prune->pattern.kind == Pattern::Kind::rows)
      for (Param* beside : {all.find(name + ".bias"), layer.gain, norm.empty() ? nullptr : all.find(norm + ".bias")})
        if (beside) layer.beside.push_back(beside);
    layers_.push_back(std::move(layer));
  }
}

void Pruning::begin(int64_t step, int64_t& prunings) {
  heard_.clear();
  start_.clear();
  if (!phase_->prune) return;
  if (phase_->prune->rewind != Rewind::none)
    for (const Param* p : model_->params()) start_[p->name] = p->value.clone();
  if (phase_->train.epochs == 0 && phase_->prune->cuts()) prune(step, phase_->prune->schedule->times(), prunings);
}

bool Pruning::before_step(const PruneTime& now, int64_t& prunings) {
  if (!phase_->prune) return false;
  const PruneSpec& spec = *phase_->prune;
  const int64_t due = spec.cuts() ? spec.schedule->due(now.done) : 0;
  const bool is_time = due > prunings;
  if (is_time) prune(now.step, due, prunings);
  if (exchanges_at(now) && spec.regrow->by == Growth::gradient)
    for (Layer& layer : layers_) layer.lifted = std::exchange(layer.weight->mask, {});
  return is_time && spec.rewind != Rewind::none;
}

StepHooks Pruning::hooks() {
  StepHooks hooks;
  if (!phase_->prune) return hooks;
  const PruneSpec& spec = *phase_->prune;
  const bool is_lifted = std::ranges::any_of(layers_, [](const Layer& l) { return static_cast<bool>(l.lifted); });
  if (spec.criterion->listens() || is_lifted) hooks.hear = [this](Param& p, Value& dw) { hear(p, dw); };
  if (!spec.shrink->is_none())
    hooks.shrink = [this, &spec](const Param& p, double lr, Tensor& w) {
      if (find(p)) spec.shrink->apply(lr, spec.pattern, w);
    };
  return hooks;
}

void Pruning::after_step(const PruneTime& now) {
  if (!exchanges_at(now)) return;
  const Regrow& regrow = *phase_->prune->regrow;
  for (Layer& layer : layers_) {
    Param& p = *layer.weight;
    if (layer.lifted) p.mask = std::exchange(layer.lifted, {});  // the step was skipped, and nothing was heard
    Tensor wish = std::exchange(layer.wish, {});
    if (regrow.by == Growth::random) {
      wish = Tensor(p.value.shape(), p.value.dtype());
      const Key key = Key(phase_->train.seed).with("regrow").with(static_cast<uint64_t>(now.step)).with(p.name);
      visit_real(wish.dtype(), [&]<class T>() {
        for (size_t i = 0; i < wish.data<T>().size(); ++i) wish.data<T>()[i] = static_cast<T>(key.uniform(i));
      });
    }
    if (wish && p.mask) set_mask(layer, exchanged(p.value, p.mask, wish, regrow.share_at(now.done)));
  }
}

bool Pruning::is_complete(int64_t prunings) const {
  return !phase_->prune || !phase_->prune->cuts() || prunings >= phase_->prune->schedule->times();
}

std::optional<double> Pruning::sparsity() const {
  std::vector<Tensor> weights;
  bool has_mask = false;
  for (const Param* p : model_->params()) {
    has_mask = has_mask || p->mask;
    if (is_weight(*p)) weights.push_back(p->value);
  }
  if (!phase_->prune && !has_mask) return {};
  return share_of_zeros(weights);
}

// Layers that compete with one another: those of a global scope, and every other one alone.
std::vector<std::vector<const Pruning::Layer*>> Pruning::competitions() const {
  std::vector<std::vector<const Layer*>> alone;
  std::vector<const Layer*> together;
  for (const Layer& layer : layers_) {
    if (phase_->prune->scope == PruneScope::global && !layer.target.is_own)
      together.push_back(&layer);
    else
      alone.push_back({&layer});
  }
  if (!together.empty()) alone.push_back(std::move(together));
  return alone;
}

Evidence Pruning::evidence_of(const Layer& layer, Key key) const {
  const Param& p = *layer.weight;
  const auto heard = heard_.find(p.name);
  return {p.value, p.mask, heard == heard_.end() ? Tensor() : heard->second, layer.gain ? layer.gain->value : Tensor(),
          key.with(p.name)};
}

// Pruning k, and those before it that were not made.
void Pruning::prune(int64_t step, int64_t k, int64_t& prunings) {
  const PruneSpec& spec = *phase_->prune;
  const Key key = Key(phase_->train.seed).with("prune").with(static_cast<uint64_t>(step));
  for (const auto& group : competitions()) {
    std::vector<Evidence> evidence;
    for (const Layer* layer : group) evidence.push_back(evidence_of(*layer, key));
    const double target = spec.criterion->below() ? 0 : spec.schedule->sparsity(k, group[0]->target.sparsity);
    const std::vector<Tensor> masks = chosen_masks(evidence, *spec.criterion, spec.pattern, target);
    for (size_t i = 0; i < group.size(); ++i) set_mask(*group[i], masks[i]);
  }
  if (spec.pattern.kind == Pattern::Kind::rows) mask_blind(*model_);
  prunings = k;
  if (spec.rewind != Rewind::none) rewind(step, k == spec.schedule->times());
}

void Pruning::set_mask(const Layer& layer, const Tensor& mask) {
  layer.weight->mask = mask;
  hold(mask, layer.weight->value);
  if (layer.beside.empty()) return;
  const Tensor rows = rows_left(mask);
  for (Param* p : layer.beside) {
    p->mask = rows;
    hold(rows, p->value);
  }
}

// Scales that have been learned since the phase began are learned anew.
void Pruning::rewind(int64_t step, bool is_last) {
  heard_.clear();
  if (phase_->prune->rewind == Rewind::random && is_last) {
    const Key key = Key(phase_->train.seed).with("anew").with(static_cast<uint64_t>(step));
    Model anew(model_->spec(), model_->input(), classes_, phase_->precision, config_.dtype(), key);
    const Parameters fresh(anew);
    for (Param* p : Parameters(*model_).list)
      if (const Param* from = fresh.find(p->name)) p->value = from->value;
  } else {
    for (Param* p : Parameters(*model_).list) {
      const auto found = start_.find(p->name);
      p->value = found == start_.end() ? Tensor() : found->second.clone();
    }
  }
  for (Param* p : Parameters(*model_).list)
    if (p->mask) hold(p->mask, p->value);
  store_masters(*model_, *phase_, step);
}

bool Pruning::exchanges_at(const PruneTime& now) const {
  const bool regrows = phase_->prune && phase_->prune->regrow && now.done > 0;
  return regrows && now.step % phase_->prune->regrow->every == 0 && phase_->prune->regrow->share_at(now.done) > 0;
}

void Pruning::hear(Param& p, Value& dw) {
  Layer* layer = find(p);
  if (!layer) return;
  if (layer->lifted) {
    p.mask = std::exchange(layer->lifted, {});
    layer->wish = map(dw.tensor(), [](auto d) { return std::abs(d); });
    Tensor left = dw.tensor().clone();
    hold(p.mask, left);
    dw = Value(left);
  }
  const Criterion& criterion = *phase_->prune->criterion;
  if (!criterion.listens()) return;
  Tensor& sum = heard_[p.name];
  if (!sum) sum = Tensor::zeros(p.value.shape(), p.value.dtype());
  criterion.hear(p.value, dw.tensor(), sum);
}

Pruning::Layer* Pruning::find(const Param& p) {
  const auto found = std::ranges::find(layers_, &p, &Layer::weight);
  return found == layers_.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string, Tensor>> Pruning::named() const {
  std::vector<std::pair<std::string, Tensor>> list;
  for (const auto& [name, tensor] : heard_) list.emplace_back(std::string(kHeard) + name, tensor);
  for (const auto& [name, tensor] : start_) list.emplace_back(std::string(kStart) + name, tensor);
  return list;
}

void Pruning::restore(const std::string& name, Tensor value) {
  for (const auto& [prefix, into] : {std::pair{kHeard, &heard_}, std::pair{kStart, &start_}})
    if (name.starts_with(prefix)) {
      const std::string param = name.substr(prefix.size());
      const Param* p = Parameters(*model_).find(param);
      if (!p || (p->value && (p->value.shape() != value.shape() || p->value.dtype() != value.dtype())))
        fail(ErrorKind::data, "\"{}\" {} fits no parameter of the model", name, value.shape().text());
      (*into)[param] = std::move(value);
      return;
    }
  fail(ErrorKind::data, "\"{}\" is not the name of a tensor of pruning", name);
}

}  // namespace lp
