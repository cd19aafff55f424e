// Scale rules with a memory: what they keep is an extent, which the trainer checkpoints with the lens.
#include <algorithm>

#include "scales.h"

namespace lp {
namespace {

const Scale& or_absmax(const Choice<Scale>& rule) {
  static const AbsMax kAbsMax;
  return rule ? *rule : static_cast<const Scale&>(kAbsMax);
}

}  // namespace

void Ema::fields(Fields& f) {
  f("decay", decay, "share of the old extent that a step keeps", {0, 1});
  f("delay", delay, "looks of training during which x passes as it is and is only observed (Jacob et al. 2018, section 3.1)",
    {0, 1e9});
  f("of", of, "the rule whose extents are averaged; absmax if not given");
}

std::string Ema::objection(const Quantizer& q) const { return of ? of->objection(q) : ""; }

Extent Ema::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  Extent e = or_absmax(of).measure(x, lanes, q);
  if (delay > 0) e.memory = Tensor::zeros(Shape{1});
  return e;
}

Extent Ema::blend(const Extent& old, const Extent& now) const {
  const float keep = static_cast<float>(decay);
  auto mix = [keep](auto a, auto b) { return keep * a + (1 - keep) * b; };
  return {zip(old.low, now.low, mix), zip(old.high, now.high, mix), now.offset ? zip(old.offset, now.offset, mix) : Tensor(),
          old.memory ? map(old.memory, [](auto looks) { return looks + 1; }) : Tensor()};
}

bool Ema::waits(const Extent& state) const {
  return delay > 0 && (!state.memory || state.memory.item() < static_cast<double>(delay));
}

void Delayed::fields(Fields& f) {
  f("history", history, "steps whose maxima are kept", {1, 4096});
  f("margin", margin, "powers of two that are left free above the largest of them", {0, 32});
}

Extent Delayed::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  Extent now = symmetric(scaled(AbsMax().measure(x, lanes, q).high, std::exp2(margin)));
  now.memory = Tensor(Shape{history, lanes.channels});
  const auto rows = now.memory.data<float>(), newest = now.high.data<float>();
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = newest[i % newest.size()];
  return now;
}

Extent Delayed::blend(const Extent& old, const Extent& now) const {
  const size_t lanes = now.high.data<float>().size();
  Extent e = symmetric(now.high.clone());
  e.memory = old.memory.clone();
  const auto rows = e.memory.data<float>(), high = e.high.data<float>();
  std::copy_backward(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(lanes), rows.end());
  std::ranges::copy(now.high.data<float>(), rows.begin());
  for (size_t i = 0; i < rows.size(); ++i) high[i % lanes] = std::max(high[i % lanes], rows[i]);
  e.low = scaled(e.high, -1);
  return e;
}

void Widest::fields(Fields& f) { f("of", of, "the rule whose extents are kept; absmax if not given"); }

Extent Widest::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  return or_absmax(of).measure(x, lanes, q);
}

Extent Widest::blend(const Extent& old, const Extent& now) const {
  const auto lower = [](auto a, auto b) { return std::min(a, b); };
  const auto higher = [](auto a, auto b) { return std::max(a, b); };
  return {zip(old.low, now.low, lower), zip(old.high, now.high, higher), now.offset};
}

void OverflowRate::fields(Fields& f) { f("rate", rate, "largest share of numbers that may overflow", {0, 1}); }

// The least power of two that at most the share `rate` of |x| reaches or exceeds; the grid's last step lies below it.
Extent OverflowRate::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  const GridEnds ends = q.ends();
  const double beyond = std::ldexp(1.0, std::ilogb(ends.reach()) + 1);  // of int8 with its reach 127: 128
  return symmetric(map(quantile_of_magnitudes(x, lanes, 1 - rate), [&](auto most) -> decltype(most) {
    if (most == 0 || !std::isfinite(most)) return most;
    return static_cast<decltype(most)>(std::ldexp(1.0, std::ilogb(most) + 1) * ends.reach() / beyond);
  }));
}

// Too many numbers overflow: twice the range. So few that half of it would do: half. Else as it was. (With r the share of |x| at
// or above the range m: r > rate means that the quantile, hence the power of two above it, exceeds m.)
//   Source: Courbariaux, Bengio & David 2015, section 5.
Extent OverflowRate::blend(const Extent& old, const Extent& now) const {
  return symmetric(zip(old.high, now.high, [](auto was, auto is) {
    if (was == 0) return is;
    return is > was ? 2 * was : is < was && is > 0 ? was / 2 : was;
  }));
}

}  // namespace lp
