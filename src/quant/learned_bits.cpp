// Bit widths that are trained: a step, a range, and a price for each bit that they need.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "scales.h"

namespace lp {
namespace {

bool has_sign(const Quantizer& q) { return q.format.lo() < 0; }

// The greatest code of integers with so many bits, without the lowest one if they have a sign.
double greatest(int64_t bits, bool with_sign) { return std::ldexp(1.0, static_cast<int>(bits - with_sign)) - 1; }

// n = round(m / d)
double codes_of(const Tensor& learned, const Quantizer& q) {
  const auto log2 = learned.data<float>();
  const double ratio = std::round(std::exp2(static_cast<double>(log2[1]) - static_cast<double>(log2[0])));
  return std::clamp(std::isnan(ratio) ? 1 : ratio, 1.0, q.ends().high);
}

// The penalty's gradient, added to what comes.
Var priced(const Var& learned, double penalty) {
  const auto log2 = learned.tensor().data<float>();
  const double ratio = std::exp2(static_cast<double>(log2[1]) - static_cast<double>(log2[0]));
  const auto price = static_cast<float>(penalty * ratio / (ratio + 1));
  Rule rule = [price](const Value& dy) -> Value {
    const auto d = dy.tensor().data<float>();
    return Tensor::of<float>({2}, {d[0] - price, d[1] + price});
  };
  return record(learned.value, {{learned, std::move(rule)}});
}

double sum_of(const Tensor& x) {
  return visit_real(x.dtype(), [&]<class T>() {
    double sum = 0;
    for (const T v : x.data<T>()) sum += static_cast<double>(v);
    return sum;
  });
}

// x within [low, high], whose ends that are not 0 are the range m on the grid; dm = sum dy sign(x) beyond them.
Var within(const Var& x, const Var& range, double low, double high) {
  const Tensor reals = x.tensor();
  const auto side = [low, high](auto v) { return (static_cast<double>(v) > high) - (static_cast<double>(v) < low); };
  const Tensor y = map(reals, [=](auto v) { return static_cast<decltype(v)>(std::clamp(static_cast<double>(v), low, high)); });
  Rule dx = [=](const Value& dy) -> Value {
    return zip(dy.tensor(), reals, [side](auto d, auto v) { return side(v) ? decltype(d)(0) : d; });
  };
  Rule dm = [=](const Value& dy) -> Value {
    const bool has_low = low != 0;
    return Tensor::full({1}, sum_of(zip(dy.tensor(), reals, [=](auto d, auto v) {
                          const int s = side(v);
                          return s < 0 && !has_low ? decltype(d)(0) : d * static_cast<decltype(d)>(s);
                        })));
  };
  return record(Value(y), {{x, std::move(dx)}, {range, std::move(dm)}});
}

}  // namespace

void LearnedBits::fields(Fields& f) {
  f("bits", bits, "to begin with; at most those of the format", {1, 16});
  f("least", least, "bits from which on down there is no penalty", {1, 16});
  f("penalty", penalty, "what a bit of this tensor adds to the loss (as it is after the loss scale)", {0, 1e6});
}

std::string LearnedBits::objection(const Quantizer& q) const {
  const bool fits =
      q.format.family == Format::Family::Fixed && q.format.fraction_bits == 0 && q.format.bits() <= 16 && q.format.bits() > 1;
  if (!fits)
    return fmt::format("\"learned_bits\" needs an integer format of 2 to 16 bits, which is the widest, found {}",
                       q.format.name());
  const bool begins = bits <= q.format.bits() && bits >= 1 + has_sign(q) && least >= 1 + has_sign(q);
  return begins ? ""
                : fmt::format(
                      "\"learned_bits\" begins with \"bits\" up to those of {}, of signed formats from 2 up, like \"least\"; "
                      "found {} and {}",
                      q.format.name(), bits, least);
}

Extent LearnedBits::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const {
  return AbsMax().measure(x, lanes, q);
}

// As LSQ begins at that width (Esser et al. 2020, section 2.1).
Tensor LearnedBits::start(const Tensor& x, const Quantizer& q) const {
  const double n = greatest(bits, has_sign(q)), high = Learned().measure(x, {1, 1, x.size()}, q).high.item();
  const double mean = high / (2 * std::sqrt(std::max(q.ends().reach(), 1.0))), step = 2 * mean / std::sqrt(n);
  const double log2 = step > 0 && std::isfinite(step) ? std::log2(step) : 0;
  return Tensor::of<float>({2}, {static_cast<float>(log2), static_cast<float>(log2 + std::log2(n))});
}

Format LearnedBits::reached(const Tensor& learned, const Quantizer& q) const {
  if (!learned) return q.format;
  const int64_t needed = has_sign(q) + static_cast<int64_t>(std::ceil(std::log2(codes_of(learned, q) + 1)));
  return Format::parse(fmt::format("{}int{}", has_sign(q) ? "" : "u", needed));
}

Var LearnedBits::apply(const Var& x, const Var& learned, const Quantizer& q) const {
  require(learned.shape() == Shape{2}, "\"learned_bits\" learns two numbers, found {}: they come from another precision",
          learned.shape().text());
  const double n = codes_of(learned.tensor(), q);
  const Var paid = reached(learned.tensor(), q).bits() > least ? priced(learned, penalty) : learned;
  const auto number = [&](int64_t i) { return exp(scale(slice(paid, 0, i, i + 1), std::numbers::ln2)); };
  const Var step = number(0), range = number(1);
  const double high = n * step.tensor().item(), low = has_sign(q) ? -high : 0;
  Quantizer grid = q;
  grid.scale = Choice<Scale>("learned");
  return quantize(n < q.ends().high ? within(x, range, low, high) : x, step, {&grid});
}

}  // namespace lp
