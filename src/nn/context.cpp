// The door to weights, and looking through lenses.
#include "lptrain/nn/context.h"

#include <algorithm>
#include <cmath>

#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// g = 1 / sqrt(N Q): N the numbers that share a scale, in the weights or in one example; Q the greatest of the grid.
//   Source: Esser et al. 2020, section 2.2
double learning_factor(const Lens& lens, const Shape& shape, const Lanes& lanes) {
  const bool is_weight = lens.role == Role::weights || lens.role == Role::biases;
  const int64_t sharers = lanes.channels * (is_weight ? 1 : shape[0]);
  const double n = static_cast<double>(shape.size()) / static_cast<double>(std::max<int64_t>(1, sharers));
  return 1 / std::sqrt(std::max(1.0, n * lens.quantizer.ends().reach()));
}

void check_channels(const Lens& lens, const Tensor& state, const Lanes& lanes) {
  require(state.size() == lanes.channels,
          "{}: the stored scale has {} channels, wanted {}: it comes from another model or precision", lens.name, state.size(),
          lanes.channels);
}

}  // namespace

Key Context::noise(const std::string& name) { return key_.with(name).with(uses_[name]++); }

Var Context::leaf(Param& p) {
  const Var v = tape_ ? tape_->leaf(p.value) : Var(p.value);
  if (tape_) leaves_.emplace_back(&p, v);
  return v;
}

Var Context::param(Param& p) {
  if (const auto found = seen_.find(&p); found != seen_.end()) return found->second;
  Var v = leaf(p);
  if (p.mask) v = mul(v, Var(p.mask));
  if (p.lens) v = look(*p.lens, v);
  seen_.emplace(&p, v);
  return v;
}

Var Context::learned_scale(Lens& lens, const Tensor& x, const Lanes& lanes) {
  Param& p = *lens.scale;
  if (const auto found = seen_.find(&p); found != seen_.end()) return found->second;
  if (!p.value) {
    const Quantizer& q = lens.quantizer;
    const Tensor start = fit(q.rule().measure(x, lanes, q.ends(), false), q).scale;
    if (!is_training()) return Var(start);
    p.value = start;
  }
  check_channels(lens, p.value, lanes);
  const Var v = leaf(p);
  seen_.emplace(&p, v);
  // However large the step: a scale stays positive, and at most halves.
  if (tape_)
    after_step(
        [&p, old = p.value.clone()] { p.value = zip(p.value, old, [](auto s, auto was) { return std::max(s, was / 2); }); });
  return v;
}

Fit Context::fit_for(Lens& lens, const Quantizer& q, const Tensor& x, const Lanes& lanes) {
  const Scale& rule = q.rule();
  const bool is_observed = rule.kind() == Scale::Kind::observed, has_seen = is_observed && lens.observed.high;
  if (has_seen) check_channels(lens, lens.observed.high, lanes);
  if (has_seen && !is_training()) return fit(lens.observed, q);
  const Extent now = rule.measure(x, lanes, q.ends(), q.zero_point);
  if (!is_observed || !is_training()) return fit(now, q);
  if (!has_seen) lens.observed = now;
  after_step([&lens, now] { lens.observed = lens.quantizer.rule().blend(lens.observed, now); });
  return fit(lens.observed, q);
}

// The noise of a quantizer that rounds stochastically; evaluation rounds to nearest.
Key Context::draw(const Lens& lens, Quantizer& q) {
  if (q.rounding != Rounding::stochastic) return {};
  if (is_training()) return noise(lens.name);
  q.rounding = Rounding::nearest_even;
  return {};
}

Var Context::shown(const Lens& lens, const Var& x, const Var& y, const Tensor& scale, const QuantizeHow& how) const {
  if (see_) see_({lens, x, y, scale, how});
  return y;
}

Var Context::look(Lens& lens, const Var& x) {
  if (lens.is_identity() || x.value.codes()) return shown(lens, x, x, {}, {&lens.quantizer});
  Quantizer q = lens.quantizer;
  const Tensor& reals = x.tensor();
  const Lanes lanes = lanes_of(reals.shape(), q.per, lens.axis);
  QuantizeHow how{&q, lens.axis, 0, draw(lens, q), 1};
  if (q.rule().kind() == Scale::Kind::learned) {
    how.gradient_factor = learning_factor(lens, reals.shape(), lanes);
    const Var scale = learned_scale(lens, reals, lanes);
    return shown(lens, x, quantize(x, scale, how), scale.tensor(), how);
  }
  const Fit f = fit_for(lens, q, reals, lanes);
  how.zero_point = f.zero_point;
  return shown(lens, x, quantize(x, Var(f.scale), how), f.scale, how);
}

Encoding Context::encoding(Lens& lens, Quantizer q, Tensor scale, int32_t zero_point, int rank) {
  QuantizeHow how{&q, lens.axis, zero_point, draw(lens, q), 1};
  return encoding_of(scale, how, rank);
}

std::optional<Encoding> Context::foresee(Lens& lens, int rank) {
  const Quantizer& q = lens.quantizer;
  const Scale& rule = q.rule();
  if (see_ || lens.is_identity() || q.per != Per::tensor || !has_two_slopes(q) || !rule.reads_extremes_only()) return {};
  Extent extent;
  if (rule.kind() == Scale::Kind::observed)
    extent = lens.observed;
  else if (rule.kind() == Scale::Kind::fixed)
    extent = rule.measure(Tensor::zeros(Shape{1}), {1, 1, 1}, q.ends(), q.zero_point);
  if (!extent.high) return {};
  const Fit f = fit(extent, q);
  return encoding(lens, q, f.scale, f.zero_point, rank);
}

bool Context::wants_extremes(const Lens& lens) const {
  return is_training() && lens.quantizer.rule().kind() == Scale::Kind::observed;
}

void Context::observe(Lens& lens, const Tensor& extremes) {
  const Quantizer& q = lens.quantizer;
  const Extent now = q.rule().measure(extremes, {1, 1, extremes.size()}, q.ends(), q.zero_point);
  after_step([&lens, now] { lens.observed = lens.quantizer.rule().blend(lens.observed, now); });
}

ErrorQuantizer Context::errors_block(Lens& lens) {
  if (!tape_ || lens.is_identity()) return {};
  ErrorQuantizer error{[this, &lens](const Value& dy) { return look(lens, Var(dy)).value; }, {}};
  const Quantizer& q = lens.quantizer;
  if (see_ || q.per != Per::tensor || !q.rule().reads_extremes_only()) return error;
  error.foresee = [this, &lens](const std::function<Tensor()>& measure, const Shape& shape) {
    const bool is_fixed = lens.quantizer.rule().kind() == Scale::Kind::fixed;
    const Tensor extremes = is_fixed ? Tensor::zeros(Shape{2}) : measure();
    const Fit f = fit_for(lens, lens.quantizer, extremes, {1, 1, extremes.size()});
    return encoding(lens, lens.quantizer, f.scale, f.zero_point, shape.rank());
  };
  return error;
}

void Context::apply_changes() {
  for (const auto& change : changes_) change();
  changes_.clear();
}

}  // namespace lp
