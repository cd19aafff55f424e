// The loops of kernel/update.h, for one instruction set (see loops.h).
namespace {

template <class T>
T root_of(T x) {
  if constexpr (sizeof(T) == 8)
    return __builtin_sqrt(x);
  else
    return __builtin_sqrtf(x);
}

template <class T>
void sgd(const SgdNumbers<T>& how, int64_t n, const T* dw, T* w, T* velocity) {
  const SgdNumbers<T> k = how;
  if (!k.has_momentum) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) w[i] -= k.lr * (k.has_decay ? dw[i] + k.decay * w[i] : dw[i]);
    return;
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T g = k.has_decay ? dw[i] + k.decay * w[i] : dw[i];
    const T v = k.first ? g : k.momentum * velocity[i] + g;
    velocity[i] = v;
    w[i] -= k.lr * (k.nesterov ? g + k.momentum * v : v);
  }
}

template <class T>
void adam(const AdamNumbers<T>& how, int64_t n, const T* dw, T* w, T* m, T* v) {
  const AdamNumbers<T> k = how;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T kept = w[i] * k.shrink, g = k.decay != 0 ? dw[i] + k.decay * w[i] : dw[i];
    m[i] = k.beta1 * m[i] + k.one_minus_beta1 * g;
    v[i] = k.beta2 * v[i] + k.one_minus_beta2 * g * g;
    w[i] = kept - k.step_size * m[i] / (root_of(v[i]) / k.root + k.eps);
  }
}

template <class T>
constexpr UpdateLoops<T> kUpdateLoops = {sgd<T>, adam<T>};

}  // namespace
