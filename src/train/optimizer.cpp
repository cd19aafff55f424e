// The table of optimizers.
#include "lptrain/train/optimizer.h"

#include "lptrain/kernel/update.h"

namespace lp {
namespace {

void check_alike(const Tensor& t, const Tensor& w, std::string_view what) {
  require(t.shape() == w.shape() && t.dtype() == w.dtype(), "{}: {} {} for a parameter {} {}", what, name_of(t.dtype()),
          t.shape().text(), name_of(w.dtype()), w.shape().text());
}

void check_step(const UpdateStep& how, const Tensor& w, const Tensor& dw, std::span<Tensor> slots, size_t wanted) {
  require(how.step >= 1, "updates are counted from 1, got {}", how.step);
  require(slots.size() == wanted, "this optimizer keeps {} tensors per parameter, got {}", wanted, slots.size());
  check_alike(dw, w, "gradient");
  for (const Tensor& slot : slots) check_alike(slot, w, "optimizer state");
}

constexpr std::string_view kL2 = "L2: this times the weight is added to its gradient";

struct Sgd : Optimizer {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;

  std::unique_ptr<Optimizer> clone() const override { return std::make_unique<Sgd>(*this); }
  void fields(Fields& f) override {
    f("lr", lr, "learning rate", {0});
    f("momentum", momentum, "share of the last step that is kept", {0, 1});
    f("nesterov", nesterov, "look ahead along the momentum");
    f("weight_decay", weight_decay, kL2, {0});
    f.claim(!nesterov || momentum > 0, "nesterov needs a momentum above 0");
  }
  std::vector<std::string_view> slots() const override {
    if (momentum == 0) return {};
    return {"velocity"};
  }
  void update(const UpdateStep& how, Tensor& w, const Tensor& dw, std::span<Tensor> slots) const override {
    check_step(how, w, dw, slots, momentum == 0 ? 0 : 1);
    const SgdStep step{how.lr, momentum, how.decays ? weight_decay : 0, nesterov, how.step == 1};
    visit_real(w.dtype(), [&]<class T>() {
      T* velocity = slots.empty() ? nullptr : slots[0].data<T>().data();
      sgd_update<T>(step, w.size(), dw.data<T>().data(), w.data<T>().data(), velocity);
    });
  }
};

struct Adam : Optimizer {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false;

  Adam() { lr = 0.001; }
  std::unique_ptr<Optimizer> clone() const override { return std::make_unique<Adam>(*this); }
  void fields(Fields& f) override {
    f("lr", lr, "learning rate", {0});
    f("beta1", beta1, "memory of the gradient's mean", {0, 1});
    f("beta2", beta2, "memory of the squared gradient's mean", {0, 1});
    f("eps", eps, "added to the root of the squared gradient's mean", {0});
    f("weight_decay", weight_decay, decoupled ? "times lr: the share of a weight that each step takes off" : kL2, {0});
    f.claim(beta1 < 1 && beta2 < 1, "beta1 and beta2 must be below 1");
    f.claim(eps > 0, "eps must be above 0: a gradient that was always 0 would give 0/0");
  }
  std::vector<std::string_view> slots() const override { return {"m", "v"}; }
  void update(const UpdateStep& how, Tensor& w, const Tensor& dw, std::span<Tensor> slots) const override {
    check_step(how, w, dw, slots, 2);
    const AdamStep step{how.lr, beta1, beta2, eps, how.decays ? weight_decay : 0, decoupled, how.step};
    visit_real(w.dtype(), [&]<class T>() {
      T *m = slots[0].data<T>().data(), *v = slots[1].data<T>().data();
      adam_update<T>(step, w.size(), dw.data<T>().data(), w.data<T>().data(), m, v);
    });
  }
};

struct AdamW : Adam {
  AdamW() {
    weight_decay = 0.01;
    decoupled = true;
  }
};

constexpr ChoiceRow<Optimizer> kRows[] = {
    choice_row<Optimizer, Sgd>("sgd",
                               "gradient descent   Source: Robbins & Monro 1951; momentum: Polyak 1964; "
                               "nesterov: Sutskever et al. 2013"),
    choice_row<Optimizer, Adam>("adam", "steps of equal size for large and small gradients   Source: Kingma & Ba 2015"),
    choice_row<Optimizer, AdamW>("adamw", "adam whose weight decay is not in the gradient   Source: Loshchilov & Hutter 2019"),
};

}  // namespace

template <>
std::span<const ChoiceRow<Optimizer>> choices<Optimizer>() {
  return kRows;
}

}  // namespace lp
