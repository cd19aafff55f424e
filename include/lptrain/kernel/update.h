// Inner loops of the optimizers: one pass over a parameter, its gradient and its slots.
#pragma once
#include <cstdint>

namespace lp {

// T is float or double; the numbers below are rounded to T before use. Each operation is rounded by itself, in the order written.
// The order is that of PyTorch's single-tensor implementations (torch/optim/{sgd,adam,adamw}.py).

//   g = dw + decay w                              if decay != 0
//   velocity = first ? g : momentum velocity + g  if momentum != 0 (dampening 0)
//   g = nesterov ? g + momentum velocity : velocity
//   w = w - lr g
struct SgdStep {
  double lr, momentum = 0, decay = 0;
  bool nesterov = false;
  bool first = false;  // the parameter's first step: velocity is written, not read
};
// velocity may be null if momentum = 0.
template <class T>
void sgd_update(const SgdStep& how, int64_t n, const T* dw, T* w, T* velocity);

//   w = w (1 - lr decay)                          if decoupled (AdamW), else g = dw + decay w if decay != 0 (Adam)
//   m = beta1 m + (1 - beta1) g
//   v = beta2 v + ((1 - beta2) g) g
//   w = w - ((lr / (1 - beta1^step)) m) / (sqrt(v) / sqrt(1 - beta2^step) + eps)
// Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2.
struct AdamStep {
  double lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0;
  bool decoupled = false;
  int64_t step = 1;  // 1 for the first
};
template <class T>
void adam_update(const AdamStep& how, int64_t n, const T* dw, T* w, T* m, T* v);

}  // namespace lp
