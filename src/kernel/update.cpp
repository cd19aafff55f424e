// Turns an optimizer's settings into the numbers of one step, and spreads the step over threads.
#include "lptrain/kernel/update.h"

#include <cmath>

#include "loops.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/trace.h"

namespace lp {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread takes at once

template <class T>
const UpdateLoops<T>& update_loops() {
  if constexpr (sizeof(T) == 8)
    return loops().update64;
  else
    return loops().update32;
}

}  // namespace

template <class T>
void sgd_update(const SgdStep& how, int64_t n, const T* dw, T* w, T* velocity) {
  const Timed timed("update", "sgd_update");
  const SgdNumbers<T> numbers{static_cast<T>(how.lr),
                              static_cast<T>(how.momentum),
                              static_cast<T>(how.decay),
                              how.momentum != 0,
                              how.decay != 0,
                              how.nesterov,
                              how.first};
  const auto run = update_loops<T>().sgd;
  parallel_chunks(n, kGrain,
                  [&](int64_t i, int64_t end) { run(numbers, end - i, dw + i, w + i, velocity ? velocity + i : nullptr); });
}

template <class T>
void adam_update(const AdamStep& how, int64_t n, const T* dw, T* w, T* m, T* v) {
  const Timed timed("update", "adam_update");
  const double t = static_cast<double>(how.step);
  AdamNumbers<T> numbers;
  numbers.step_size = static_cast<T>(how.lr / (1 - std::pow(how.beta1, t)));
  numbers.beta1 = static_cast<T>(how.beta1);
  numbers.one_minus_beta1 = static_cast<T>(1 - how.beta1);
  numbers.beta2 = static_cast<T>(how.beta2);
  numbers.one_minus_beta2 = static_cast<T>(1 - how.beta2);
  numbers.root = static_cast<T>(std::sqrt(1 - std::pow(how.beta2, t)));
  numbers.eps = static_cast<T>(how.eps);
  numbers.decay = static_cast<T>(how.decoupled ? 0 : how.decay);
  numbers.shrink = static_cast<T>(how.decoupled ? 1 - how.lr * how.decay : 1);
  const auto run = update_loops<T>().adam;
  parallel_chunks(n, kGrain, [&](int64_t i, int64_t end) { run(numbers, end - i, dw + i, w + i, m + i, v + i); });
}

template void sgd_update(const SgdStep&, int64_t, const float*, float*, float*);
template void sgd_update(const SgdStep&, int64_t, const double*, double*, double*);
template void adam_update(const AdamStep&, int64_t, const float*, float*, float*, float*);
template void adam_update(const AdamStep&, int64_t, const double*, double*, double*, double*);

}  // namespace lp
