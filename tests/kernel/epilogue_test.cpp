// Rescaling follows its order of roundings bit for bit, and the zero point stands for (x - z) w.
#include "lptrain/kernel/epilogue.h"

#include "elements.h"
#include "lptrain/base/error.h"

namespace lp {
namespace {

using namespace lp::test;

Odd<int32_t> integers(int64_t n, uint64_t seed, int shift) {
  Odd<int32_t> a(n);
  for (int64_t i = 0; i < n; ++i) a[i] = static_cast<int32_t>(Key(seed).bits32(static_cast<uint64_t>(i))) >> shift;
  return a;
}

template <class T, class Acc>
void check_rescale(int64_t rows, int64_t cols, const Rescale<T>& how, const Odd<Acc>& acc) {
  Odd<T> wanted(rows * cols);
  for (int64_t i = 0; i < wanted.size(); ++i) {
    const int64_t c = i % cols, shift = how.zero_point ? int64_t{how.zero_point} * how.w_sums[c] : 0;
    const T a = static_cast<T>(static_cast<int64_t>(acc[i]) - shift);
    const T m =
        static_cast<T>(how.x_scales ? how.x_scales[i / cols] : how.x_scale) * static_cast<T>(how.w_scale[how.per_column ? c : 0]);
    const volatile T product = a * m;  // rounded by itself
    wanted[i] = how.bias ? product + how.bias[c] : product;
  }
  for_isas([&] {
    with_threads(rows > 100 ? 3 : 1, [&] {
      Odd<T> y(rows * cols);
      rescale(how, rows, cols, acc.data(), y.data());
      check_same(y, wanted);
    });
  });
}

TEST_CASE_TEMPLATE("rescale on every size, with and without bias, zero point, column and row scales", T, float, double) {
  for (const int64_t cols : {1, 3, 16, 31, 64, 127, 1031})
    for (const int64_t rows : {0, 1, 5, 301}) {
      const Odd<int32_t> acc = integers(rows * cols, 1, 1), sums = integers(cols, 2, 12);
      Odd<double> wide(rows * cols);
      for (int64_t i = 0; i < wide.size(); ++i) wide[i] = 65537.0 * acc[i];
      const Odd<float> scale = ordinary<float>(cols, 3), by_row = ordinary<float>(rows + 1, 5);
      const Odd<T> bias = ordinary<T>(cols, 4);
      for (const T* b : {static_cast<const T*>(nullptr), bias.data()})
        for (const int32_t zero_point : {0, 131})
          for (const bool per_column : {false, true}) {
            Rescale<T> how{0.37f, scale.data(), per_column, b, zero_point, sums.data()};
            for (const float* x_scales : {static_cast<const float*>(nullptr), static_cast<const float*>(by_row.data())}) {
              how.x_scales = x_scales;
              check_rescale(rows, cols, how, acc);
              check_rescale(rows, cols, how, wide);
            }
          }
    }
}

TEST_CASE("an accumulator that wrapped past the zero point comes back") {
  const int32_t acc = std::numeric_limits<int32_t>::max(), sum = -10;  // max + 100 * 10 overflows, max - 100 * 10 does not
  const float scale = 1;
  float y = 0;
  for_isas([&] {
    rescale(Rescale<float>{1, &scale, true, nullptr, -100, &sum}, 1, 1, &acc, &y);
    CHECK(y == static_cast<float>(int64_t{acc} - 1000));
  });
}

TEST_CASE_TEMPLATE("code sums", C, int8_t, uint8_t, int16_t) {
  for (const int64_t K : lengths()) {
    Odd<C> w(3 * K);
    for (int64_t i = 0; i < w.size(); ++i) w[i] = static_cast<C>(Key(6).bits32(static_cast<uint64_t>(i)));
    int32_t sums[3];
    code_sums(3, K, w.data(), sums);
    for (int64_t o = 0; o < 3; ++o) {
      int64_t wanted = 0;
      for (int64_t k = 0; k < K; ++k) wanted += w[o * K + k];
      CHECK(sums[o] == wanted);
    }
  }
  CHECK_THROWS_AS(code_sums(0, int64_t{1} << 25, static_cast<const C*>(nullptr), nullptr), Error);
}

}  // namespace
}  // namespace lp
