// Rules that were printed and are wrong, word for word, so that they can be run and seen to fail: configs/examples/errata/. The
// gradient passes straight through all of them.
#include <algorithm>
#include <cmath>

#include "scales.h"

namespace lp {
namespace {

struct Facts {
  double mean, low, high;
};
Facts facts_of(const Tensor& x) {
  const std::vector<double> numbers = lane_of(x, {1, 1, x.size()}, 0);
  Facts f{0, numbers.front(), numbers.front()};
  for (const double v : numbers) {
    f.mean += v / static_cast<double>(numbers.size());
    f.low = std::min(f.low, v);
    f.high = std::max(f.high, v);
  }
  return f;
}

// "Update: w = wq + delta sign(w - wq)": from the nearest level of mu + delta k it goes one level on, past w, to the farther
// neighbour. Right: least_squares with the offset mean.
double farther_neighbour(double x, const Facts& f, double delta, int) {
  const double q = f.mean + delta * std::round((x - f.mean) / delta);
  return q + delta * static_cast<double>((x > q) - (x < q));
}

// "8 bits: scale = 2^32 / (max - min), zero point (max + min) / 2, code = (x - zero point) scale": no rounding, no 8 bits; what
// is decoded is x itself. Right: uint8 with the offset min.
double unrounded_32_bits(double x, const Facts& f, double, int) {
  const double scale = 0x1p32 / (f.high - f.low), middle = (f.high + f.low) / 2;
  const double code = (x - middle) * scale;
  return code / scale + middle;
}

// "w = round(w / step) 2^n": codes in units of 2^n and not of the step. Right: a fixed scale.
double times_2n(double x, const Facts&, double step, int bits) { return std::round(x / step) * std::ldexp(1.0, bits); }

constexpr double (*kRules[])(double x, const Facts& f, double step, int bits) = {farther_neighbour, unrounded_32_bits,
                                                                                 times_2n};  // in the order of Erratum

}  // namespace

void Errata::fields(Fields& f) {
  f("rule", rule, "farther_neighbour, unrounded_32_bits or times_2n");
  f("step", step, "of the grid, where the rule has one", {1e-12, 1e12});
}

Extent Errata::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const { return AbsMax().measure(x, lanes, q); }

Format Errata::reached(const Tensor&, const Quantizer& q) const { return rule == Erratum::unrounded_32_bits ? kF32 : q.format; }

Var Errata::apply(const Var& x, const Var&, const Quantizer& q) const {
  if (x.tensor().size() == 0) return x;
  const Facts facts = facts_of(x.tensor());
  const auto literal = kRules[static_cast<size_t>(rule)];
  const Tensor y = map(x.tensor(), [&](auto v) {
    return static_cast<decltype(v)>(literal(static_cast<double>(v), facts, step, q.format.bits()));
  });
  return record(Value(y), {{x, [](const Value& dy) { return dy; }}});
}

}  // namespace lp
