// Checks calls, describes formats to the vector loops, and cuts tensors into runs of one scale.
#include "lptrain/kernel/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "code_table.h"
#include "loops.h"
#include "lptrain/base/error.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"
#include "lptrain/kernel/cpu.h"
#include "quantize_reference.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread takes at once
constexpr int64_t kExact = 1 << 22;  // f32 knows integers and their halves up to here

// The codes that may occur: of integer grids lo..hi, of others all, special values included.
bool fits(const QuantizeKey& key, DType t) {
  if (is_half(t)) return key.format == (t == DType::f16 ? kF16 : kBf16);
  const bool is_grid = key.format.is_integer_grid();
  const bool is_posit = key.format.family == Format::Family::Posit;  // its NaN is the one code below lo()
  const int64_t hi = is_grid ? key.hi : std::max(key.format.hi(), key.format.has_nan() ? key.format.nan_code() : 0);
  const int64_t lo = is_grid                                        ? key.lo
                     : is_posit                                     ? key.format.nan_code()
                     : key.format.has_nan() && key.format.is_signed ? -hi
                                                                    : key.format.lo();
  if (is_real(t)) return false;
  const int bits = 8 * bytes_of(t);
  if (t == DType::u8) return lo >= 0 && hi <= 255;
  return lo >= -(int64_t{1} << (bits - 1)) && hi < int64_t{1} << (bits - 1);
}

void check_rounding(const QuantizeKey& key) {
  require(key.rounding != Rounding::pseudo_stochastic || (key.format.is_integer_grid() && key.cut >= 0 && key.cut <= kMostCut),
          "quantize: pseudo_stochastic needs a grid of integers and 0 to {} bits to look at, found {} and {}", kMostCut,
          key.format.name(), key.cut);
}

void check(const QuantizeKey& key, DType codes_type) {
  require(key.lo <= key.hi, "quantize: lowest code {} is above highest code {}", key.lo, key.hi);
  require(key.zero_point == 0 || key.overflow != Overflow::wrap, "quantize: codes that wrap around cannot have a zero point");
  check_rounding(key);
  require(fits(key, codes_type), "quantize: codes of {} do not fit into {}", key.format.name(), name_of(codes_type));
}

void describe_magnitudes(const QuantizeKey& key, Grid& g) {
  const Format& f = key.format;
  const bool keeps_beyond = key.overflow == Overflow::infinity && f.has_nan();
  g.kind = Grid::Kind::magnitudes;
  g.shift = 23 - f.fraction_bits;
  g.rebias = (127 - f.bias()) << f.fraction_bits;
  g.hi = static_cast<int32_t>(f.hi());
  g.limit = keeps_beyond ? g.hi + 1 : g.hi;
  g.beyond = keeps_beyond ? 1.f : 0.f;
  g.from_nan = static_cast<int32_t>(f.has_nan() ? f.nan_code() : f.zero_code());
  g.infinity = f.has_infinity() ? g.hi + 1 : -1;
  g.zero_sign = f.is_float() ? INT32_MIN : 0;
  constexpr int32_t kInfinity = 0x7f800000, kNan = 0x7fc00000;
  g.last_bits = std::bit_cast<int32_t>(static_cast<float>(f.max()));
  g.beyond_bits = !keeps_beyond ? g.last_bits : f.has_infinity() ? kInfinity : kNan;
  g.nan_bits = f.has_nan() ? kNan : 0;
  g.parity = g.rebias & 1;
  if (f.min_exponent() == -126 && f.fraction_bits > 0) return;  // the subnormals are those of f32
  g.min_normal = std::bit_cast<int32_t>(std::ldexp(1.f, f.min_exponent()));
  g.first_normal = 1 << f.fraction_bits;
  g.to_subnormal = std::ldexp(1.f, f.fraction_bits - f.min_exponent());
  g.smallest = std::ldexp(1.f, f.min_exponent() - f.fraction_bits);
  g.rounder = std::ldexp(g.smallest, 23);
}

// Posits, and e8m0, which has no sign.
bool is_table(const Format& f) { return f.family == Format::Family::Posit || (f.is_float() && !f.is_signed); }

void describe_table(const QuantizeKey& key, Grid& g) {
  const CodeTable& table = code_table(key.format, key.rounding);
  g.kind = Grid::Kind::table;
  g.start = table.start.data();
  g.start_shift = table.shift;
  g.thresholds = table.thresholds.data();
  g.reals = table.reals.data();
  g.steps = table.steps;
  g.lowest = static_cast<int32_t>(key.format.lo());
  g.count = static_cast<int32_t>(table.reals.size()) - 1;
  g.from_nan = static_cast<int32_t>(key.format.nan_code());
}

Grid describe(const QuantizeKey& key, const float* scale) {
  Grid g;
  g.rounding = key.rounding;
  const bool is_plain =
      key.rounding == Rounding::nearest_even && key.overflow == Overflow::infinity && !scale && !key.offset && !key.decision;
  g.is_plain_bf16 = is_plain && key.format == kBf16;
  if (key.format.family == Format::Family::Binary)
    g.kind = Grid::Kind::binary;
  else if (is_table(key.format))
    describe_table(key, g);
  else if (!key.format.is_integer_grid())
    describe_magnitudes(key, g);
  else {
    g.power = std::ldexp(1.f, key.format.fraction_bits);
    g.inverse_power = 1 / g.power;
    g.low = static_cast<float>(key.lo - key.zero_point);
    g.high = static_cast<float>(key.hi - key.zero_point);
    g.zero_point = key.zero_point;
    g.cut = key.cut;
  }
  return g;
}

const char* format_refused(const QuantizeKey& key) {
  const Format& f = key.format;
  if (f.family == Format::Family::Binary) return nullptr;
  if (f.is_integer_grid()) {
    if (key.overflow == Overflow::wrap) return "codes wrap around";
    return key.lo - key.zero_point < -kExact || key.hi - key.zero_point > kExact ? "needs |code| <= 2^22" : nullptr;
  }
  if (is_table(f)) {
    if (f.bits() > kTableBits) return "the format has too many codes for a table";
    return has_overflow(f, key.overflow) && key.overflow == Overflow::infinity ? "NaN lies beyond the table" : nullptr;
  }
  if (f.range_bits > 8 || f.fraction_bits > 22) return "the format is as fine as f32";
  return f.range_bits == 8 && f.fraction_bits == 0 ? "the format reaches below the normal f32" : nullptr;
}

bool takes_vector_row(const QuantizeKey& key, DType type) {
  return backend_cap() >= Backend::native && !vector_rows_refuse(key, type);
}

// Any 32-bit integer becomes a float in one rounding, as the reference has it; only the way back is narrower.
bool decodes_by_vector(const QuantizeKey& key, DType type) {
  const bool is_plain = key.format.is_integer_grid() && key.zero_point == 0 && type == DType::f32;
  return takes_vector_row(key, type) || (backend_cap() >= Backend::native && is_plain);
}

// The numbers of a channel: scale, offset, decision scale. Lists that are absent stay absent.
struct Numbers {
  const float *scale, *offset, *decision;

  Numbers at(int64_t i) const { return {scale + i, offset ? offset + i : nullptr, decision + i}; }
};

constexpr int64_t kSpread = 1024;  // elements of a run that is worth its call

// The same, one per element: `times` elements for each of several channels.
struct Spread {
  float scale[kSpread], offset[kSpread], decision[kSpread];
  bool has_offset = false, has_decision = false;
  int64_t n = 0;

  void add(const Numbers& of, int64_t times) {
    std::fill_n(scale + n, times, *of.scale);
    has_offset = of.offset != nullptr;
    if (has_offset) std::fill_n(offset + n, times, *of.offset);
    has_decision = of.decision != of.scale;
    if (has_decision) std::fill_n(decision + n, times, *of.decision);
    n += times;
  }
  Numbers numbers() const { return {scale, has_offset ? offset : nullptr, has_decision ? decision : scale}; }
};

// A tensor cut into runs of one channel, or, where these are short, of one number per element.
class Lane {
 public:
  Lane(const QuantizeKey& key, const float* scale) {
    const float* decision = key.decision ? key.decision : scale;
    // Without a scale all channels are alike.
    lanes_ = decision || scale || key.offset ? key.lanes : Lanes{1, 1, key.lanes.size()};
    if (!scale || !decision) ones_.assign(static_cast<size_t>(lanes_.channels), 1.f);
    numbers_ = {scale ? scale : ones_.data(), key.offset, decision ? decision : ones_.data()};
    if (lanes_.channels == 1 || lanes_.inner > 1 || lanes_.size() == 0) return;
    repeats_ = kSpread / lanes_.channels + 1;
    for (int64_t i = 0; i < repeats_ * lanes_.channels; ++i) {
      const Numbers of = numbers_.at(i % lanes_.channels);
      row_[0].push_back(*of.scale);
      if (of.offset) row_[1].push_back(*of.offset);
      row_[2].push_back(*of.decision);
    }
  }
  Lane(const Lane&) = delete;

  // f(first element, run) for runs that together hold every element once.
  template <class F>
  void for_runs(F&& f) const {
    if (lanes_.size() == 0) return;
    if (lanes_.channels == 1) {
      parallel_chunks(lanes_.size(), kGrain, [&](int64_t i, int64_t end) { f(i, run(end - i, numbers_, false)); });
    } else if (lanes_.inner == 1) {
      const int64_t n = repeats_ * lanes_.channels;
      const Numbers row{row_[0].data(), row_[1].empty() ? nullptr : row_[1].data(), row_[2].data()};
      parallel_for((lanes_.size() + n - 1) / n, kGrain / n + 1,
                   [&](int64_t i) { f(i * n, run(std::min(n, lanes_.size() - i * n), row, true)); });
    } else if (lanes_.inner < kSpread / 4) {
      for_short_runs(f);
    } else {
      parallel_for(lanes_.outer * lanes_.channels, kGrain / lanes_.inner + 1,
                   [&](int64_t i) { f(i * lanes_.inner, run(lanes_.inner, numbers_.at(i % lanes_.channels), false)); });
    }
  }

 private:
  static Run run(int64_t n, const Numbers& of, bool per_element) {
    return {n, 0, 0, of.scale, of.offset, of.decision, per_element};
  }

  // Several channels a run, as blocks with a scale of their own want it.
  template <class F>
  void for_short_runs(F& f) const {
    const int64_t count = lanes_.outer * lanes_.channels, inner = lanes_.inner;
    parallel_chunks(count, kGrain / inner + 1, [&](int64_t begin, int64_t end) {
      for (const int64_t several = kSpread / inner; begin < end; begin += several) {
        const int64_t last = std::min(begin + several, end);
        Spread spread;
        for (int64_t i = begin; i < last; ++i) spread.add(numbers_.at(i % lanes_.channels), inner);
        f(begin * inner, run((last - begin) * inner, spread.numbers(), true));
      }
    });
  }

  Lanes lanes_;
  std::vector<float> ones_;
  Numbers numbers_ = {};
  int64_t repeats_ = 1;
  std::vector<float> row_[3];  // scales, offsets, decision scales, repeated
};

// f(start, run): the run with its place in the noise, cut where the index passes a multiple of 2^32.
template <class F>
void with_noise(const QuantizeKey& key, int64_t start, Run run, F&& f) {
  for (int64_t left = run.n; left > 0; left -= run.n, start += run.n) {
    const uint64_t index = key.first + static_cast<uint64_t>(start);
    run.index = static_cast<uint32_t>(index);
    run.key = key.noise.page(index);
    run.n = std::min(left, (int64_t{1} << 32) - run.index);
    f(start, run);
    if (run.per_element) run.scale += run.n, run.decision += run.n, run.offset += run.offset ? run.n : 0;
  }
}

template <class C>
void quantize_as(const QuantizeKey& key, CodeLoops<C> code_loops, const float* x, const float* scale, void* codes) {
  const Grid grid = describe(key, scale);
  Lane(key, scale).for_runs([&](int64_t start, const Run& run) {
    with_noise(key, start, run,
               [&](int64_t i, const Run& part) { code_loops.quantize(grid, part, x + i, static_cast<C*>(codes) + i); });
  });
}

template <class C>
void dequantize_as(const QuantizeKey& key, CodeLoops<C> code_loops, const void* codes, const float* scale, float* y) {
  const Grid grid = describe(key, scale);
  Lane(key, scale).for_runs([&](int64_t i, const Run& run) {
    code_loops.dequantize(grid, run, static_cast<const C*>(codes) + i, y + i);
  });
}

}  // namespace

const char* vector_rows_refuse(const QuantizeKey& key, DType x_type) {
  return x_type == DType::f32 ? format_refused(key) : "the reals are not f32";
}

void quantize(const QuantizeKey& key, DType x_type, const void* x, const float* scale, DType codes_type, void* codes) {
  const Timed timed("quantize", "quantize");
  check(key, codes_type);
  if (!takes_vector_row(key, x_type)) return quantize_reference(key, x_type, x, scale, codes_type, codes);
  const float* a = static_cast<const float*>(x);
  switch (codes_type) {
    case DType::i8: return quantize_as(key, loops().codes_i8, a, scale, codes);
    case DType::u8: return quantize_as(key, loops().codes_u8, a, scale, codes);
    case DType::i16: return quantize_as(key, loops().codes_i16, a, scale, codes);
    case DType::i32: return quantize_as(key, loops().codes_i32, a, scale, codes);
    default: return quantize_as(key, loops().codes_half, a, scale, codes);
  }
}

void dequantize(const QuantizeKey& key, DType codes_type, const void* codes, const float* scale, DType y_type, void* y) {
  const Timed timed("quantize", "dequantize");
  check(key, codes_type);
  if (!decodes_by_vector(key, y_type)) return dequantize_reference(key, codes_type, codes, scale, y_type, y);
  float* b = static_cast<float*>(y);
  switch (codes_type) {
    case DType::i8: return dequantize_as(key, loops().codes_i8, codes, scale, b);
    case DType::u8: return dequantize_as(key, loops().codes_u8, codes, scale, b);
    case DType::i16: return dequantize_as(key, loops().codes_i16, codes, scale, b);
    case DType::i32: return dequantize_as(key, loops().codes_i32, codes, scale, b);
    default: return dequantize_as(key, loops().codes_half, codes, scale, b);
  }
}

void quantize_values(const QuantizeKey& key, DType type, const void* x, const float* scale, void* y) {
  const Timed timed("quantize", "quantize_values");
  check_rounding(key);
  if (!takes_vector_row(key, type)) return quantize_values_reference(key, type, x, scale, y);
  const Grid grid = describe(key, scale);
  Lane(key, scale).for_runs([&](int64_t start, const Run& run) {
    with_noise(key, start, run, [&](int64_t i, const Run& part) {
      loops().quantize_values(grid, part, static_cast<const float*>(x) + i, static_cast<float*>(y) + i);
    });
  });
}

}  // namespace lp
