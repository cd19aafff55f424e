// The activations as ops; relu, the most frequent, by kernels and on codes.
#include "lptrain/grad/activation.h"

#include "lptrain/base/text.h"
#include "lptrain/grad/ops.h"
#include "lptrain/kernel/map.h"

namespace lp {
namespace {

// f.template operator()<C>() with the C++ type of small integer codes.
template <class F>
void visit_codes(DType type, F&& f) {
  if (type == DType::i8) return f.template operator()<int8_t>();
  if (type == DType::u8) return f.template operator()<uint8_t>();
  f.template operator()<int16_t>();
}

// max(code, zero_point) is the code of max(x, 0) where codes are integers times one scale.
bool relu_keeps_codes(const Value& x) {
  const Codes* c = x.codes();
  const auto is_small = [](DType t) { return t == DType::i8 || t == DType::u8 || t == DType::i16; };
  return c && c->is_per_tensor() && c->format.is_integer_grid() && is_small(c->codes.dtype());
}

Var relu_of_codes(const Var& x) {
  Codes y = *x.value.codes();
  y.codes = Tensor(x.shape(), y.codes.dtype());
  visit_codes(y.codes.dtype(), [&]<class C>() {
    const C *from = x.value.codes()->codes.data<C>().data(), zero = static_cast<C>(y.zero_point);
    C* to = y.codes.data<C>().data();
    parallel_for(x.value.size(), kGrain, [&](int64_t i) { to[i] = from[i] < zero ? zero : from[i]; });
  });
  const auto rule = [kept = y.codes, zero_point = y.zero_point](const Value& dy) {
    Tensor dx(dy.shape(), dy.dtype());
    visit_real(dy.dtype(), [&]<class T>() {
      visit_codes(kept.dtype(), [&]<class C>() {
        const C *y_codes = kept.data<C>().data(), zero = static_cast<C>(zero_point);
        const T* from = dy.tensor().data<T>().data();
        T* to = dx.data<T>().data();
        parallel_for(dx.size(), kGrain, [&](int64_t i) { to[i] = y_codes[i] > zero ? from[i] : T(0); });
      });
    });
    return dx;
  };
  const DType type = x.value.dtype();
  return record(Value(std::move(y), type), {{x, rule}});
}

template <class A>
ActivationRow row() {
  return {A::name, A::doc, [](const Var& x) { return activate(A{}, x); }};
}

}  // namespace

Var relu(const Var& x) {
  require(bool(x.value), "relu: the input is empty");
  if (relu_keeps_codes(x.value)) return relu_of_codes(x);
  Tensor y(x.shape(), x.value.dtype());
  visit_real(y.dtype(), [&]<class T>() { relu(y.size(), x.tensor().data<T>().data(), y.data<T>().data()); });
  return record(y, {{x, [y](const Value& dy) {
                       Tensor dx(y.shape(), y.dtype());
                       visit_real(y.dtype(), [&]<class T>() {
                         relu_backward(y.size(), y.data<T>().data(), dy.tensor().data<T>().data(), dx.data<T>().data());
                       });
                       return dx;
                     }}});
}

Var leaky_relu(const Var& x, double slope) { return activate(LeakyRelu{slope}, x); }
Var sigmoid(const Var& x) { return activate(Sigmoid{}, x); }
Var tanh(const Var& x) { return activate(Tanh{}, x); }
Var gelu(const Var& x) { return activate(Gelu{}, x); }
Var silu(const Var& x) { return activate(Silu{}, x); }

std::span<const ActivationRow> activations() {
  static const std::vector<ActivationRow> rows = [] {
    std::vector<ActivationRow> made;
    for_each_activation([&]<class A>() { made.push_back(row<A>()); });
    return made;
  }();
  return rows;
}

Var activation(std::string_view name, const Var& x) {
  std::vector<std::string> known;
  for (const ActivationRow& a : activations()) {
    if (a.name == name) return a.apply(x);
    known.emplace_back(a.name);
  }
  fail(ErrorKind::usage, "unknown activation \"{}\"{}", name, suggestion(name, known));
}

}  // namespace lp
