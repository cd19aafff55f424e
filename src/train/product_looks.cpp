// Watching products.
#include "product_looks.h"

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

// Of a layer that is run several times in a pass: all that it sees.
Tensor joined(const Tensor& before, const Tensor& now) { return before ? concat(std::vector<Tensor>{before, now}, 0) : now; }

}  // namespace

std::map<std::string, ProductLook> look_at_products(Model& model, const Tensor& batch) {
  std::map<std::string, ProductLook> looks;
  std::map<std::string, Tensor> weights;  // by the layer that they belong to
  for (const LayerLine& line : model.lines())
    if (line.product) looks[line.name];
  Context context(nullptr, Mode::eval);
  context.watch([&](const Look& look) {
    if (look.lens.role == Role::weights) weights[look.lens.layer()] = look.y.tensor();
    const auto found = looks.find(look.lens.layer());
    if (found == looks.end()) return;
    ProductLook& seen = found->second;
    if (look.lens.role == Role::activations) seen.x = joined(seen.x, look.y.tensor());
    if (look.lens.role == Role::biases) seen.b = look.y.tensor();
  });
  model.forward(context, batch);
  for (const LayerLine& line : model.lines())
    if (line.product) looks[line.name].w = weights[line.owner()];
  return looks;
}

Var product_of(const LayerLine& line, const Tensor& x, const Var& w, const Var& b) {
  if (w.shape().rank() == 2) return linear(Var(x), w, b);
  const ConvShape& s = *line.product;
  return conv2d(Var(x), w, b, {s.stride_h, s.stride_w, s.pad_h, s.pad_w, s.dilation_h, s.dilation_w, s.groups});
}

Param* find_param(Model& model, const std::string& name) {
  for (Param* p : model.params())
    if (p->name == name) return p;
  return nullptr;
}

}  // namespace lp
