// Forward: codes by the kernels. Backward: the estimator's slope, and the scale's gradient.
#include "lptrain/quant/quantize.h"

#include <cmath>
#include <limits>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

QuantizeKey key_of(const QuantizeHow& how) {
  const Quantizer& q = *how.quantizer;
  const Format grid = q.grid();
  QuantizeKey key{};
  key.format = q.format;
  key.rounding = q.rounding;
  // As hardware converts; loss scaling looks for infinities.
  key.overflow = q.format == kF16 || q.format == kBf16 ? Overflow::infinity : Overflow::saturate;
  key.lo = grid.lo();
  key.hi = grid.hi();
  key.zero_point = how.zero_point;
  key.noise = how.noise;
  return key;
}

int64_t chunks_of(const Lanes& lanes) { return (lanes.size() + kGrain - 1) / kGrain; }

// f(chunk, begin, end, channel) for runs of elements that share a scale; chunks side by side on threads.
template <class F>
void each_run(const Lanes& lanes, F f) {
  parallel_for(chunks_of(lanes), 1, [&](int64_t chunk) {
    const int64_t last = std::min(lanes.size(), (chunk + 1) * kGrain);
    for (int64_t begin = chunk * kGrain; begin < last;) {
      const int64_t row = begin / lanes.inner, end = std::min(last, (row + 1) * lanes.inner);
      f(chunk, begin, end, row % lanes.channels);
      begin = end;
    }
  });
}

// f(slope) with h' of the estimator: in place for the default, so that loops over it vectorize.
template <class F>
void with_slope(const Estimator& estimator, F f) {
  if (estimator == Estimator())
    return f([](auto u, const GridEnds& e) {
      using T = decltype(u);
      return u >= static_cast<T>(e.low) && u <= static_cast<T>(e.high) ? T(1) : T(0);
    });
  f([slope = estimator.row().slope](auto u, const GridEnds& e) {
    return static_cast<decltype(u)>(slope(static_cast<double>(u), e.low, e.high));
  });
}

// The ends of the grid as u sees them: shifted by the zero point.
GridEnds shifted_ends(const QuantizeHow& how) {
  const GridEnds e = how.quantizer->ends();
  return {e.low - how.zero_point, e.high - how.zero_point};
}

// Where the estimator clips. A scale measured on x itself covers x, and rounding of max/s must not freeze the largest element;
// only what is below 0 clips, on a grid without negative numbers.
GridEnds clipping_ends(const QuantizeHow& how) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  const GridEnds e = shifted_ends(how);
  if (how.quantizer->rule().kind() != Scale::Kind::measured) return e;
  const bool covers_negative = e.low < 0 || how.quantizer->zero_point;
  return {covers_negative ? -kFar : e.low, kFar};
}

// dy h'(u), with u as the forward pass divided it.
Value slope_rule(const Value& dy, const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  const GridEnds e = clipping_ends(how);
  const float* s = scale.data<float>().data();
  Tensor dx(x.shape(), x.dtype());
  visit_real(x.dtype(), [&]<class T>() {
    const T *px = x.data<T>().data(), *pdy = dy.tensor().data<T>().data();
    T* out = dx.data<T>().data();
    with_slope(how.quantizer->gradient, [&](auto slope) {
      each_run(lanes_of(x.shape(), how.quantizer->per, how.axis), [&](int64_t, int64_t begin, int64_t end, int64_t c) {
        const T step = static_cast<T>(s[c]);
        for (int64_t i = begin; i < end; ++i) out[i] = pdy[i] * slope(px[i] / step, e);
      });
    });
  });
  return dx;
}

// g sum dy (v - u h'(u)) per channel, in f64, in an order that does not depend on the number of threads.
Value scale_rule(const Value& dy, const Tensor& x, const Value& q, const Tensor& scale, const QuantizeHow& how) {
  const GridEnds e = clipping_ends(how);
  const Lanes lanes = lanes_of(x.shape(), how.quantizer->per, how.axis);
  const float* s = scale.data<float>().data();
  std::vector<double> partial(static_cast<size_t>(chunks_of(lanes) * lanes.channels));
  visit_real(x.dtype(), [&]<class T>() {
    const T *px = x.data<T>().data(), *pdy = dy.tensor().data<T>().data(), *pq = q.tensor().data<T>().data();
    with_slope(how.quantizer->gradient, [&](auto slope) {
      each_run(lanes, [&](int64_t chunk, int64_t begin, int64_t end, int64_t c) {
        const T step = static_cast<T>(s[c]);
        double sum = 0;
        for (int64_t i = begin; i < end; ++i) {
          const T u = px[i] / step;
          sum += static_cast<double>(pdy[i] * (pq[i] / step - u * slope(u, e)));
        }
        partial[static_cast<size_t>(chunk * lanes.channels + c)] += sum;
      });
    });
  });
  Tensor ds = Tensor::zeros(scale.shape());
  for (size_t c = 0; c < static_cast<size_t>(lanes.channels); ++c) {
    double sum = 0;
    for (size_t i = c; i < partial.size(); i += static_cast<size_t>(lanes.channels)) sum += partial[i];
    ds.data<float>()[c] = static_cast<float>(sum * how.gradient_factor);
  }
  return ds;
}

}  // namespace

bool has_two_slopes(const Quantizer& q) { return q.gradient.is_identity() || q.gradient == Estimator(); }

Encoding encoding_of(const Tensor& scale, const QuantizeHow& how, int rank) {
  const Quantizer& q = *how.quantizer;
  Encoding e{key_of(how), scale};
  if (q.per == Per::channel) e.axis = how.axis < 0 ? how.axis + rank : how.axis;
  const bool is_half_with_scale =
      q.format.is_float() && (q.rule().kind() != Scale::Kind::fixed || scale.data<float>()[0] != 1.0f);
  e.has_codes = has_codes(q.format) && !is_half_with_scale;
  const GridEnds ends = clipping_ends(how);
  constexpr double kFar = std::numeric_limits<double>::infinity();
  e.low = q.gradient.is_identity() ? -kFar : ends.low;
  e.high = q.gradient.is_identity() ? kFar : ends.high;
  return e;
}

Var quantize(const Var& x, const Var& scale, const QuantizeHow& given) {
  // The rules outlive this call: they own a copy of the quantizer.
  const auto quantizer = std::make_shared<const Quantizer>(*given.quantizer);
  QuantizeHow how = given;
  how.quantizer = quantizer.get();
  const Tensor reals = x.tensor(), s = scale.tensor();
  const Encoding encoding = encoding_of(s, how, reals.shape().rank());
  const Value q = encode(encoding, reals);
  const bool passes = encoding.passes_all();
  Rule dx = passes ? Rule([](const Value& dy) { return dy; }) : Rule([=](const Value& dy) {
    (void)quantizer;
    return slope_rule(dy, reals, s, how);
  });
  return record(q, {{x, std::move(dx)}, {scale, [=](const Value& dy) {
                                           (void)quantizer;
                                           return scale_rule(dy, reals, q, s, how);
                                         }}});
}

Tensor codes_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  Tensor codes(x.shape(), DType::i32);
  QuantizeKey key = key_of(how);
  key.lanes = lanes_of(x.shape(), how.quantizer->per, how.axis);
  quantize(key, x.dtype(), x.raw(), scale.data<float>().data(), DType::i32, codes.raw());
  return codes;
}

Tensor quantized(const Tensor& x, const Quantizer& q, int axis, Key noise) {
  if (q.is_identity()) return x;
  const Lanes lanes = lanes_of(x.shape(), q.per, axis);
  const Fit f = fit(q.rule().measure(x, lanes, q.ends(), q.zero_point), q);
  QuantizeHow how{&q, axis, f.zero_point, noise};
  Encoding e = encoding_of(f.scale, how, x.shape().rank());
  e.has_codes = false;
  return encode(e, x).tensor();
}

}  // namespace lp
