// The passes of batch normalization against their formulas, on every instruction set, bit for bit alike.
#include "lptrain/kernel/norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "lptrain/base/parallel.h"
#include "lptrain/base/random.h"
#include "lptrain/kernel/cpu.h"
#include "lptrain/kernel/passage.h"
#include "operands.h"

using namespace lp;

namespace {

template <class T>
std::vector<T> numbers(int64_t n, uint64_t seed, double shift = 0) {
  std::vector<T> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(shift + Key(seed).normal(i));
  return x;
}

// All four results of one shape, one after the other.
template <class T>
std::vector<double> passes(int64_t rows, int64_t C, bool is_masked) {
  const auto n = static_cast<size_t>(rows * C), width = static_cast<size_t>(C);
  const std::vector<T> x = numbers<T>(rows * C, 1, 3), dy = numbers<T>(rows * C, 2), mean = numbers<T>(C, 3, 3);
  const std::vector<T> p = numbers<T>(C, 4), q = numbers<T>(C, 5), s = numbers<T>(C, 6);
  std::vector<uint8_t> where(n);
  for (size_t i = 0; i < n; ++i) where[i] = i % 3 == 1 ? kDead : 0;
  const uint8_t* mask = is_masked ? where.data() : nullptr;
  std::vector<double> sums(4 * width);
  std::vector<T> y(n), dx(n);
  norm_moments(rows, C, x.data(), sums.data(), sums.data() + width);
  norm_apply(rows, C, x.data(), mean.data(), p.data(), q.data(), y.data());
  norm_backward_sums(rows, C, dy.data(), mask, x.data(), mean.data(), sums.data() + 2 * width, sums.data() + 3 * width);
  norm_backward(rows, C, dy.data(), mask, x.data(), mean.data(), p.data(), q.data(), s.data(), dx.data());
  std::vector<double> all = sums;
  all.insert(all.end(), y.begin(), y.end());
  all.insert(all.end(), dx.begin(), dx.end());
  return all;
}

// The same by the formulas, in double.
template <class T>
std::vector<double> formulas(int64_t rows, int64_t C, bool is_masked) {
  const auto n = static_cast<size_t>(rows * C), width = static_cast<size_t>(C);
  const std::vector<T> x = numbers<T>(rows * C, 1, 3), dy = numbers<T>(rows * C, 2), mean = numbers<T>(C, 3, 3);
  const std::vector<T> p = numbers<T>(C, 4), q = numbers<T>(C, 5), s = numbers<T>(C, 6);
  std::vector<double> all(4 * width + 2 * n);
  for (size_t i = 0; i < n; ++i) {
    const size_t c = i % width;
    const double a = static_cast<double>(x[i]), m = static_cast<double>(mean[c]), first = a - static_cast<double>(x[c]);
    const double d = is_masked && i % 3 == 1 ? 0 : static_cast<double>(dy[i]);
    all[c] += first;
    all[width + c] += first * first;
    all[2 * width + c] += d;
    all[3 * width + c] += d * (a - m);
    all[4 * width + i] = (a - m) * static_cast<double>(p[c]) + static_cast<double>(q[c]);
    all[4 * width + n + i] = static_cast<double>(p[c]) * d - static_cast<double>(q[c]) * (a - m) - static_cast<double>(s[c]);
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("norm passes are their formulas, alike on every instruction set and thread count", T, float, double) {
  const test::Caps restore;
  const int before = thread_count();
  for (const auto& [rows, C] : {std::pair<int64_t, int64_t>{1, 1}, {7, 5}, {8, 16}, {29, 33}, {5000, 16}, {1030, 64}})
    for (const bool is_masked : {false, true}) {
      set_isa_cap(Isa::portable);
      set_thread_count(1);
      const std::vector<double> first = passes<T>(rows, C, is_masked), wanted = formulas<T>(rows, C, is_masked);
      REQUIRE(first.size() == wanted.size());
      double worst = 0;
      for (size_t i = 0; i < first.size(); ++i)
        worst = std::max(worst, std::abs(first[i] - wanted[i]) / (1 + std::abs(wanted[i])));
      CHECK(worst < (sizeof(T) == 8 ? 1e-12 : 2e-4));
      for (const Isa isa : {Isa::avx2, Isa::avx512})
        for (const int threads : {1, 3}) {
          set_isa_cap(isa);
          set_thread_count(threads);
          CHECK(passes<T>(rows, C, is_masked) == first);
        }
    }
  set_thread_count(before);
}
