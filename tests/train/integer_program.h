// Integer-only training as a program that knows nothing but 64-bit integers: what train/integer.h promises, spelled out.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "lptrain/base/random.h"

namespace lp::test {

// A tensor: v 2^e.
struct Numbers {
  std::vector<int64_t> v;
  int e = 0;
  int64_t& operator[](int64_t i) { return v[static_cast<size_t>(i)]; }
  int64_t operator[](int64_t i) const { return v[static_cast<size_t>(i)]; }
};
inline Numbers zeros(int64_t n, int e) { return {std::vector<int64_t>(static_cast<size_t>(n)), e}; }

inline int64_t magnitude(int64_t v) { return v < 0 ? -v : v; }

// v / 2^s to nearest, ties to even.
inline int64_t shifted_even(int64_t v, int s) {
  if (s <= 0) return v * (int64_t{1} << -s);
  if (s > 40) return 0;
  const int64_t floor = v >> s, rest = v - floor * (int64_t{1} << s), half = int64_t{1} << (s - 1);
  return floor + (rest > half || (rest == half && (floor & 1)));
}

// The same, upwards if a random odd number of 24 bits is below what falls off.
inline int64_t shifted_randomly(int64_t v, int s, Key noise, int64_t i) {
  if (s <= 0) return v * (int64_t{1} << -s);
  REQUIRE(s <= 38);
  const int64_t floor = v >> s, rest = v - floor * (int64_t{1} << s);
  const int64_t draw = 2 * static_cast<int64_t>(noise.bits32(static_cast<uint64_t>(i)) >> 9) + 1;
  return floor + (draw * (int64_t{1} << std::max(s - 24, 0)) < rest * (int64_t{1} << std::max(24 - s, 0)));
}

// The same, away from zero if the leading half of what falls off is more than the other half, with a 0 behind it if it is
// shorter.
inline int64_t shifted_by_halves(int64_t v, int s) {
  if (s <= 0) return v * (int64_t{1} << -s);
  REQUIRE(s <= 30);
  const int64_t m = magnitude(v), kept = m >> s, rest = m - kept * (int64_t{1} << s);
  const int64_t chance = rest >> (s / 2), draw = (rest - chance * (int64_t{1} << (s / 2))) * (1 + s % 2);
  return (kept + (chance > draw)) * (v < 0 ? -1 : 1);
}

// How many low bits are 0 in all numbers.
inline int idle_bits(const std::vector<int64_t>& list) {
  int64_t all = 0;
  for (const int64_t v : list) all |= magnitude(v);
  int bits = 0;
  while (all != 0 && !(all >> bits & 1)) ++bits;
  return bits;
}

// A sum as f32 carries it: its 24 leading bits.
inline int64_t carried(int64_t sum) {
  int s = 0;
  while (magnitude(sum) >> s >= int64_t{1} << 24) ++s;
  return shifted_even(sum, s) * (int64_t{1} << s);
}

// The least exponent with which `reach` is not below the largest number; 0 if all are 0.
inline int exponent_for(const Numbers& x, int64_t reach) {
  int64_t most = 0;
  for (const int64_t v : x.v) most = std::max(most, magnitude(v));
  if (most == 0) return 0;
  int e = x.e;
  while (most > reach * (int64_t{1} << (e - x.e))) ++e;
  while (e <= x.e && most * (int64_t{1} << (x.e - e + 1)) <= reach) --e;
  return e;
}

enum class Rounds { to_even, randomly, by_halves };

struct Rounder {
  Rounds how = Rounds::to_even;
  Key noise = {};
  int64_t operator()(int64_t v, int s, int64_t i) const {
    return how == Rounds::to_even    ? shifted_even(v, s)
           : how == Rounds::randomly ? shifted_randomly(v, s, noise, i)
                                     : shifted_by_halves(v, s);
  }
};

inline Numbers requantized(const Numbers& x, int e, int64_t low, int64_t high, const Rounder& round) {
  Numbers q = zeros(std::ssize(x.v), e);
  const int idle = round.how == Rounds::by_halves ? idle_bits(x.v) : 0;
  for (int64_t i = 0; i < std::ssize(x.v); ++i)
    q[i] = std::clamp(round(x[i] / (int64_t{1} << idle), e - x.e - idle, i), low, high);
  return q;
}

inline Numbers fitted(const Numbers& x, int64_t low, int64_t high, const Rounder& round) {
  return requantized(x, exponent_for(x, high), low, high, round);
}

// Sizes of a convolution with stride 1 that keeps height and width; a linear layer is one of 1x1 on 1x1 images.
struct Size {
  int64_t N, H, W, C, O, K;
  int64_t pad() const { return K / 2; }
};

// f(y, x, w): indices of every product of y = sum x w.
template <class F>
void each_product(const Size& s, F f) {
  for (int64_t n = 0; n < s.N; ++n)
    for (int64_t i = 0; i < s.H; ++i)
      for (int64_t j = 0; j < s.W; ++j)
        for (int64_t u = 0; u < s.K; ++u)
          for (int64_t v = 0; v < s.K; ++v) {
            const int64_t h = i + u - s.pad(), l = j + v - s.pad();
            if (h < 0 || h >= s.H || l < 0 || l >= s.W) continue;
            for (int64_t o = 0; o < s.O; ++o)
              for (int64_t c = 0; c < s.C; ++c)
                f(((n * s.H + i) * s.W + j) * s.O + o, ((n * s.H + h) * s.W + l) * s.C + c, ((o * s.K + u) * s.K + v) * s.C + c);
          }
}

template <class F>
Numbers sums(const Size& s, int64_t n, int e, F add) {
  Numbers y = zeros(n, e);
  each_product(s, [&](int64_t iy, int64_t ix, int64_t iw) { add(y, iy, ix, iw); });
  for (int64_t& v : y.v) v = carried(v);
  return y;
}

inline Numbers relu(Numbers y) {
  for (int64_t& v : y.v) v = std::max<int64_t>(v, 0);
  return y;
}

// The greatest of each 2x2 window, and where it was (the first of equals).
inline Numbers pooled(const Size& s, const Numbers& y, std::vector<int64_t>& where) {
  Numbers p = zeros(s.N * s.H / 2 * s.W / 2 * s.O, y.e);
  where.assign(p.v.size(), 0);
  for (int64_t i = 0; i < std::ssize(p.v); ++i) {
    const int64_t o = i % s.O, l = i / s.O % (s.W / 2), h = i / s.O / (s.W / 2) % (s.H / 2), n = i / s.O / (s.W / 2) / (s.H / 2);
    int64_t best = -1;
    for (const int64_t k : {0, 1, 2, 3}) {
      const int64_t at = ((n * s.H + 2 * h + k / 2) * s.W + 2 * l + k % 2) * s.O + o;
      if (best < 0 || y[at] > y[best]) best = at;
    }
    p[i] = y[best];
    where[static_cast<size_t>(i)] = best;
  }
  return p;
}

// p = 2^(t - max t) in straight pieces, over their sum; e = p - onehot.
inline Numbers error_of(const Numbers& z, std::span<const int32_t> labels) {
  const int64_t K = std::ssize(z.v) / std::ssize(labels);
  int bits = 0;
  while (int64_t{1} << bits < std::ssize(labels)) ++bits;
  Numbers d = zeros(std::ssize(z.v), -15 - bits);
  for (int64_t n = 0; n < std::ssize(labels); ++n) {
    std::vector<int64_t> t, y;
    for (int64_t k = 0; k < K; ++k) {
      const int s = z.e + 8 - 15;  // t = floor(z 2^e 47274 2^-15 2^8)
      REQUIRE(s <= 0);
      t.push_back((z[n * K + k] * 47274) >> -s);
    }
    int64_t sum = 0, others = 0;
    for (const int64_t each : t) {
      const int64_t below = *std::ranges::max_element(t) - each, whole = (below + 255) / 256, part = 256 * whole - below;
      y.push_back(whole > 30 ? 0 : ((256 + part) * 4096) >> whole);
      sum += y.back();
    }
    for (int64_t k = 0; k < K; ++k)
      if (k != labels[static_cast<size_t>(n)]) others += d[n * K + k] = (y[static_cast<size_t>(k)] << 15) / sum;
    d[n * K + labels[static_cast<size_t>(n)]] = -others;
  }
  return d;
}

// A product layer: its weights, and what backward needs.
struct Product {
  Size size;
  std::string name;
  int64_t master_end, shift;  // codes reach from -master_end to master_end
  Numbers w, master, x;
  std::vector<int64_t> where;  // of a pool behind it
  Numbers y;

  Numbers forward(const Numbers& seen) {
    x = seen;
    w = requantized(master, w.e, -127, 127, {});
    y = sums(size, size.N * size.H * size.W * size.O, x.e + w.e,
             [&](Numbers& s, int64_t iy, int64_t ix, int64_t iw) { s[iy] += x[ix] * w[iw]; });
    return relu(y);
  }
  // Moves the weights; returns dx.
  Numbers backward(const Numbers& dy, Rounds how, Key key) {
    const Numbers e = fitted(dy, -127, 127, {how, key.with(name + ".error").with(uint64_t{0})});
    const Numbers dx =
        sums(size, std::ssize(x.v), e.e + w.e, [&](Numbers& s, int64_t iy, int64_t ix, int64_t iw) { s[ix] += e[iy] * w[iw]; });
    const Numbers dw =
        sums(size, std::ssize(w.v), e.e + x.e, [&](Numbers& s, int64_t iy, int64_t ix, int64_t iw) { s[iw] += e[iy] * x[ix]; });
    const int r = exponent_for(dw, master_end) + static_cast<int>(shift);
    const Numbers step = requantized(dw, r, -master_end, master_end, {how, key.with(name + ".weight.gradient")});
    for (int64_t i = 0; i < std::ssize(w.v); ++i) master[i] = std::clamp(master[i] - step[i], -master_end, master_end);
    return dx;
  }
};

// dp at the places of the maxima.
inline Numbers unpooled(const Product& p, const Numbers& dp) {
  Numbers dy = zeros(std::ssize(p.y.v), dp.e);
  for (size_t i = 0; i < p.where.size(); ++i) dy[p.where[i]] = dp.v[i];
  return dy;
}

inline Numbers masked(Numbers dy, const Numbers& y) {
  for (int64_t i = 0; i < std::ssize(y.v); ++i)
    if (y[i] <= 0) dy[i] = 0;
  return dy;
}

// One step of [conv, pool,] linear, relu, linear: what comes out of the last relu-less product is its sums.
inline void program_step(std::vector<Product>& layers, const Numbers& pixels, std::span<const int32_t> labels, Rounds how,
                         Key key) {
  Numbers seen = pixels;
  for (Product& p : layers) {
    Numbers y = p.forward(seen);
    if (&p == &layers.back()) break;
    if (p.size.K > 1) y = pooled(p.size, y, p.where);
    seen = fitted(y, 0, 255, {});
  }
  Numbers dy = error_of(layers.back().y, labels);
  for (size_t i = layers.size(); i-- > 0;) {
    Product& p = layers[i];
    if (!p.where.empty()) dy = unpooled(p, dy);
    if (i + 1 < layers.size()) dy = masked(dy, p.y);
    dy = p.backward(dy, how, key);
  }
}

}  // namespace lp::test
