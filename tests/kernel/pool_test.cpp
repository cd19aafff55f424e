// Pooling equals the definition window by window, and backward is the adjoint of forward.
#include "lptrain/kernel/pool.h"

#include "elements.h"
#include "lptrain/base/error.h"

namespace lp {
namespace {

using namespace lp::test;

const PoolShape kShapes[] = {
    {2, 4, 4, 5, 2, 2, 2, 2},         {1, 5, 7, 3, 3, 2, 2, 1},
    {3, 6, 5, 65, 3, 3, 2, 2, 1, 1},  {1, 1, 1, 1, 1, 1},
    {1, 9, 9, 130, 3, 3, 1, 1, 1, 1}, {2, 8, 8, 16, 8, 8},
    {1, 16, 16, 7, 16, 16},           {0, 4, 4, 2, 2, 2},
    {4, 7, 6, 33, 2, 3, 3, 2, 1, 0},  {1, 11, 3, 64, 5, 3, 2, 1, 2, 1},
};

// f(y index, x index, place) for every pixel of every window.
template <class F>
void for_pixels(const PoolShape& s, F&& f) {
  for (int64_t n = 0; n < s.N; ++n)
    for (int64_t i = 0; i < s.OH(); ++i)
      for (int64_t j = 0; j < s.OW(); ++j)
        for (int64_t u = 0; u < s.KH; ++u)
          for (int64_t v = 0; v < s.KW; ++v)
            for (int64_t c = 0; c < s.C; ++c) {
              const int64_t h = i * s.stride_h - s.pad_h + u, w = j * s.stride_w - s.pad_w + v;
              if (h < 0 || h >= s.H || w < 0 || w >= s.W) continue;
              f(((n * s.OH() + i) * s.OW() + j) * s.C + c, ((n * s.H + h) * s.W + w) * s.C + c,
                static_cast<uint8_t>(u * s.KW + v));
            }
}
int64_t inputs(const PoolShape& s) { return s.N * s.H * s.W * s.C; }
int64_t outputs(const PoolShape& s) { return s.N * s.OH() * s.OW() * s.C; }

template <class T>
Odd<T> image(int64_t n, uint64_t seed) {
  if constexpr (std::is_floating_point_v<T>) return hostile<T>(n, seed);
  Odd<T> x(n);
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(Key(seed).bits32(static_cast<uint64_t>(i)) >> (i % 3 ? 0 : 30));
  return x;
}

template <class T>
void check_max(const PoolShape& s) {
  const Odd<T> x = image<T>(inputs(s), 1);
  Odd<T> wanted(outputs(s));
  Odd<uint8_t> places(outputs(s));
  std::vector<bool> is_set(static_cast<size_t>(outputs(s)));
  for_pixels(s, [&](int64_t y, int64_t at, uint8_t place) {
    const bool is_nan = x[at] != x[at], has_nan = wanted[y] != wanted[y];
    if (is_set[static_cast<size_t>(y)] && !(x[at] > wanted[y] && !has_nan) && !(is_nan && !has_nan)) return;
    is_set[static_cast<size_t>(y)] = true, wanted[y] = x[at], places[y] = place;
  });
  for_isas([&] {
    Odd<T> y(outputs(s)), alone(outputs(s));
    Odd<uint8_t> where(outputs(s));
    max_pool(s, x.data(), y.data(), where.data());
    max_pool(s, x.data(), alone.data(), nullptr);
    check_same(y, wanted);
    check_same(alone, wanted);
    check_same(where, places);
  });
}

TEST_CASE_TEMPLATE("max pool is the first maximum of each window", T, float, double, int8_t, uint8_t, int16_t) {
  for (const PoolShape& s : kShapes) check_max<T>(s);
}

template <class T>
double dot(const Odd<T>& a, const Odd<T>& b) {
  double total = 0;
  for (int64_t i = 0; i < a.size(); ++i) total += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total;
}

TEST_CASE_TEMPLATE("max pool backward sends dy where the maximum was, and is the adjoint of forward", T, float, double) {
  for (const PoolShape& s : kShapes) {
    const Odd<T> x = ordinary<T>(inputs(s), 2), dy = ordinary<T>(outputs(s), 3);
    Odd<T> y(outputs(s)), wanted(inputs(s));
    Odd<uint8_t> where(outputs(s));
    max_pool(s, x.data(), y.data(), where.data());
    for_pixels(s, [&](int64_t at, int64_t from, uint8_t place) { wanted[from] += where[at] == place ? dy[at] : 0; });
    for_isas([&] {
      Odd<T> dx(inputs(s));
      std::fill(dx.data(), dx.data() + dx.size(), T(5));
      max_pool_backward(s, dy.data(), where.data(), dx.data());
      check_same(dx, wanted);
      CHECK(dot(dy, y) == doctest::Approx(dot(dx, x)).epsilon(1e-5).scale(10));  // y is linear in x while the places stay
    });
  }
}

TEST_CASE_TEMPLATE("average pool divides by the pixels inside, and its backward is the adjoint", T, float, double) {
  for (const PoolShape& s : kShapes) {
    const Odd<T> x = ordinary<T>(inputs(s), 4), dy = ordinary<T>(outputs(s), 5);
    Odd<T> wanted(outputs(s));
    std::vector<int> count(static_cast<size_t>(outputs(s)));
    for_pixels(s, [&](int64_t at, int64_t from, uint8_t) { wanted[at] += x[from], ++count[static_cast<size_t>(at)]; });
    for (int64_t i = 0; i < wanted.size(); ++i) wanted[i] /= static_cast<T>(count[static_cast<size_t>(i)]);
    for_isas([&] {
      Odd<T> y(outputs(s)), dx(inputs(s));
      average_pool(s, x.data(), y.data());
      check_same(y, wanted);
      std::fill(dx.data(), dx.data() + dx.size(), T(5));
      average_pool_backward(s, dy.data(), dx.data());
      CHECK(dot(dy, y) == doctest::Approx(dot(dx, x)).epsilon(1e-5).scale(10));
    });
  }
}

TEST_CASE("impossible shapes are refused") {
  float x[64] = {};
  uint8_t where[64];
  CHECK_THROWS_AS(max_pool(PoolShape{1, 4, 4, 1, 5, 1}, x, x, where), Error);
  CHECK_THROWS_AS(max_pool(PoolShape{1, 4, 4, 1, 2, 2, 0, 1}, x, x, where), Error);
  CHECK_THROWS_AS(max_pool(PoolShape{1, 4, 4, 1, 2, 2, 2, 2, 2, 0}, x, x, where), Error);
  CHECK_THROWS_AS(average_pool(PoolShape{1, 0, 4, 1, 1, 1}, x, x), Error);
  CHECK_THROWS_AS(max_pool(PoolShape{0, 17, 16, 1, 17, 16}, x, x, where), Error);
}

}  // namespace
}  // namespace lp
