// Random numbers: frozen values, moments and independence. Every bound is 5 standard errors wide (a good generator fails one in 2
// million times; the keys are fixed, so a test that passes once passes always).
#include "lptrain/base/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

using lp::Key;

namespace {

constexpr double kErrors = 5;

struct Moments {
  double mean = 0, variance = 0, n = 0;
};

template <class Draw>
Moments moments(int64_t n, const Draw& draw) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double x = draw(static_cast<uint64_t>(i));
    sum += x;
    squares += x * x;
  }
  const double count = static_cast<double>(n), mean = sum / count;
  return {mean, squares / count - mean * mean, count};
}

// Mean and variance of draws whose true ones, and whose fourth central moment, are known.
void check_moments(const Moments& m, double mean, double variance, double fourth) {
  CHECK(std::abs(m.mean - mean) < kErrors * std::sqrt(variance / m.n));
  CHECK(std::abs(m.variance - variance) < kErrors * std::sqrt((fourth - variance * variance) / m.n));
}

// The correlation of pairs of numbers of known mean and variance.
template <class A, class B>
double correlation(int64_t n, double mean, double variance, const A& a, const B& b) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (a(static_cast<uint64_t>(i)) - mean) * (b(static_cast<uint64_t>(i)) - mean);
  return sum / (static_cast<double>(n) * variance);
}

constexpr int64_t kDraws = 1 << 20;

}  // namespace

TEST_CASE("frozen values: runs of old versions must repeat") {
  // mix is SplitMix64: its published first outputs for seed 0 are mix(0), mix(gamma) ...
  CHECK(lp::mix(0) == 0xe220a8397b1dcdafu);
  CHECK(lp::mix(0x9e3779b97f4a7c15u) == 0x6e789e6aa1b965f4u);
  CHECK(Key(1).bits == 0x910a2dec89025cc1u);
  CHECK(Key(1).with(2).bits == 0x45c35442d09f4cd3u);
  CHECK(Key(1).with("conv1.weight").bits == 0x3a312227b423c60bu);
  CHECK(Key(1).bits32(0) == 0x7d761efcu);
  CHECK(Key(1).bits32(1) == 0x8390182u);
  CHECK(Key(1).bits32(uint64_t{1} << 32) == 0xb8eed046u);
  CHECK(Key(1).uniform(3) == 0x1.79d49cp-2f);
  CHECK(Key(1).below(4, 1000) == 722);
  static_assert(Key(1).with("a").bits == Key(1).with(0xaf63dc4c8601ec8cu).bits, "FNV-1a of \"a\", as published");
}

TEST_CASE("uniform is never 0 or 1, even at the ends") {
  // uniform() depends on bits32 alone, which for keys (low, high) reaches both ends: find them by inverting the outer xor.
  for (uint32_t wanted : {0u, 0xffffffffu}) {
    Key key;
    key.bits = static_cast<uint64_t>(Key().bits32(0) ^ wanted) << 32;
    REQUIRE(key.bits32(0) == wanted);
    CHECK(key.uniform(0) > 0);
    CHECK(key.uniform(0) < 1);
    CHECK(key.uniform(0) == (wanted ? 1 - 0x1p-24f : 0x1p-24f));
  }
}

TEST_CASE("uniform and normal numbers have their mean and variance") {
  for (uint64_t seed : {1u, 2u, 3u}) {
    const Key key(seed);
    check_moments(moments(kDraws, [&](uint64_t i) { return key.uniform(i); }), 0.5, 1.0 / 12, 1.0 / 80);
    check_moments(moments(kDraws, [&](uint64_t i) { return key.uniform64(i); }), 0.5, 1.0 / 12, 1.0 / 80);
    check_moments(moments(kDraws / 4, [&](uint64_t i) { return key.normal(i); }), 0, 1, 3);
  }
}

TEST_CASE("every bit is fair") {
  std::array<int64_t, 32> ones{};
  const Key key = Key(5).with("bits");
  for (int64_t i = 0; i < kDraws; ++i)
    for (size_t b = 0; b < 32; ++b) ones[b] += key.bits32(static_cast<uint64_t>(i)) >> b & 1;
  for (int64_t n : ones) CHECK(std::abs(static_cast<double>(n) - kDraws / 2.0) < kErrors * std::sqrt(kDraws / 4.0));
}

TEST_CASE("neighbours, strides, other keys and other names are uncorrelated") {
  const Key key(9);
  const auto draw = [](Key k) { return [k](uint64_t i) { return static_cast<double>(k.uniform(i)); }; };
  const double bound = kErrors / std::sqrt(static_cast<double>(kDraws));
  const auto of = [&](const auto& other) { return std::abs(correlation(kDraws, 0.5, 1.0 / 12, draw(key), other)); };
  for (uint64_t lag : {1u, 2u, 3u, 28u, 64u, 784u, 65536u})
    CHECK(of([&](uint64_t i) { return double{key.uniform(i + lag)}; }) < bound);
  CHECK(of(draw(Key(10))) < bound);
  CHECK(of(draw(key.with(1))) < bound);
  CHECK(of(draw(key.with("a"))) < bound);
  CHECK(std::abs(correlation(kDraws, 0.5, 1.0 / 12, draw(key.with("a")), draw(key.with("b")))) < bound);
  CHECK(of([&](uint64_t i) { return double{key.uniform(i + (uint64_t{1} << 32))}; }) < bound);
}

TEST_CASE("below is uniform over 0..n-1 (chi squared)") {
  const Key key(11);
  for (uint64_t n : {2u, 3u, 10u, 257u}) {
    std::vector<int64_t> counts(n);
    for (int64_t i = 0; i < kDraws; ++i) ++counts.at(key.below(static_cast<uint64_t>(i), n));
    const double expected = static_cast<double>(kDraws) / static_cast<double>(n), freedom = static_cast<double>(n - 1);
    double chi2 = 0;
    for (int64_t c : counts) chi2 += (static_cast<double>(c) - expected) * (static_cast<double>(c) - expected) / expected;
    // Wilson-Hilferty: the cube root of chi2 / freedom is nearly normal.
    const double z = (std::cbrt(chi2 / freedom) - (1 - 2 / (9 * freedom))) / std::sqrt(2 / (9 * freedom));
    CHECK(z < kErrors);
  }
  CHECK(key.below(0, 1) == 0);
}

TEST_CASE("normal numbers follow the bell curve (Kolmogorov-Smirnov)") {
  const int64_t n = 100000;
  std::vector<double> x;
  for (int64_t i = 0; i < n; ++i) x.push_back(Key(13).normal(static_cast<uint64_t>(i)));
  std::sort(x.begin(), x.end());
  double distance = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = 0.5 * std::erfc(-x[i] / std::sqrt(2.0));
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  CHECK(distance < 2.7 / std::sqrt(static_cast<double>(n)));  // exceeded with probability 2 exp(-2 * 2.7^2) = 1e-6
}
