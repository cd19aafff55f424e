// Small networks to test with, and the plainest way to train them.
#pragma once
#include <string_view>
#include <vector>

#include "lptrain/base/document.h"
#include "lptrain/nn/model.h"
#include "lptrain/tensor/math.h"
#include "support/random_tensor.h"

namespace lp {

inline ModelSpec spec_of(std::string_view json) {
  ModelSpec spec;
  read(Document::parse(json, "test.json"), spec);
  return spec;
}

inline Precision precision_of(std::string_view json) {
  Precision precision;
  read(Document::parse(json, "test.json"), precision);
  return precision;
}

inline Model model_of(std::string_view layers, const Shape& input, std::string_view precision = "{}", DType compute = DType::f32,
                      int64_t classes = 3) {
  return Model(spec_of(fmt::format(R"({{"layers": {}}})", layers)), input, classes, precision_of(precision), compute, Key(7));
}

inline std::vector<int32_t> labels_for(int64_t count, int64_t classes) {
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(static_cast<int32_t>(i % classes));
  return labels;
}

// One step of gradient descent; the loss before it.
inline double descend(Model& model, const Tensor& x, std::span<const int32_t> labels, double lr, Key key = {}) {
  Tape tape;
  Context context(&tape, Mode::train, key);
  const Var loss = cross_entropy(model.forward(context, x), labels);
  const Gradients gradients = tape.backward(loss);
  for (const auto& [param, leaf] : context.leaves())
    param->value = zip(param->value, gradients.of(leaf), [lr](auto w, auto d) { return static_cast<decltype(w)>(w - lr * d); });
  context.apply_changes();
  return loss.tensor().item();
}

inline Tensor predict(Model& model, const Tensor& x) {
  Context context(nullptr, Mode::eval);
  return model.forward(context, x).tensor();
}

// What an Error says, or "" if f throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace lp
