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

template <class T>
struct Inputs {
  Inputs(int64_t r, int64_t c, bool masked) : rows(r), C(c), is_masked(masked) {
    for (size_t i = 0; i < where.size(); ++i) where[i] = i % 3 == 1 ? kDead : 0;
  }
  int64_t rows, C;
  bool is_masked;
  std::vector<T> x = numbers<T>(rows * C, 1, 3), dy = numbers<T>(rows * C, 2), mean = numbers<T>(C, 3, 3);
  std::vector<T> p = numbers<T>(C, 4), q = numbers<T>(C, 5), s = numbers<T>(C, 6);
  std::vector<uint8_t> where = std::vector<uint8_t>(x.size());
};

// All four results, one after the other.
template <class T>
std::vector<double> passes(const Inputs<T>& in) {
  const auto n = in.x.size(), width = in.mean.size();
  const uint8_t* mask = in.is_masked ? in.where.data() : nullptr;
  std::vector<double> all(4 * width);
  std::vector<T> y(n), dx(n);
  norm_moments(in.rows, in.C, in.x.data(), all.data(), all.data() + width);
  norm_apply(in.rows, in.C, in.x.data(), in.mean.data(), in.p.data(), in.q.data(), y.data());
  norm_backward_sums(in.rows, in.C, in.dy.data(), mask, in.x.data(), in.mean.data(), all.data() + 2 * width,
                     all.data() + 3 * width);
  norm_backward(in.rows, in.C, in.dy.data(), mask, in.x.data(), in.mean.data(), in.p.data(), in.q.data(), in.s.data(), dx.data());
  all.insert(all.end(), y.begin(), y.end());
  all.insert(all.end(), dx.begin(), dx.end());
  return all;
}

// The same by the formulas, in double.
template <class T>
std::vector<double> formulas(const Inputs<T>& in) {
  const auto n = in.x.size(), width = in.mean.size();
  std::vector<double> all(4 * width + 2 * n);
  const auto wide = [](const std::vector<T>& v, size_t i) { return static_cast<double>(v[i]); };
  for (size_t i = 0; i < n; ++i) {
    const size_t c = i % width;
    const double from_mean = wide(in.x, i) - wide(in.mean, c), first = wide(in.x, i) - wide(in.x, c);
    const double d = in.is_masked && in.where[i] == kDead ? 0 : wide(in.dy, i);
    all[c] += first;
    all[width + c] += first * first;
    all[2 * width + c] += d;
    all[3 * width + c] += d * from_mean;
    all[4 * width + i] = from_mean * wide(in.p, c) + wide(in.q, c);
    all[4 * width + n + i] = wide(in.p, c) * d - wide(in.q, c) * from_mean - wide(in.s, c);
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
      const Inputs<T> in(rows, C, is_masked);
      const std::vector<double> first = passes(in), wanted = formulas(in);
      REQUIRE(first.size() == wanted.size());
      double worst = 0;
      for (size_t i = 0; i < first.size(); ++i)
        worst = std::max(worst, std::abs(first[i] - wanted[i]) / (1 + std::abs(wanted[i])));
      CHECK(worst < (sizeof(T) == 8 ? 1e-12 : 2e-4));
      for (const Isa isa : {Isa::avx2, Isa::avx512})
        for (const int threads : {1, 3}) {
          set_isa_cap(isa);
          set_thread_count(threads);
          CHECK(passes(in) == first);
        }
    }
  set_thread_count(before);
}
