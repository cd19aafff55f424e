// The loops of kernel/quantize.h, for one instruction set (see loops.h). A block of elements passes through simple stages, all of
// them 32 bits wide, in L1: v = (x - o) / s; v -> code; code -> y or memory. Written for the vectorizer: no branches, few calls.
namespace {

constexpr int64_t kBlock = 512;

struct Block {
  float v[kBlock];
  int32_t code[kBlock];
};

// Dividing by a power of two is multiplying by another: the exact quotients are the same real number.
bool has_exact_inverse(float scale) {
  const int32_t exponent = bits_of(scale) >> 23;
  return (bits_of(scale) & 0x7fffff) == 0 && exponent > 1 && exponent < 253;
}

void scale_down(const Run& run, int64_t at, int64_t n, const float* x, float* v) {
  if (run.offset && run.per_element)
    for (int64_t i = 0; i < n; ++i) v[i] = x[i] - run.offset[at + i];
  else if (run.offset)
    for (int64_t i = 0; i < n; ++i) v[i] = x[i] - *run.offset;
  const float* from = run.offset ? v : x;
  if (!run.per_element && has_exact_inverse(*run.decision)) {
    const float inverse = 1 / *run.decision;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) v[i] = from[i] * inverse;
    return;
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) v[i] = from[i] / (run.per_element ? run.decision[at + i] : *run.decision);
}

void scale_up(const Run& run, int64_t at, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] *= run.per_element ? run.scale[at + i] : *run.scale;
  if (run.offset)
    for (int64_t i = 0; i < n; ++i) y[i] += run.per_element ? run.offset[at + i] : *run.offset;
}

Noise noise_at(const Run& run, int64_t at, int32_t cut) {
  return {run.index + static_cast<uint32_t>(at), static_cast<uint32_t>(run.key), static_cast<uint32_t>(run.key >> 32), cut};
}

template <Rounding kRounding>
void encode_integers(const Grid& grid, const Noise& noise, int64_t n, Block& b) {
  const Grid g = grid;
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) b.code[i] = integer_code<kRounding>(g, noise, i, b.v[i]);
}

template <Rounding kRounding>
void encode_magnitudes(const Grid& grid, const Noise& noise, int64_t n, Block& b) {
  const Grid g = grid;
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) {
    const int32_t code = magnitude_code(g, rounded_magnitude<kRounding>(g, noise, i, b.v[i]), b.v[i]), minus = minus_of(b.v[i]);
    b.code[i] = (code ^ minus) - minus;
  }
}

// b.v rounded within y, as encode and decode would, but without codes.
template <Rounding kRounding>
void round_magnitudes(const Grid& grid, const Noise& noise, int64_t n, const Block& b, float* y) {
  const Grid g = grid;
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i)
    y[i] = signed_real(g, rounded_magnitude<kRounding>(g, noise, i, b.v[i]), b.v[i]);
}

// Code -1 is -1, code 0 is +1: -1 up to the threshold of the rounding.
template <Rounding kRounding>
void encode_binary(const Grid&, const Noise& noise, int64_t n, Block& b) {
  constexpr float kThreshold = kRounding == Rounding::floor ? 0x1.fffffep-1f : kRounding == Rounding::ceil ? -1.f : -0x1p-149f;
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i)
    b.code[i] = -(b.v[i] <= (kRounding == Rounding::stochastic ? 2 * noise[i] - 1 : kThreshold));
}

// b.code counts thresholds: those that the leading bits tell, then by halving, one step for all elements at a time.
void count_thresholds(const Grid& g, int64_t n, Block& b) {
  const float* thresholds = g.thresholds;
  const int32_t* start = g.start;
  const int32_t shift = g.start_shift;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) b.code[i] = start[static_cast<uint32_t>(bits_of(b.v[i])) >> shift];
  for (int32_t half = (1 << g.steps) / 2; half > 0; half /= 2)
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) b.code[i] += half & -(b.v[i] >= thresholds[b.code[i] + half - 1]);
}

// Stochastic: the thresholds are the reals themselves, and the upper neighbour is taken as number/rounding.cpp says it.
template <Rounding kRounding>
void encode_table(const Grid& g, const Noise& noise, int64_t n, Block& b) {
  const double* reals = g.reals;
  const int32_t lowest = g.lowest, last = g.count - 1, from_nan = g.from_nan;
  count_thresholds(g, n, b);
  if (kRounding == Rounding::stochastic)
    for (int64_t i = 0; i < n; ++i) {
      const int32_t at = b.code[i];
      const double lower = reals[at], step = reals[at + 1] - lower, x = static_cast<double>(b.v[i]);
      const double share = 0.5 + (x - (lower + step / 2)) / step;
      b.code[i] = at + (int32_t(static_cast<double>(noise[i]) < share) & int32_t(x > lower) & int32_t(at < last));
    }
  for (int64_t i = 0; i < n; ++i) b.code[i] = select(-(b.v[i] == b.v[i]), b.code[i] + lowest, from_nan);
}

using Encode = void(const Grid& g, const Noise& noise, int64_t n, Block& b);  // b.v -> b.code

// In the order of Grid::Kind.
template <Rounding kRounding>
constexpr Encode* kEncode[] = {encode_integers<kRounding>, encode_magnitudes<kRounding>, encode_binary<kRounding>,
                               encode_table<kRounding>};
constexpr Encode* kIntegersOnly[] = {encode_integers<Rounding::pseudo_stochastic>, nullptr, nullptr, nullptr};
constexpr Encode* const* kEncodes[] = {  // in the order of Rounding
    kEncode<Rounding::nearest_even>,
    kEncode<Rounding::nearest_away>,
    kEncode<Rounding::floor>,
    kEncode<Rounding::ceil>,
    kEncode<Rounding::zero>,
    kEncode<Rounding::stochastic>,
    kIntegersOnly};

void encode(const Grid& g, const Run& run, int64_t at, int64_t n, const float* x, Block& b) {
  scale_down(run, at, n, x, b.v);
  kEncodes[static_cast<int>(g.rounding)][static_cast<int>(g.kind)](g, noise_at(run, at, g.cut), n, b);
}

void magnitude_values(const Grid& grid, int64_t n, const Block& b, float* y) {
  const Grid g = grid;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t sign = b.code[i] >> 31, a = (b.code[i] ^ sign) - sign;
    const int32_t minus = (sign & INT32_MIN) | (bits_of(b.v[i]) & g.zero_sign & -(a == 0));
    const int32_t small = bits_of(static_cast<float>(a) * g.smallest);
    const int32_t normal = static_cast<int32_t>(static_cast<uint32_t>(a + g.rebias) << g.shift);
    const int32_t special = select(-(a == g.infinity), 0x7f800000, 0x7fc00000);
    const int32_t bits = select(-(a > g.hi), special, select(-(a < g.first_normal), small, normal));
    y[i] = float_of(bits | minus);
  }
}

void table_values(const Grid& g, int64_t n, const Block& b, float* y) {
  const double* reals = g.reals;
  const int32_t lowest = g.lowest, count = g.count;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t at = b.code[i] - lowest, is_number = -(at >= 0) & -(at < count);
    y[i] = float_of(select(is_number, bits_of(static_cast<float>(reals[at & is_number])), 0x7fc00000));
  }
}

// b.code (and the sign of b.v for a zero) -> y
void decode(const Grid& g, const Run& run, int64_t at, int64_t n, const Block& b, float* y) {
  const float unit = g.inverse_power;
  const int32_t zero_point = g.zero_point;
  if (g.kind == Grid::Kind::binary)
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(2 * b.code[i] + 1);
  else if (g.kind == Grid::Kind::integers)
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(b.code[i] - zero_point) * unit;
  else if (g.kind == Grid::Kind::table)
    table_values(g, n, b, y);
  else
    magnitude_values(g, n, b, y);
  scale_up(run, at, n, y);
}

template <class C>
void store(int64_t n, const Block& b, C* codes) {
  for (int64_t i = 0; i < n; ++i) codes[i] = static_cast<C>(b.code[i]);
}
template <>
void store(int64_t n, const Block& b, uint16_t* patterns) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t sign = b.code[i] >> 31, a = (b.code[i] ^ sign) - sign;
    const int32_t minus = sign | (b.code[i] == 0 ? bits_of(b.v[i]) >> 31 : 0);
    patterns[i] = static_cast<uint16_t>(a | (minus & 0x8000));
  }
}

template <class C>
void load(int64_t n, const C* codes, Block& b) {
  for (int64_t i = 0; i < n; ++i) b.code[i] = codes[i], b.v[i] = 0;
}
template <>
void load(int64_t n, const uint16_t* patterns, Block& b) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t a = patterns[i] & 0x7fff, sign = -(patterns[i] >> 15);
    b.code[i] = (a ^ sign) - sign, b.v[i] = sign ? -0.f : 0.f;
  }
}

template <class F>
void for_blocks(int64_t n, F&& f) {
  Block b;
  for (int64_t at = 0; at < n; at += kBlock) f(at, n - at < kBlock ? n - at : kBlock, b);
}

// f(i, x / s) for one s; n <= 2^31.
template <class F>
[[gnu::always_inline]] inline void each_quotient(int64_t n, const float* x, float s, F f) {
  const float inverse = 1 / s;
  if (has_exact_inverse(s))
#pragma GCC ivdep
    for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) f(i, x[i] * inverse);
  else
#pragma GCC ivdep
    for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) f(i, x[i] / s);
}

// The commonest calls in one pass: one divider for the run, and no offset.
template <Rounding kRounding, class C>
void quantize_at_once(const Grid& grid, const Noise& noise, const Run& run, const float* x, C* codes) {
  const Grid g = grid;
  const Noise u = noise;
  each_quotient(run.n, x, *run.decision, [=](int32_t i, float v) {
    if constexpr (sizeof(C) == 1)
      codes[i] = static_cast<C>(integer_code<kRounding>(g, u, i, v));
    else
      codes[i] = static_cast<C>(magnitude_code(g, rounded_magnitude<kRounding>(g, u, i, v), v) | (minus_of(v) & 0x8000));
  });
}

template <class C>
void bytes_at_once(const Grid& grid, const Noise& noise, const Run& run, const float* x, C* codes) {
  const Grid g = grid;
  const Noise u = noise;
  each_quotient(run.n, x, *run.decision, [=](int32_t i, float v) { codes[i] = static_cast<C>(stochastic_byte(g, u, i, v)); });
}

template <Rounding kRounding>
void round_at_once(const Grid& grid, const Noise& noise, const Run& run, const float* x, float* y) {
  const Grid g = grid;
  const Noise u = noise;
  const float scale = *run.scale;
  each_quotient(run.n, x, *run.decision,
                [=](int32_t i, float v) { y[i] = signed_real(g, rounded_magnitude<kRounding>(g, u, i, v), v) * scale; });
}

// f with the rounding, if the run may be quantized at once; whether it was.
template <class F>
bool at_once(const Grid& grid, const Run& run, Grid::Kind kind, F f) {
  const bool is_plain = grid.kind == kind && !run.offset && !run.per_element && run.n <= INT32_MAX;
  if (is_plain && grid.rounding == Rounding::nearest_even) return f.template operator()<Rounding::nearest_even>(), true;
  if (is_plain && grid.rounding == Rounding::stochastic) return f.template operator()<Rounding::stochastic>(), true;
  return false;
}

// The commonest conversion, as number/half.h has it.
void to_bf16(int64_t n, const float* x, uint16_t* patterns) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t bits = static_cast<uint32_t>(bits_of(x[i])), nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    patterns[i] = static_cast<uint16_t>(select(-(x[i] == x[i]), static_cast<int32_t>(nearest), 0x7fc0));
  }
}
void from_bf16(int64_t n, const uint16_t* patterns, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = float_of(patterns[i] << 16);
}

template <class C>
void quantize(const Grid& grid, const Run& run, const float* x, C* codes) {
  constexpr bool is_pattern = sizeof(C) == 2 && C(-1) > 0;
  if constexpr (is_pattern)
    if (grid.is_plain_bf16) return to_bf16(run.n, x, codes);
  if constexpr (sizeof(C) == 1 || is_pattern) {
    const auto kind = is_pattern ? Grid::Kind::magnitudes : Grid::Kind::integers;
    const Noise noise = noise_at(run, 0, 0);
    const auto whole = [&]<Rounding kRounding>() {
      if constexpr (kRounding == Rounding::stochastic && !is_pattern)
        if (grid.low >= -128 && grid.high <= 127) return bytes_at_once(grid, noise, run, x, codes);
      quantize_at_once<kRounding>(grid, noise, run, x, codes);
    };
    if (at_once(grid, run, kind, whole)) return;
  }
  for_blocks(run.n, [&](int64_t at, int64_t n, Block& b) {
    encode(grid, run, at, n, x + at, b);
    store(n, b, codes + at);
  });
}

template <class C>
void dequantize(const Grid& grid, const Run& run, const C* codes, float* y) {
  if constexpr (sizeof(C) == 2 && C(-1) > 0)
    if (grid.is_plain_bf16) return from_bf16(run.n, codes, y);
  for_blocks(run.n, [&](int64_t at, int64_t n, Block& b) {
    load(n, codes + at, b);
    decode(grid, run, at, n, b, y + at);
  });
}

using RoundWithin = void(const Grid& g, const Noise& noise, int64_t n, const Block& b, float* y);
constexpr RoundWithin* kRoundMagnitudes[] = {  // in the order of Rounding
    round_magnitudes<Rounding::nearest_even>,
    round_magnitudes<Rounding::nearest_away>,
    round_magnitudes<Rounding::floor>,
    round_magnitudes<Rounding::ceil>,
    round_magnitudes<Rounding::zero>,
    round_magnitudes<Rounding::stochastic>,
    nullptr};

void quantize_values(const Grid& grid, const Run& run, const float* x, float* y) {
  const auto round = kRoundMagnitudes[static_cast<int>(grid.rounding)];
  const Noise noise = noise_at(run, 0, 0);
  const auto whole = [&]<Rounding kRounding>() { round_at_once<kRounding>(grid, noise, run, x, y); };
  if (at_once(grid, run, Grid::Kind::magnitudes, whole)) return;
  for_blocks(run.n, [&](int64_t at, int64_t n, Block& b) {
    if (grid.kind == Grid::Kind::magnitudes) {
      scale_down(run, at, n, x + at, b.v);
      round(grid, noise_at(run, at, 0), n, b, y + at);
      return scale_up(run, at, n, y + at);
    }
    encode(grid, run, at, n, x + at, b);
    decode(grid, run, at, n, b, y + at);
  });
}

template <class C>
constexpr CodeLoops<C> kCodeLoops = {quantize<C>, dequantize<C>};

}  // namespace
