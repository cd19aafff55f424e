// Elementwise loops and reductions equal plain scalar loops on every instruction set and length.
#include "lptrain/kernel/map.h"

#include "elements.h"

namespace lp {
namespace {

using namespace lp::test;

// Runs the kernel on every instruction set; y[i] must be wanted(i), bit for bit.
template <class T, class Run, class F>
void check_map(int64_t n, Run&& run, F&& wanted) {
  Odd<T> expected(n, T(7));
  for (int64_t i = 0; i < n; ++i) expected[i] = wanted(i);
  for_isas([&] {
    Odd<T> y(n, T(7));
    run(y.data());
    check_same(y, expected);
  });
}

template <class T>
void check_maps(int64_t n) {
  CAPTURE(n);
  const Odd<T> a = hostile<T>(n, 1), b = hostile<T>(n, 2);
  check_map<T>(
      n, [&](T* y) { fill(n, T(3), y); }, [&](int64_t) { return T(3); });
  check_map<T>(
      n, [&](T* y) { relu(n, a.data(), y); }, [&](int64_t i) { return a[i] < 0 ? 0 : a[i]; });
  check_map<T>(
      n, [&](T* y) { relu_backward(n, a.data(), b.data(), y); }, [&](int64_t i) { return a[i] > 0 ? b[i] : 0; });
  check_map<T>(
      n, [&](T* y) { add(n, a.data(), b.data(), y); }, [&](int64_t i) { return a[i] + b[i]; });
  check_map<T>(
      n, [&](T* y) { scale(n, T(0.3), a.data(), y); }, [&](int64_t i) { return T(0.3) * a[i]; });
  check_map<T>(
      n, [&](T* y) { std::copy(b.data(), b.data() + n, y), axpy(n, T(0.3), a.data(), y); },
      [&](int64_t i) { return b[i] + T(0.3) * a[i]; });
  check_map<T>(
      n, [&](T* y) { std::copy(a.data(), a.data() + n, y), relu(n, y, y); }, [&](int64_t i) { return a[i] < 0 ? 0 : a[i]; });
  check_map<T>(
      n, [&](T* y) { std::copy(b.data(), b.data() + n, y), relu_backward(n, a.data(), y, y); },
      [&](int64_t i) { return a[i] > 0 ? b[i] : 0; });
}

template <class T>
void check_columns(int64_t rows, int64_t cols) {
  CAPTURE(rows);
  CAPTURE(cols);
  const Odd<T> x = ordinary<T>(rows * cols, 3), bias = ordinary<T>(cols, 4);
  check_map<T>(
      rows * cols, [&](T* y) { add_bias(rows, cols, x.data(), bias.data(), y); },
      [&](int64_t i) { return x[i] + bias[i % cols]; });
  Odd<T> first(cols);
  column_sums(rows, cols, x.data(), first.data());
  for (int64_t c = 0; c < cols; ++c) {
    double wanted = 0;
    for (int64_t r = 0; r < rows; ++r) wanted += static_cast<double>(x[r * cols + c]);
    CHECK(static_cast<double>(first[c]) == doctest::Approx(wanted).epsilon(1e-5).scale(std::sqrt(static_cast<double>(rows)) + 1));
  }
  for_isas([&] {
    for (const int threads : {1, 3})
      with_threads(threads, [&] {
        Odd<T> out(cols);
        column_sums(rows, cols, x.data(), out.data());
        check_same(out, first);
      });
  });
}

template <class T>
void check_sums(int64_t n) {
  CAPTURE(n);
  const Odd<T> x = ordinary<T>(n, 5);
  double wanted = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i)
    wanted += static_cast<double>(x[i]), squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const double first = sum(n, x.data()), second = sum_squares(n, x.data());
  CHECK(first == doctest::Approx(wanted).epsilon(1e-12).scale(static_cast<double>(n) + 1));
  CHECK(second == doctest::Approx(squares).epsilon(1e-12));
  for_isas([&] { with_threads(3, [&] { CHECK((sum(n, x.data()) == first && sum_squares(n, x.data()) == second)); }); });
}

TEST_CASE_TEMPLATE("maps", T, float, double) {
  for (const int64_t n : lengths()) check_maps<T>(n);
  check_maps<T>(70'001);
}

TEST_CASE_TEMPLATE("rows and columns", T, float, double) {
  for (const int64_t cols : {1, 2, 7, 16, 33, 64, 129})
    for (const int64_t rows : {0, 1, 31, 32, 33, 101}) check_columns<T>(rows, cols);
  check_columns<T>(0, 0);
  check_columns<T>(5003, 17);
}

TEST_CASE_TEMPLATE("sums have the same bits on every instruction set and number of threads", T, float, double) {
  for (const int64_t n : lengths()) check_sums<T>(n);
  check_sums<T>(100'003);
}

TEST_CASE("sums are accumulated in f64, and NaN stays NaN") {
  Odd<float> x(100'000, 0.1f);
  CHECK(sum(x.size(), x.data()) == doctest::Approx(100'000 * static_cast<double>(0.1f)).epsilon(1e-13));
  x[77'777] = std::nanf("");
  for_isas([&] { CHECK((std::isnan(sum(x.size(), x.data())) && std::isnan(sum_squares(x.size(), x.data())))); });
}

}  // namespace
}  // namespace lp
