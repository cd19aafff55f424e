// Trained ternary quantization: one number for large weights, another for very negative ones.
#include <algorithm>
#include <cmath>

#include "lptrain/tensor/math.h"
#include "scales.h"

namespace lp {
namespace {

// 1 above the threshold, -1 below its negative, else 0.
Tensor sides_of(const Tensor& x, double threshold) {
  const double beyond = threshold * largest_magnitude(x);
  return map(x, [beyond](auto v) { return static_cast<decltype(v)>((v > beyond) - (v < -beyond)); });
}

// Sum over the elements of one side.
double sum_of(const Tensor& x, const Tensor& sides, int side) {
  double sum = 0;
  visit_real(x.dtype(), [&]<class T>() {
    const auto v = x.data<T>(), at = sides.data<T>();
    for (size_t i = 0; i < v.size(); ++i)
      if (at[i] == static_cast<T>(side)) sum += static_cast<double>(v[i]);
  });
  return sum;
}

Tensor pair_of(double positive, double negative) {
  return Tensor::of<float>({2}, {static_cast<float>(positive), static_cast<float>(negative)});
}

}  // namespace

void TwoLevels::fields(Fields& f) {
  f("threshold", threshold, "share of the largest magnitude, up to which x becomes 0", {0, 1});
}

std::string TwoLevels::objection(const Quantizer& q) const {
  return q.format.family == Format::Family::Ternary
             ? ""
             : fmt::format("\"ttq\" makes three numbers: it needs the format ternary, found {}", q.format.name());
}

Extent TwoLevels::measure(const Tensor& x, const Lanes& lanes, const Quantizer& q) const { return AbsMax().measure(x, lanes, q); }

// The means of both sides: the least squared error.
Tensor TwoLevels::start(const Tensor& x, const Quantizer&) const {
  const Tensor sides = sides_of(x, threshold), ones = map(x, [](auto v) { return decltype(v)(1); });
  const auto mean = [&](int side) {
    const double count = sum_of(ones, sides, side);
    return count > 0 ? std::abs(sum_of(x, sides, side)) / count : std::max(largest_magnitude(x), 1e-6);
  };
  return pair_of(mean(1), mean(-1));
}

Var TwoLevels::apply(const Var& x, const Var& learned, const Quantizer&) const {
  require(learned.shape() == Shape{2}, "\"ttq\" learns two numbers, found {}: they come from another precision",
          learned.shape().text());
  const Tensor sides = sides_of(x.tensor(), threshold);
  const float wp = learned.tensor().data<float>()[0], wn = learned.tensor().data<float>()[1];
  const auto level = [wp, wn](auto side, auto between) {
    return side > 0 ? static_cast<decltype(side)>(wp) : side < 0 ? static_cast<decltype(side)>(wn) : between;
  };
  const Tensor y = map(sides, [level](auto side) { return side * level(side, side); });
  Rule dx = [sides, level](const Value& dy) -> Value {
    return zip(dy.tensor(), sides, [level](auto d, auto side) { return d * level(side, decltype(d)(1)); });
  };
  Rule dlevels = [sides](const Value& dy) -> Value {
    return pair_of(sum_of(dy.tensor(), sides, 1), -sum_of(dy.tensor(), sides, -1));
  };
  return record(Value(y), {{x, std::move(dx)}, {learned, std::move(dlevels)}});
}

}  // namespace lp
