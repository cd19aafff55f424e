// Forward: codes by the kernels. Backward: the estimator's slope, and the gradients of scale, decision scale and offset.
#include "lptrain/quant/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "lptrain/grad/ops.h"
#include "lptrain/kernel/passage.h"
#include "lptrain/tensor/math.h"

namespace lp {
namespace {

const float* numbers_of(const Var& v) { return v.value ? v.tensor().data<float>().data() : nullptr; }

QuantizeKey key_of(const Shape& shape, const QuantizeHow& how) {
  const Quantizer& q = *how.quantizer;
  const Format grid = q.grid();
  QuantizeKey key{};
  key.format = q.format;
  key.rounding = q.rounding;
  key.overflow = q.overflows();
  key.lo = grid.lo();
  key.hi = grid.hi();
  key.zero_point = how.zero_point;
  if (shape.rank() > 0) key.lanes = lanes_of(shape, q.per, how.axis);
  key.noise = how.noise;
  key.offset = numbers_of(how.offset);
  key.decision = numbers_of(how.decision);
  return key;
}

// How many bits dividing x by a power of two cuts off: those between the grid's step and the unit that all of x are multiples of.
int cut_bits(const Tensor& x, const Quantizer& q, const Tensor& divider) {
  const int step = std::ilogb(divider.data<float>()[0]) - q.format.fraction_bits;
  return std::clamp(step - common_exponent(x.dtype(), x.size(), x.raw()), 0, kMostCut);
}

// Whether a part of a tensor is rounded as in the whole: not where the unit of all of it counts.
bool takes_parts(const Quantizer& q) { return q.rounding != Rounding::pseudo_stochastic; }

// The key of a tensor, whose last bits may be the noise.
QuantizeKey key_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  QuantizeKey key = key_of(x.shape(), how);
  if (!takes_parts(*how.quantizer)) key.cut = cut_bits(x, *how.quantizer, how.decision.value ? how.decision.tensor() : scale);
  return key;
}

// Whether the result is codes: the format has some, zero is among their reals, and scales lie along an axis.
bool gives_codes(const Quantizer& q, const QuantizeHow& how, const Tensor& scale) {
  const bool is_half_with_scale =
      q.format.is_float() && (q.rule().kind() != Scale::Kind::fixed || scale.data<float>()[0] != 1.0f);
  return has_codes(q.format) && !is_half_with_scale && !how.offset.value && q.per.kind != Per::Kind::block;
}

// A scale for each index of the axis, where groups of them share one.
Tensor spread(const Tensor& scale, int64_t group) {
  Tensor all(Shape{scale.size() * group});
  for (size_t i = 0; i < all.data<float>().size(); ++i)
    all.data<float>()[i] = scale.data<float>()[i / static_cast<size_t>(group)];
  return all;
}

Value quantized_value(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  const QuantizeKey key = key_of(x, scale, how);
  const float* s = scale.data<float>().data();
  const Quantizer& q = *how.quantizer;
  if (!gives_codes(q, how, scale)) {
    Tensor y(x.shape(), x.dtype());
    quantize_values(key, x.dtype(), x.raw(), s, y.raw());
    return y;
  }
  Codes codes{Tensor(x.shape(), storage_of(q.format, how.zero_point)), q.format, scale, -1, how.zero_point};
  if (q.per.is_by_channel()) codes.axis = how.axis < 0 ? how.axis + x.shape().rank() : how.axis;
  if (q.per.kind == Per::Kind::sample) codes.axis = 0;
  if (q.per.kind == Per::Kind::group) codes.scale = spread(scale, q.per.size);
  quantize(key, x.dtype(), x.raw(), s, codes.codes.dtype(), codes.codes.raw());
  if (q.format.family == Format::Family::Binary) to_signs(codes.codes.data<int8_t>());
  return Value(std::move(codes), x.dtype());
}

int64_t chunks_of(const Lanes& lanes) { return (lanes.size() + kGrain - 1) / kGrain; }

// f(chunk, begin, end, lane) for runs of elements that share a scale; chunks side by side on threads.
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
GridEnds shifted_ends(const Quantizer& q, int32_t zero_point) {
  const GridEnds e = q.ends();
  return {e.low - zero_point, e.high - zero_point};
}

// Where the estimator clips: nowhere, if the rule behind the divider covers x; only what is below 0 does, on a grid without
// negative numbers.
GridEnds clipping_ends(const Quantizer& q, int32_t zero_point, bool has_offset) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  const GridEnds e = shifted_ends(q, zero_point);
  if (q.divider().clips()) return e;
  const bool covers_negative = e.low < 0 || q.zero_point || has_offset;
  return {covers_negative ? -kFar : e.low, kFar};
}

// What the rules of one quantize op know. They outlive the call: the quantizer is a copy.
struct Backward {
  std::shared_ptr<const Quantizer> quantizer;
  int axis;
  int32_t zero_point;
  double factor;
  Tensor x, scale, decision, offset;
  Value y;
  std::optional<Bounds> bounds;  // of x, if the estimator's slope is 0 or 1 and one scale decides

  // Straight through, x moves q as fast as itself: as if there were no decision scale.
  bool decides() const { return decision && !quantizer->gradient.is_identity(); }
  const Tensor& divider() const { return decides() ? decision : scale; }
  Lanes lanes() const { return lanes_of(x.shape(), quantizer->per, axis); }

  GridEnds ends() const { return shifted_ends(*quantizer, zero_point); }
  GridEnds clipping() const { return clipping_ends(*quantizer, zero_point, bool(offset)); }

  // dy passes unchanged.
  bool passes() const {
    const GridEnds e = clipping();
    const bool never_clips = quantizer->gradient == Estimator() && std::isinf(e.low) && std::isinf(e.high);
    return !decides() && (quantizer->gradient.is_identity() || never_clips);
  }

  // dy (s/r) h'(u), with u as the forward pass divided it.
  Value dx(const Value& dy) const {
    if (bounds) {
      Tensor out(x.shape());
      pass_within(x.size(), x.data<float>().data(), bounds->low, bounds->high, dy.tensor().data<float>().data(),
                  out.data<float>().data());
      return out;
    }
    const GridEnds e = clipping();
    const float *r = divider().data<float>().data(), *s = scale.data<float>().data(),
                *o = offset ? offset.data<float>().data() : nullptr;
    Tensor out(x.shape(), x.dtype());
    visit_real(x.dtype(), [&]<class T>() {
      const T *px = x.data<T>().data(), *pdy = dy.tensor().data<T>().data();
      T* to = out.data<T>().data();
      with_slope(quantizer->gradient, [&](auto slope) {
        each_run(lanes(), [&](int64_t, int64_t begin, int64_t end, int64_t c) {
          const T step = static_cast<T>(r[c]), ratio = static_cast<T>(s[c]) / step, shift = o ? static_cast<T>(o[c]) : T(0);
          for (int64_t i = begin; i < end; ++i) to[i] = pdy[i] * ratio * slope((px[i] - shift) / step, e);
        });
      });
    });
    return out;
  }

  // g sum dy term(v, u, h'(u), s/r) per lane, in f64, in an order that does not depend on the number of threads.
  template <class F>
  Value summed(const Value& dy, F term) const {
    const GridEnds e = clipping();
    const Lanes l = lanes();
    const float *r = divider().data<float>().data(), *s = scale.data<float>().data(),
                *o = offset ? offset.data<float>().data() : nullptr;
    std::vector<double> partial(static_cast<size_t>(chunks_of(l) * l.channels));
    visit_real(x.dtype(), [&]<class T>() {
      const T *px = x.data<T>().data(), *pdy = dy.tensor().data<T>().data(), *py = y.tensor().data<T>().data();
      with_slope(quantizer->gradient, [&](auto slope) {
        each_run(l, [&](int64_t chunk, int64_t begin, int64_t end, int64_t c) {
          const T step = static_cast<T>(r[c]), unit = static_cast<T>(s[c]), shift = o ? static_cast<T>(o[c]) : T(0);
          double sum = 0;
          for (int64_t i = begin; i < end; ++i) {
            const T u = (px[i] - shift) / step;
            sum += static_cast<double>(pdy[i] * term((py[i] - shift) / unit, u, slope(u, e), unit / step));
          }
          partial[static_cast<size_t>(chunk * l.channels + c)] += sum;
        });
      });
    });
    Tensor out = Tensor::zeros(scale.shape());
    for (size_t c = 0; c < static_cast<size_t>(l.channels); ++c) {
      double sum = 0;
      for (size_t i = c; i < partial.size(); i += static_cast<size_t>(l.channels)) sum += partial[i];
      out.data<float>()[c] = static_cast<float>(sum * factor);
    }
    return out;
  }

  Value ds(const Value& dy) const {
    if (decides()) return summed(dy, [](auto v, auto, auto, auto) { return v; });
    if (quantizer->rule().learns_from_rounding())
      return summed(dy, [](auto v, auto u, auto slope, auto) { return v - u * slope; });
    const auto h = quantizer->gradient.row().h;
    return summed(dy, [h, e = ends()](auto, auto u, auto slope, auto) {
      return static_cast<decltype(u)>(h(static_cast<double>(u), e.low, e.high)) - u * slope;
    });
  }
  Value dr(const Value& dy) const {
    if (!decides()) return Tensor::zeros(decision.shape());
    return summed(dy, [](auto, auto u, auto slope, auto ratio) { return -ratio * u * slope; });
  }
  Value offset_gradient(const Value& dy) const {
    return summed(dy, [](auto, auto, auto slope, auto ratio) { return 1 - ratio * slope; });
  }
};

Tensor tensor_of(const Var& v) { return v.value ? v.tensor() : Tensor(); }

std::optional<Bounds> bounds_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  if (x.dtype() != DType::f32 || scale.size() != 1 || !can_encode(*how.quantizer)) return {};
  return gradient_bounds(encoding_of(scale, how));
}

Var quantize_blocks(const Var& x, const Var& scale, const QuantizeHow& how, int64_t missing) {
  const int last = x.shape().rank() - 1;
  return slice(quantize(pad(x, last, 0, missing), scale, how), last, 0, x.shape().back());
}

}  // namespace

bool can_encode(const Quantizer& q) {
  const bool has_two_slopes = q.gradient.is_identity() || q.gradient == Estimator();
  return q.per == Per::tensor && !q.offset && !q.decision && has_two_slopes && takes_parts(q) && q.rule().reads_extremes_only();
}

Encoding encoding_of(const Tensor& scale, const QuantizeHow& how) {
  const Quantizer& q = *how.quantizer;
  Encoding e{key_of({}, how), scale, gives_codes(q, how, scale)};
  const GridEnds ends = clipping_ends(q, how.zero_point, false);
  constexpr double kFar = std::numeric_limits<double>::infinity();
  e.low = q.gradient.is_identity() ? -kFar : ends.low;
  e.high = q.gradient.is_identity() ? kFar : ends.high;
  return e;
}

Tensor codes_of(const Tensor& x, const Tensor& scale, const QuantizeHow& how) {
  const Tensor whole = whole_blocks(x, how.quantizer->per), divisor = how.decision.value ? how.decision.tensor() : scale;
  QuantizeKey key = key_of(whole, scale, how);
  if (how.offset.value) key.offset = how.offset.tensor().data<float>().data();
  Tensor codes(whole.shape(), DType::i32);
  quantize(key, whole.dtype(), whole.raw(), divisor.data<float>().data(), DType::i32, codes.raw());
  return codes;
}

Var quantize(const Var& x, const Var& scale, const QuantizeHow& how) {
  if (const int64_t missing = missing_in_blocks(x.shape(), how.quantizer->per)) return quantize_blocks(x, scale, how, missing);
  const Tensor reals = x.tensor(), s = scale.tensor();
  const auto back = std::make_shared<const Backward>(
      Backward{std::make_shared<const Quantizer>(*how.quantizer), how.axis, how.zero_point, how.gradient_factor, reals, s,
               tensor_of(how.decision), tensor_of(how.offset), quantized_value(reals, s, how), bounds_of(reals, s, how)});
  Rule dx = [back](const Value& dy) { return back->dx(dy); };
  if (back->passes()) dx = [](const Value& dy) { return dy; };
  std::vector<Edge> edges{{x, std::move(dx)}, {scale, [back](const Value& dy) { return back->ds(dy); }}};
  if (how.decision.value) edges.push_back({how.decision, [back](const Value& dy) { return back->dr(dy); }});
  if (how.offset.value) edges.push_back({how.offset, [back](const Value& dy) { return back->offset_gradient(dy); }});
  return record(back->y, std::move(edges));
}

Var measured_scale(const Var& x, const Tensor& scale, const Quantizer& q, int axis) {
  const Tensor reals = whole_blocks(x.tensor(), q.per);
  const Lanes lanes = lanes_of(reals.shape(), q.per, axis);
  if (x.is_constant() || !q.rule().pulled_back(Tensor::zeros(scale.shape()), reals, lanes, q)) return Var(scale);
  const auto quantizer = std::make_shared<const Quantizer>(q);
  return record(Value(scale), {{x, [=, shape = x.shape()](const Value& ds) -> Value {
                                  const Tensor dx = quantizer->rule().pulled_back(ds.tensor(), reals, lanes, *quantizer);
                                  return slice(dx, shape.rank() - 1, 0, shape.back());
                                }}});
}

namespace {

void quantize_to(const Tensor& given, const Quantizer& q, int axis, Key noise, int64_t first, Tensor& to) {
  const Fit f = fit_to(given, q, axis);
  const Tensor x = whole_blocks(given, q.per);
  QuantizeHow how{&q, axis, f.zero_point, noise};
  if (f.decision) how.decision = Var(f.decision);
  if (f.offset) how.offset = Var(f.offset);
  QuantizeKey key = key_of(x, f.scale, how);
  key.first = x.shape().rank() > 0 ? static_cast<uint64_t>(first * x.shape().after(0)) : 0;
  const float* scale = f.scale.data<float>().data();
  if (x.shape() == given.shape()) return quantize_values(key, x.dtype(), x.raw(), scale, to.raw());
  Tensor y(x.shape(), x.dtype());
  quantize_values(key, x.dtype(), x.raw(), scale, y.raw());
  std::memcpy(to.raw(), slice(y, y.shape().rank() - 1, 0, given.shape().back()).raw(), static_cast<size_t>(to.bytes()));
}

}  // namespace

Tensor quantized(const Tensor& x, const Quantizer& q, int axis, Key noise, int64_t first) {
  if (q.is_identity()) return x;
  Tensor y(x.shape(), x.dtype());
  quantize_to(x, q, axis, noise, first, y);
  return y;
}

void quantize_in_place(Tensor& x, const Quantizer& q, int axis, Key noise, int64_t first) {
  if (!q.is_identity()) quantize_to(x, q, axis, noise, first, x);
}

bool is_by_rows(const Quantizer& q) {
  if (q.is_identity()) return true;
  const bool is_split = q.per.kind == Per::Kind::channel || q.per.kind == Per::Kind::sample || q.per.kind == Per::Kind::block;
  const bool is_plain = q.scale_format == kF32 && !q.decision && !q.offset;
  const bool is_fixed = q.rule().kind() == Scale::Kind::fixed && q.per.kind == Per::Kind::tensor;
  const bool is_measured = q.rule().kind() == Scale::Kind::measured && q.rule().reads_extremes_only();
  const bool has_zero = q.format.family != Format::Family::Binary;  // a row of zeros stays zeros, whatever its scale
  return takes_parts(q) && is_plain && (is_fixed || (is_split && is_measured && has_zero));
}

}  // namespace lp
