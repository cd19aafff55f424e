// Optimizer steps equal PyTorch's, and every instruction set gives the bits of the plain formula.
#include "lptrain/kernel/update.h"

#include "elements.h"

namespace lp {
namespace {

using namespace lp::test;

constexpr double kStart[] = {0.5, -1.25, 2.0, 0.03125};
constexpr double kGradients[3][4] = {{0.1, -0.2, 0.3, 0.0}, {-0.4, 0.5, 0.25, 1e-3}, {0.2, 0.2, -0.7, -2.0}};

// Three steps from kStart; wanted: float64 results of PyTorch 1.13 with the same settings.
template <class Step>
void check_golden(const double (&wanted)[4], Step&& step) {
  double w[4], first[4], second[4] = {};
  std::copy(std::begin(kStart), std::end(kStart), w);
  std::fill(std::begin(first), std::end(first), 0.0);
  for (int t = 0; t < 3; ++t) step(t, kGradients[t], w, first, second);
  for (int i = 0; i < 4; ++i) CHECK(w[i] == doctest::Approx(wanted[i]).epsilon(1e-14));
}

TEST_CASE("three steps are those of torch.optim") {
  const auto sgd = [](SgdStep how) {
    return [how](int t, const double* dw, double* w, double* velocity, double*) mutable {
      how.first = t == 0;
      sgd_update(how, 4, dw, w, how.momentum != 0 ? velocity : nullptr);
    };
  };
  const auto adam = [](AdamStep how) {
    return [how](int t, const double* dw, double* w, double* m, double* v) mutable {
      how.step = t + 1;
      adam_update(how, 4, dw, w, m, v);
    };
  };
  check_golden({0.51, -1.3, 2.015, 0.23115}, sgd({0.1}));
  check_golden({0.5260953895, -1.30381947875, 1.930128568, 0.23088493746875}, sgd({0.1, 0.9, 0.01}));
  check_golden({0.5319509619805, -1.34470144924625, 1.946408786512, 0.4107282641606563}, sgd({0.1, 0.9, 0.01, true}));
  check_golden({0.49344007773318244, -1.2431708169578994, 1.977702399896595, 0.017621106206772853},
               adam({0.01, 0.9, 0.999, 1e-8, 0.1}));
  check_golden({0.4954665815304172, -1.2470528481702787, 1.976892224702183, 0.030398407756953086},
               adam({0.01, 0.8, 0.99, 1e-6, 0.1, true}));
}

// The formulas of the header, literally.
template <class T>
void plain_sgd(const SgdStep& how, const Odd<T>& dw, Odd<T>& w, Odd<T>& velocity) {
  const T lr = static_cast<T>(how.lr), momentum = static_cast<T>(how.momentum), decay = static_cast<T>(how.decay);
  for (int64_t i = 0; i < w.size(); ++i) {
    T g = dw[i];
    if (how.decay != 0) g = g + decay * w[i];
    if (how.momentum != 0) {
      velocity[i] = how.first ? g : momentum * velocity[i] + g;
      g = how.nesterov ? g + momentum * velocity[i] : velocity[i];
    }
    w[i] = w[i] - lr * g;
  }
}
template <class T>
void plain_adam(const AdamStep& how, const Odd<T>& dw, Odd<T>& w, Odd<T>& m, Odd<T>& v) {
  const double t = static_cast<double>(how.step);
  const T root = static_cast<T>(std::sqrt(1 - std::pow(how.beta2, t))),
          size = static_cast<T>(how.lr / (1 - std::pow(how.beta1, t)));
  const T beta1 = static_cast<T>(how.beta1), beta2 = static_cast<T>(how.beta2), eps = static_cast<T>(how.eps);
  for (int64_t i = 0; i < w.size(); ++i) {
    T g = dw[i];
    if (how.decoupled)
      w[i] = w[i] * static_cast<T>(1 - how.lr * how.decay);
    else if (how.decay != 0)
      g = g + static_cast<T>(how.decay) * w[i];
    m[i] = beta1 * m[i] + static_cast<T>(1 - how.beta1) * g;
    v[i] = beta2 * v[i] + static_cast<T>(1 - how.beta2) * g * g;
    w[i] = w[i] - size * m[i] / (std::sqrt(v[i]) / root + eps);
  }
}

template <class T>
void check_updates(int64_t n) {
  CAPTURE(n);
  const Odd<T> dw = ordinary<T>(n, 1), w = ordinary<T>(n, 2), slot = ordinary<T>(n, 3);
  Odd<T> squares(n);
  for (int64_t i = 0; i < n; ++i) squares[i] = slot[i] * slot[i];
  for (const SgdStep how : {SgdStep{0.1}, SgdStep{0.1, 0, 0.01}, SgdStep{0.1, 0.9}, SgdStep{0.1, 0.9, 0.01, true},
                            SgdStep{0.1, 0.9, 0, true, true}}) {
    Odd<T> wanted = w, velocity = slot;
    plain_sgd(how, dw, wanted, velocity);
    for_isas([&] {
      Odd<T> a = w, b = slot;
      with_threads(3, [&] { sgd_update(how, n, dw.data(), a.data(), b.data()); });
      check_same(a, wanted);
      check_same(b, velocity);
    });
  }
  for (const AdamStep how :
       {AdamStep{0.01}, AdamStep{0.01, 0.9, 0.999, 1e-8, 0.1}, AdamStep{0.01, 0.8, 0.99, 1e-6, 0.1, true, 7}}) {
    Odd<T> wanted = w, m = slot, v = squares;
    plain_adam(how, dw, wanted, m, v);
    for_isas([&] {
      Odd<T> a = w, b = slot, c = squares;
      with_threads(3, [&] { adam_update(how, n, dw.data(), a.data(), b.data(), c.data()); });
      check_same(a, wanted);
      check_same(b, m);
      check_same(c, v);
    });
  }
}

TEST_CASE_TEMPLATE("every instruction set and length gives the bits of the formula", T, float, double) {
  for (const int64_t n : lengths()) check_updates<T>(n);
  check_updates<T>(40'001);
}

}  // namespace
}  // namespace lp
