// The loops of kernel/quantize.h, for one instruction set (see loops.h). A block of elements passes through simple stages, all of
// them 32 bits wide, in L1: v = (x - o) / s; v -> code; code -> y or memory. Written for the vectorizer: no branches, few calls.
namespace {

constexpr int64_t kBlock = 512;

struct Block {
  float v[kBlock];
  int32_t code[kBlock];
};

float float_of(int32_t bits) { return __builtin_bit_cast(float, bits); }
int32_t bits_of(float x) { return __builtin_bit_cast(int32_t, x); }

// mask ? a : b for masks 0 and -1; a branch would stop the vectorizer.
int32_t select(int32_t mask, int32_t a, int32_t b) { return (a & mask) | (b & ~mask); }

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

// Key::uniform for the elements of a block.
struct Noise {
  uint32_t index, key_low, key_high;
  int32_t cut;  // bits of a remainder, where these are the noise
  float operator[](int64_t i) const {
    uint32_t x = (index + static_cast<uint32_t>(i)) ^ key_low;
    x ^= x >> 16, x *= 0x7feb352du;
    x ^= x >> 15, x *= 0x846ca68bu;
    x ^= x >> 16, x ^= key_high;
    return (static_cast<float>(static_cast<int32_t>(x >> 9)) + 0.5f) * 0x1p-23f;
  }
};

Noise noise_at(const Run& run, int64_t at, int32_t cut) {
  return {run.index + static_cast<uint32_t>(at), static_cast<uint32_t>(run.key), static_cast<uint32_t>(run.key >> 32), cut};
}

// 1 if the leading half of the bits of |r| is greater than the other half.
int32_t leading_half_wins(float r, int32_t cut) {
  const int32_t bits = static_cast<int32_t>(__builtin_fabsf(r) * float_of((127 + cut) << 23)), low = cut >> 1;
  return int32_t((bits >> low) > ((bits & ((1 << low) - 1)) << (cut & 1)));
}

// What is to be added to a code that was cut off toward zero, with the remainder r of the same sign.
template <Rounding kRounding>
int32_t correction(int32_t code, float r, const Noise& noise, int64_t i) {
  const int32_t odd = code & 1;
  switch (kRounding) {
    case Rounding::nearest_even:
      return (int32_t(r > 0.5f) | (int32_t(r == 0.5f) & odd)) - (int32_t(r < -0.5f) | (int32_t(r == -0.5f) & odd));
    case Rounding::nearest_away: return int32_t(r >= 0.5f) - int32_t(r <= -0.5f);
    case Rounding::floor: return -int32_t(r < 0);
    case Rounding::ceil: return int32_t(r > 0);
    case Rounding::zero: return 0;
    case Rounding::stochastic: return int32_t(r > noise[i]) - int32_t(r <= noise[i] - 1);  // exact: u is a multiple of 2^-24
    case Rounding::pseudo_stochastic: {
      const int32_t away = leading_half_wins(r, noise.cut), minus = bits_of(r) >> 31;
      return (away ^ minus) - minus;
    }
  }
  return 0;
}

// |v| <= 2^22. Nearest even is what an addition does whose last place is 1.
template <Rounding kRounding>
int32_t rounded(float v, const Noise& noise, int64_t i) {
  if (kRounding == Rounding::nearest_even) return bits_of(v + 0x1.8p23f) - bits_of(0x1.8p23f);
  const int32_t code = static_cast<int32_t>(v);
  return code + correction<kRounding>(code, v - static_cast<float>(code), noise, i);
}

template <Rounding kRounding>
void encode_integers(const Grid& g, const Noise& noise, int64_t n, Block& b) {
  const float power = g.power, low = g.low, high = g.high;
  const int32_t zero_point = g.zero_point;
  for (int64_t i = 0; i < n; ++i) {
    const float w = b.v[i] * power, above = w > low ? w : low, within = above < high ? above : high;
    b.code[i] = rounded<kRounding>(float_of(bits_of(within) & -(w == w)), noise, i) + zero_point;
  }
}

// The remainder r has the sign of v, so that what holds for integers holds for mirrored magnitudes.
template <Rounding kRounding>
void encode_magnitudes(const Grid& grid, const Noise& noise, int64_t n, Block& b) {
  const Grid g = grid;
  const int32_t mask = (1 << g.shift) - 1, beyond = bits_of(g.beyond);
  const float unit = float_of((127 - g.shift) << 23);  // 2^-shift
  for (int64_t i = 0; i < n; ++i) {
    const int32_t bits = bits_of(b.v[i]), a = bits & 0x7fffffff;
    const int32_t is_small = -(a < g.min_normal), is_infinite = -(a == 0x7f800000), is_nan = -(a > 0x7f800000);
    const float q = float_of(a & is_small) * g.to_subnormal;
    const int32_t small = static_cast<int32_t>(q);
    const int32_t small_r = bits_of(q - static_cast<float>(small)), normal_r = bits_of(static_cast<float>(a & mask) * unit);
    int32_t code = select(is_small, small, (a >> g.shift) - g.rebias);
    const int32_t is_beyond = -(code >= g.limit);
    const int32_t r = select(is_beyond, beyond, select(is_small, small_r, normal_r)) & ~(is_infinite | is_nan);
    code = select(is_nan, g.from_nan, select(is_infinite, g.from_infinity, select(is_beyond, g.hi, code)));
    const int32_t mirror = (bits >> 31) & ~is_nan, mirrored = (code ^ mirror) - mirror;
    b.code[i] = mirrored + correction<kRounding>(mirrored, float_of(r ^ (mirror & INT32_MIN)), noise, i);
  }
}

// Code -1 is -1, code 0 is +1: -1 up to the threshold of the rounding.
template <Rounding kRounding>
void encode_binary(const Grid&, const Noise& noise, int64_t n, Block& b) {
  constexpr float kThreshold = kRounding == Rounding::floor ? 0x1.fffffep-1f : kRounding == Rounding::ceil ? -1.f : -0x1p-149f;
  for (int64_t i = 0; i < n; ++i) b.code[i] = -(b.v[i] <= (kRounding == Rounding::stochastic ? 2 * noise[i] - 1 : kThreshold));
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
  if constexpr (sizeof(C) == 2 && C(-1) > 0)
    if (grid.is_plain_bf16) return to_bf16(run.n, x, codes);
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

// Whether a magnitude with the remainder r (0 <= r < 1, in steps) goes one step away from zero; minus: -1 for negative numbers.
template <Rounding kRounding>
int32_t goes_away(float r, int32_t minus, const Noise& noise, int64_t i) {
  switch (kRounding) {
    case Rounding::nearest_away: return int32_t(r >= 0.5f);
    case Rounding::floor: return int32_t(r > 0) & -minus;
    case Rounding::ceil: return int32_t(r > 0) & (minus + 1);
    case Rounding::stochastic: {
      const float u = float_of(select(minus, bits_of(1 - noise[i]), bits_of(noise[i])));
      return int32_t(r > u) | (int32_t(r == u) & -minus);
    }
    default: return 0;
  }
}

// The bits of a rounded magnitude, a those of the number itself: what lies beyond the last real, NaN, and the sign.
float signed_real(const Grid& g, int32_t rounded, int32_t bits, int32_t a) {
  int32_t r = select(-(rounded > g.last_bits), g.beyond_bits, rounded);
  r = select(-(a > 0x7f800000), g.nan_bits, r);
  const int32_t keeps_sign = select(-(r == 0), g.zero_sign, INT32_MIN) & ~-(r == 0x7fc00000);
  return float_of(r | (bits & keeps_sign));
}

// b.v rounded within y, as encode and decode would, but without codes: the step away from zero carries from mantissa to exponent.
template <Rounding kRounding>
void round_magnitudes(const Grid& grid, const Noise& noise, int64_t n, const Block& b, float* y) {
  const Grid g = grid;
  const int32_t mask = (1 << g.shift) - 1, beyond = bits_of(g.beyond);
  const float unit = float_of((127 - g.shift) << 23);  // 2^-shift
  for (int64_t i = 0; i < n; ++i) {
    const int32_t bits = bits_of(b.v[i]), a = bits & 0x7fffffff, is_small = -(a < g.min_normal), is_infinite = -(a == 0x7f800000);
    const float q = float_of(a & is_small) * g.to_subnormal;
    const int32_t small = static_cast<int32_t>(q), is_beyond = -((a & ~mask) > g.last_bits);
    const int32_t small_r = bits_of(q - static_cast<float>(small)), normal_r = bits_of(static_cast<float>(a & mask) * unit);
    const int32_t r = select(is_beyond, beyond, select(is_small, small_r, normal_r));
    const int32_t away = goes_away<kRounding>(float_of(r), bits >> 31, noise, i);
    const int32_t normal = select(is_beyond, g.last_bits, a & ~mask) + (away << g.shift);
    const int32_t rounded = select(is_small, bits_of(static_cast<float>(small + away) * g.smallest), normal);
    y[i] = signed_real(g, select(is_infinite, a, rounded), bits, a);
  }
}

// Nearest even: the addition of just below half a step rounds, and so does that of a number whose last place is the smallest
// step.
template <>
void round_magnitudes<Rounding::nearest_even>(const Grid& grid, const Noise&, int64_t n, const Block& b, float* y) {
  const Grid g = grid;
  const int32_t below_half = (1 << (g.shift - 1)) - 1, kept = ~((1 << g.shift) - 1);
  for (int64_t i = 0; i < n; ++i) {
    const int32_t bits = bits_of(b.v[i]), a = bits & 0x7fffffff;
    // In unsigned: the sum wraps for NaN, which is put right below.
    const uint32_t upward = static_cast<uint32_t>(below_half + (((a >> g.shift) ^ g.parity) & 1));
    const int32_t normal = static_cast<int32_t>(static_cast<uint32_t>(a) + upward) & kept;
    const int32_t small = bits_of(float_of(a) + g.rounder - g.rounder);
    y[i] = signed_real(g, select(-(a < g.min_normal), small, normal), bits, a);
  }
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
