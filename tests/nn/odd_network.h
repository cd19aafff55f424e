// Networks with numbers that nothing is special about, before and after they are written anew.
#pragma once
#include <cmath>

#include "lptrain/nn/rewrite.h"
#include "networks.h"

namespace lp {

// Every tensor of a model by name.
struct Holder : Visitor {
  std::map<std::string, Tensor*> all;
  std::map<std::string, Param*> params;
  explicit Holder(Model& model) { model.visit(*this); }
  void param(Param& p) override { all[p.name] = &p.value, params[p.name] = &p; }
  void buffer(const std::string& name, Tensor& t) override { all[name] = &t; }
};

// Biases, gains and statistics of their own, in f64.
inline Model odd_model(const ModelSpec& spec, const Shape& input, int64_t classes = 3) {
  Model model(spec, input, classes, Precision{}, DType::f64, Key(7));
  Holder holder(model);
  uint64_t seed = 1;
  for (auto& [name, t] : holder.all) {
    if (!*t) continue;
    const Key key(seed++);
    const bool is_variance = name.ends_with("running_var");
    for (size_t i = 0; i < static_cast<size_t>(t->size()); ++i)
      t->data<double>()[i] = is_variance ? 0.1 + key.uniform64(i) : 2 * key.uniform64(i) - 1;
  }
  return model;
}

inline Network network_of(Model& model) {
  Holder holder(model);
  Network n{model.spec(), {}, model.input(), model.output().back()};
  for (auto& [name, t] : holder.all)
    if (*t) n.tensors[name] = t->clone();
  for (auto& [name, p] : holder.params)
    if (p->mask) n.tensors[name + ".mask"] = p->mask.clone();
  return n;
}

// What a network answers; all its tensors must belong to its description.
inline Tensor output_of(const Network& n, const Tensor& x, int64_t classes = 3, const Precision& precision = {}) {
  Model model(n.spec, x.shape().dropped_front(1), classes, precision, DType::f64, Key(9));
  Holder holder(model);
  size_t wanted = 0;
  for (const auto& entry : holder.all) {
    const std::string& name = entry.first;
    Tensor* t = entry.second;
    if (!*t) continue;
    REQUIRE_MESSAGE(n.tensors.contains(name), name);
    REQUIRE_MESSAGE(n.tensors.at(name).shape() == t->shape(), name);
    *t = n.tensors.at(name);
    ++wanted;
    const auto mask = n.tensors.find(name + ".mask");
    if (mask == n.tensors.end()) continue;
    REQUIRE_MESSAGE(mask->second.shape() == t->shape(), name);
    holder.params.at(name)->mask = mask->second;
    ++wanted;
  }
  CHECK(wanted == n.tensors.size());
  return predict(model, x);
}

inline double farthest(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (size_t i = 0; i < static_cast<size_t>(a.size()); ++i)
    most = std::max(most, std::abs(a.data<double>()[i] - b.data<double>()[i]));
  return most;
}

}  // namespace lp
