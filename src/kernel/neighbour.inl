// What becomes of one element in the loops of quantize.inl: which neighbour it is rounded to, and what its noise is. Inlined
// always: a call would stop the vectorizer.
namespace {

float float_of(int32_t bits) { return __builtin_bit_cast(float, bits); }
int32_t bits_of(float x) { return __builtin_bit_cast(int32_t, x); }

// mask ? a : b for masks 0 and -1; a branch would stop the vectorizer.
int32_t select(int32_t mask, int32_t a, int32_t b) { return (a & mask) | (b & ~mask); }

// (k + 1/2) 2^-23 of the 23 leading bits: 1 + k 2^-23 as a float, less 1 - 2^-24, exactly.
[[gnu::always_inline]] inline float uniform(uint32_t bits) {
  return float_of(static_cast<int32_t>(bits >> 9 | 0x3f800000u)) - 0x1.fffffep-1f;
}

// Key::bits32 and Key::uniform for the elements of a block.
struct Noise {
  uint32_t index, key_low, key_high;
  int32_t cut;  // bits of a remainder, where these are the noise
  uint32_t bits(int32_t i) const {
    uint32_t x = (index + static_cast<uint32_t>(i)) ^ key_low;
    x ^= x >> 16, x *= 0x7feb352du;
    x ^= x >> 15, x *= 0x846ca68bu;
    return x ^ x >> 16 ^ key_high;
  }
  float operator[](int32_t i) const { return uniform(bits(i)); }
};

// 1 if the leading half of the bits of |r| is greater than the other half.
int32_t leading_half_wins(float r, int32_t cut) {
  const int32_t bits = static_cast<int32_t>(__builtin_fabsf(r) * float_of((127 + cut) << 23)), low = cut >> 1;
  return int32_t((bits >> low) > ((bits & ((1 << low) - 1)) << (cut & 1)));
}

// What is to be added to a code that was cut off toward zero, with the remainder r of the same sign.
template <Rounding kRounding>
int32_t correction(int32_t code, float r, const Noise& noise, int32_t i) {
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
int32_t rounded(float v, const Noise& noise, int32_t i) {
  if (kRounding == Rounding::nearest_even) return bits_of(v + 0x1.8p23f) - bits_of(0x1.8p23f);
  const int32_t code = static_cast<int32_t>(v);
  return code + correction<kRounding>(code, v - static_cast<float>(code), noise, i);
}

// v in steps of an integer grid, within its ends; NaN is 0.
[[gnu::always_inline]] inline float steps_within(const Grid& g, float v) {
  const float w = v * g.power, above = w > g.low ? w : g.low, within = above < g.high ? above : g.high;
  return float_of(bits_of(within) & -(w == w));
}

template <Rounding kRounding>
[[gnu::always_inline]] inline int32_t integer_code(const Grid& g, const Noise& noise, int32_t i, float v) {
  return rounded<kRounding>(steps_within(g, v), noise, i) + g.zero_point;
}

// integer_code<stochastic> between -128 and 127. In units of 2^-24 u is odd: u < r just where v, rounded up to whole units, and
// 1 - u, less a unit, carry.
[[gnu::always_inline]] inline int32_t stochastic_byte(const Grid& g, const Noise& noise, int32_t i, float v) {
  const float units = steps_within(g, v) * 0x1p24f;
  const int32_t down = static_cast<int32_t>(units), up = down + int32_t(static_cast<float>(down) < units);
  return ((up + (0xfffffe - static_cast<int32_t>(noise.bits(i) >> 8 & ~1u))) >> 24) + g.zero_point;
}

// Whether a magnitude with the remainder r (0 <= r < 1, in steps) goes one step away from zero; minus: -1 for negative numbers.
template <Rounding kRounding>
[[gnu::always_inline]] inline int32_t goes_away(float r, int32_t minus) {
  switch (kRounding) {
    case Rounding::nearest_away: return int32_t(r >= 0.5f);
    case Rounding::floor: return int32_t(r > 0) & -minus;
    case Rounding::ceil: return int32_t(r > 0) & (minus + 1);
    default: return 0;
  }
}

// The bits of the magnitude of v, rounded as if the exponents had no end: the step away from zero carries from mantissa to
// exponent. NaN gives anything.
template <Rounding kRounding>
[[gnu::always_inline]] inline int32_t rounded_magnitude(const Grid& g, const Noise&, int32_t, float v) {
  const int32_t mask = (1 << g.shift) - 1, bits = bits_of(v), minus = bits >> 31, a = bits & 0x7fffffff;
  const int32_t is_small = -(a < g.min_normal), is_infinite = -(a == 0x7f800000);
  const float unit = float_of((127 - g.shift) << 23);  // 2^-shift
  const float q = float_of(a & is_small) * g.to_subnormal;
  const int32_t small = static_cast<int32_t>(q), is_beyond = -((a & ~mask) > g.last_bits);
  const int32_t small_r = bits_of(q - static_cast<float>(small)), normal_r = bits_of(static_cast<float>(a & mask) * unit);
  const int32_t r = select(is_beyond, bits_of(g.beyond), select(is_small, small_r, normal_r));
  const int32_t away = goes_away<kRounding>(float_of(r), minus);
  const int32_t normal = select(is_beyond, g.last_bits, a & ~mask) + (away << g.shift);
  return select(is_infinite, a, select(is_small, bits_of(static_cast<float>(small + away) * g.smallest), normal));
}

// Nearest even: the addition of just below half a step rounds, and so does that of a number whose last place is the smallest
// step. In unsigned: the sum wraps for NaN.
template <>
[[gnu::always_inline]] inline int32_t rounded_magnitude<Rounding::nearest_even>(const Grid& g, const Noise&, int32_t, float v) {
  const int32_t a = bits_of(v) & 0x7fffffff;
  const uint32_t below_half = (1u << (g.shift - 1)) - 1, odd = static_cast<uint32_t>(a >> g.shift ^ g.parity) & 1u;
  const int32_t normal = static_cast<int32_t>(static_cast<uint32_t>(a) + below_half + odd) & ~((1 << g.shift) - 1);
  const int32_t small = bits_of(float_of(a) + g.rounder - g.rounder);
  return select(-(a < g.min_normal), small, normal);
}

// Stochastic: the addition of random bits below the last place; u < r just where it carries.
template <>
[[gnu::always_inline]] inline int32_t rounded_magnitude<Rounding::stochastic>(const Grid& g, const Noise& noise, int32_t i,
                                                                              float v) {
  const int32_t bits = bits_of(v), minus = bits >> 31, a = bits & 0x7fffffff, is_small = -(a < g.min_normal);
  const uint32_t draw = noise.bits(i) ^ static_cast<uint32_t>(minus);
  const int32_t normal = static_cast<int32_t>(static_cast<uint32_t>(a) + (~draw >> (32 - g.shift))) & ~((1 << g.shift) - 1);
  const float q = float_of(a & is_small) * g.to_subnormal;
  const int32_t whole = static_cast<int32_t>(q);
  const int32_t away = -(bits_of(q - static_cast<float>(whole)) > bits_of(uniform(draw)) + minus);
  return select(is_small, bits_of(static_cast<float>(whole - away) * g.smallest), normal);
}

// What lies beyond the last real, NaN, and the sign.
[[gnu::always_inline]] inline float signed_real(const Grid& g, int32_t rounded, float v) {
  const int32_t bits = bits_of(v), a = bits & 0x7fffffff, within = rounded > g.last_bits ? g.beyond_bits : rounded;
  const int32_t r = a > 0x7f800000 ? g.nan_bits : within;
  const int32_t keeps_sign = (g.zero_sign | -r) & (r - 0x7f800001);  // its sign bit: not of 0, if that has none, nor of NaN
  return float_of(r | (bits & keeps_sign & INT32_MIN));
}

// The code of the magnitude of v; of NaN, NaN's.
[[gnu::always_inline]] inline int32_t magnitude_code(const Grid& g, int32_t rounded, float v) {
  const int32_t a = bits_of(v) & 0x7fffffff, is_small = -(rounded < g.min_normal);
  const int32_t small = static_cast<int32_t>(float_of(rounded & is_small) * g.to_subnormal);
  const int32_t code = select(-(rounded > g.last_bits), g.limit, select(is_small, small, (rounded >> g.shift) - g.rebias));
  return select(-(a > 0x7f800000), g.from_nan, code);
}

// Sign bits of v, but not of NaN: 0 or -1.
[[gnu::always_inline]] inline int32_t minus_of(float v) { return (bits_of(v) >> 31) & -(v == v); }

}  // namespace
