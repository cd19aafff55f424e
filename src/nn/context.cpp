// The door to weights, and looking through lenses.
#include "lptrain/nn/context.h"

#include <algorithm>
#include <cmath>

#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// The numbers that share a scale, in the weights or in one example.
//   Source: Esser et al. 2020, section 2.2
double sharers(const Lens& lens, const Shape& shape, int64_t scales) {
  const bool is_weight = lens.role == Role::weights || lens.role == Role::biases;
  const int64_t parts = scales * (is_weight || shape.rank() == 0 ? 1 : shape[0]);
  return static_cast<double>(shape.size()) / static_cast<double>(std::max<int64_t>(1, parts));
}

void check_scales(const Lens& lens, const Tensor& state, int64_t wanted) {
  require(state.size() == wanted, "{}: the stored scale has {} channels, wanted {}: it comes from another model or precision",
          lens.name, state.size(), wanted);
}

int64_t scales_for(const Lens& lens, const Quantizer& q, const Tensor& x) {
  const Shape whole =
      x.shape().rank() == 0 ? x.shape() : x.shape().with(-1, x.shape().back() + missing_in_blocks(x.shape(), q.per));
  return lanes_of(whole, q.per, lens.axis).channels;
}

constexpr float kLeastScale = 0x1p-64f;

// However large the optimizer's step, a trained scale stays positive: it at most halves. The floor is for channels that are dead:
// they have no gradient, and what an optimizer remembers of the last one fades more slowly than halves do, so that scales would
// vanish, and what is divided by them be infinite.
Tensor held_scale(const Tensor& moved, const Tensor& before) {
  return zip(moved, before, [](auto s, auto was) { return std::max<decltype(s)>({s, was / 2, kLeastScale}); });
}

}  // namespace

Key Context::noise(const std::string& name) { return key_.with(name).with(uses_[name]++); }

Accumulator Context::accumulator(const Accumulator& a, const std::string& layer) {
  Accumulator in = a;
  if (sums_ && !in.is_native()) in.counts = sums_(layer, in);
  if (in.rounding != Rounding::stochastic) return in;
  if (is_training())
    in.noise = noise(layer + ".accumulator");
  else
    in.rounding = Rounding::nearest_even;
  return in;
}

Var Context::leaf(Param& p) {
  if (!tape_ || !p.moves) return Var(p.value);
  const Var v = tape_->leaf(p.value);
  leaves_.emplace_back(&p, v);
  return v;
}

Var Context::bare(Param& p) {
  if (const auto found = bare_.find(&p); found != bare_.end()) return found->second;
  Var v = leaf(p);
  if (p.mask) v = mul(v, Var(p.mask));
  bare_.emplace(&p, v);
  return v;
}

Var Context::param(Param& p) {
  if (p.frozen) return Var(p.frozen);
  if (const auto found = seen_.find(&p); found != seen_.end()) return found->second;
  Var v = bare(p);
  if (p.lens && p.held)
    v = shown(*p.lens, v, v, {}, {&p.lens->quantizer});
  else if (p.lens)
    v = look(*p.lens, v);
  seen_.emplace(&p, v);
  return v;
}

void Context::survey(std::span<Param* const> params) {
  std::unordered_map<int, std::vector<Tensor>> together;
  std::unordered_map<int, const Quantizer*> quantizers;
  for (const Param* p : params) {
    if (!p->lens || p->frozen || p->lens->is_identity() || p->lens->quantizer.per != Per::network) continue;
    const int role = static_cast<int>(p->lens->role);
    const Tensor seen = p->mask ? zip(p->value, p->mask, [](auto w, auto m) { return w * m; }) : p->value;
    together[role].push_back(seen.reshape(Shape{seen.size()}));
    quantizers[role] = &p->lens->quantizer;
  }
  for (const auto& [role, parts] : together) surveyed_[role] = lp::measure(concat(parts, 0), *quantizers[role], 0);
}

// A trained number of the lens: the parameter itself, or, before the first training pass, what it would start from.
Var Context::learned(Param& p, const std::function<Tensor()>& start) {
  if (const auto found = seen_.find(&p); found != seen_.end()) return found->second;
  if (!p.value) {
    const Tensor first = start();
    if (!is_training()) return Var(first);
    p.value = first;
  }
  const Var v = leaf(p);
  seen_.emplace(&p, v);
  return v;
}

Extent Context::measured(const Lens& lens, const Quantizer& q, const Tensor& x) const {
  const auto found = surveyed_.find(static_cast<int>(lens.role));
  return q.per == Per::network && found != surveyed_.end() ? found->second : measure(x, q, lens.axis);
}

Fit Context::fit_for(Lens& lens, const Quantizer& q, const Tensor& x) {
  const Scale& rule = q.rule();
  const bool is_observed = rule.kind() == Scale::Kind::observed, has_seen = is_observed && lens.observed.high;
  if (has_seen) check_scales(lens, lens.observed.high, scales_for(lens, q, x));
  if (has_seen && !is_training()) return fit(lens.observed, q);
  const Extent now = measured(lens, q, x);
  if (!is_observed || !is_training()) return fit(now, q);
  if (!has_seen) lens.observed = now;
  after_step([&lens, now] { lens.observed = lens.quantizer.rule().blend(lens.observed, now); });
  return fit(lens.observed, q);
}

// The noise of a quantizer that rounds stochastically; evaluation rounds to nearest.
Key Context::draw(const Lens& lens, Quantizer& q) {
  if (!is_stochastic(q.rounding)) return {};
  if (is_training()) return noise(lens.name);
  q.rounding = Rounding::nearest_even;
  return {};
}

Var Context::shown(const Lens& lens, const Var& x, const Var& y, const Tensor& scale, const QuantizeHow& how) const {
  if (see_) see_({lens, x, y, scale, how});
  return y;
}

Var Context::look_by_own_rule(Lens& lens, const Quantizer& q, const Var& x) {
  const Scale& rule = q.rule();
  const Var y = rule.apply(x, lens.scale ? learned(*lens.scale, [&] { return rule.start(x.tensor(), q); }) : Var(), q);
  return shown(lens, x, y, {}, {&q});
}

Var Context::learned_scale(Lens& lens, const Quantizer& q, const Tensor& x, const Tensor& first) {
  Param& p = *lens.scale;
  const bool is_first_use = !seen_.contains(&p);
  const Var scale = learned(p, [&] { return first; });
  check_scales(lens, scale.tensor(), scales_for(lens, q, x));
  if (is_training() && tape_ && is_first_use)
    after_step([&p, old = p.value.clone()] { p.value = held_scale(p.value, old); });
  return scale;
}

Var Context::look(Lens& lens, const Var& x) {
  if (lens.is_identity() || x.value.codes()) return shown(lens, x, x, {}, {&lens.quantizer});
  Quantizer q = lens.quantizer;
  if (q.rule().kind() == Scale::Kind::own) return look_by_own_rule(lens, q, x);
  const Tensor& reals = x.tensor();
  if (const std::string why = why_not(reals.shape(), q.per, lens.axis); !why.empty())
    fail(ErrorKind::usage, "{}: {}", lens.name, why);
  QuantizeHow how{&q, lens.axis, 0, draw(lens, q)};
  const bool has_scale = lens.scale && lens.scale->value, has_offset = !q.offset || (lens.offset && lens.offset->value);
  const Fit f = has_scale && has_offset ? Fit{} : fit_for(lens, q, reals);
  if (q.rule().waits(lens.observed)) return shown(lens, x, x, {}, how);
  how.zero_point = f.zero_point;
  if (lens.offset)
    how.offset = learned(*lens.offset, [&] { return f.offset; });
  else if (f.offset)
    how.offset = Var(f.offset);
  if (const Tensor r = decisions(reals, q, lens.axis, how.offset.value ? how.offset.tensor() : Tensor())) how.decision = Var(r);
  Var scale = lens.scale ? learned_scale(lens, q, reals, f.scale) : measured_scale(x, f.scale, q, lens.axis);
  if (lens.scale)
    how.gradient_factor = q.rule().gradient_factor(sharers(lens, reals.shape(), scale.shape().size()), q.ends().reach());
  return shown(lens, x, quantize(x, scale, how), scale.tensor(), how);
}

Encoding Context::encoding(const Lens& lens, Quantizer q, const Fit& fit) {
  const QuantizeHow how{&q, lens.axis, fit.zero_point, draw(lens, q)};
  return encoding_of(fit.scale, how);
}

bool Context::can_foresee(const Lens& lens) const {
  return !see_ && !lens.is_identity() && can_encode(lens.quantizer) && !lens.quantizer.rule().waits(lens.observed);
}

std::optional<Encoding> Context::foresee(Lens& lens) {
  const Quantizer& q = lens.quantizer;
  if (!can_foresee(lens)) return {};
  Extent extent;
  if (q.rule().kind() == Scale::Kind::observed)
    extent = lens.observed;
  else if (q.rule().kind() == Scale::Kind::fixed)
    extent = measure(Tensor::zeros(Shape{1}), q, lens.axis);
  if (!extent.high) return {};
  return encoding(lens, q, fit(extent, q));
}

bool Context::wants_extremes(const Lens& lens) const {
  return is_training() && lens.quantizer.rule().kind() == Scale::Kind::observed;
}

void Context::observe(Lens& lens, const Tensor& extremes) {
  const Extent now = measure(extremes, lens.quantizer, lens.axis);
  after_step([&lens, now] { lens.observed = lens.quantizer.rule().blend(lens.observed, now); });
}

bool Context::may_clip(const Lens& lens) const {
  const Quantizer& q = lens.quantizer;
  return watches_clipping_ && q.rule().kind() == Scale::Kind::fixed && q.overflows() == Overflow::saturate;
}

// `of`: errors, or their extremes. Beyond the grid is what would not round to its last real, as for infinities.
void Context::note_clipping(const Lens& lens, const Tensor& of) {
  const Quantizer& q = lens.quantizer;
  const Format grid = q.grid();
  const double step = static_cast<double>(fit_to(of, q, lens.axis).scale.data<float>()[0]);
  has_clipped_ = has_clipped_ || !(largest_magnitude(of) <= step * (2 * grid.max() - grid.tie(grid.hi() - 1)));
}

ErrorQuantizer Context::errors_block(Lens& lens) {
  if (!tape_ || lens.is_identity()) return {};
  ErrorQuantizer error{[this, &lens](const Value& dy) {
                         if (may_clip(lens)) note_clipping(lens, dy.tensor());
                         return look(lens, Var(dy)).value;
                       },
                       {}};
  if (!can_foresee(lens)) return error;
  error.foresee = [this, &lens](const std::function<Tensor()>& measured_extremes) {
    const bool is_fixed = lens.quantizer.rule().kind() == Scale::Kind::fixed && !may_clip(lens);
    const Tensor seen = is_fixed ? Tensor::zeros(Shape{2}) : measured_extremes();
    if (may_clip(lens)) note_clipping(lens, seen);
    return encoding(lens, lens.quantizer, fit_for(lens, lens.quantizer, seen));
  };
  return error;
}

void Context::apply_changes() {
  for (const auto& change : changes_) change();
  changes_.clear();
}

}  // namespace lp
