// Layers one after the other: shape inference, building, and errors that say where.
#include <algorithm>

#include "layers.h"

namespace lp {
namespace {

struct Chain : Module {
  struct Part {
    std::string name;  // of the layer, or its kind if it has none
    std::unique_ptr<Module> module;
  };
  std::vector<Part> parts;
  Lens* input_lens() override { return parts.empty() ? nullptr : parts.front().module->input_lens(); }
  Var forward(Context& c, const Var& x) override {
    Var y = x;
    for (const Part& part : parts) {
      const Tape::Label label(c.tape(), part.name);
      y = part.module->forward(c, y);
      c.hand_on(part.name, y);
    }
    return y;
  }
  void visit(Visitor& v) override {
    for (const Part& part : parts) part.module->visit(v);
  }
};

// Runs what may throw for layer i of a chain.
template <class F>
void located(size_t i, const std::string& kind, const std::string& name, F f) {
  try {
    f();
  } catch (const Error& e) {
    fail(e.kind, "layer {} ({}{}): {}", i + 1, kind, name.empty() ? "" : fmt::format(" \"{}\"", name), e.what());
  }
}

Shape checked_output(const Layer& layer, const Shape& input, int64_t classes) {
  const Shape y = layer.output(input, classes);
  require(y.size() > 0, "the input {} would leave nothing: {}", input.text(), y.text());
  return y;
}

// Folds batch norms that want to be folded into the products before them; nothing is left in their places.
void fold_norms(const Layers& layers, std::vector<Chain::Part>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto* layer = dynamic_cast<const BatchNormLayer*>(&*layers[i]);
    if (!layer || layer->fold == Folding::none) continue;
    located(i, layers[i].name(), parts[i].name, [&] {
      auto* product = i > 0 ? dynamic_cast<ProductModule*>(parts[i - 1].module.get()) : nullptr;
      require(product, "\"fold\" needs a linear or conv2d right before it; say \"fold\": \"none\"");
      const auto borrows = [&](const Choice<Layer>& other) { return other->tied() == product->name; };
      require(product->own && std::ranges::none_of(layers, borrows),
              "\"fold\" would change weights that two layers share; say \"fold\": \"none\"");
      product->fold(std::unique_ptr<BatchNormModule>(static_cast<BatchNormModule*>(parts[i].module.release())));
    });
  }
}

// Hands the layers behind each convolution or normalization over to it, as far as it can take them: relu, then a max-pool, then
// the lens through which the next product will look. Layers that are taken over leave the chain.
void hand_over(const Layers& layers, Chain& chain) {
  std::vector<Chain::Part>& parts = chain.parts;
  const auto is = [&](size_t i, std::string_view kind) { return i < layers.size() && layers[i].name() == kind; };
  std::vector<Chain::Part> kept;
  for (size_t i = 0; i < parts.size(); ++i) {
    kept.push_back(std::move(parts[i]));
    if (i + 1 < parts.size() && !parts[i + 1].module) ++i;
    Neighbours* behind = kept.back().module->neighbours();
    if (!behind) continue;
    if (is(i + 1, "relu")) behind->relu = true, ++i;
    if (behind->takes_pool && is(i + 1, "max_pool2d")) {
      const Pool2d pool = dynamic_cast<const MaxPool2dLayer&>(*layers[i + 1]).how();
      if (fits_block(pool)) behind->pool = pool, ++i;
    }
    size_t next = i + 1;
    while (is(next, "flatten") || is(next, "reshape")) ++next;
    if (next < parts.size()) behind->next = parts[next].module->input_lens();
  }
  parts = std::move(kept);
}

}  // namespace

Shape output_of(const Layers& layers, const Shape& input, int64_t classes) {
  Shape shape = input;
  for (size_t i = 0; i < layers.size(); ++i)
    located(i, layers[i].name(), layers[i]->name, [&] { shape = checked_output(*layers[i], shape, classes); });
  return shape;
}

std::unique_ptr<Module> build_chain(const Layers& layers, Builder& b, const Shape& input) {
  auto chain = std::make_unique<Chain>();
  Shape shape = input;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = *layers[i];
    std::string name = layer.name;
    located(i, layers[i].name(), name, [&] { name = b.name(layer.name, layer.label()); });
    located(i, layers[i].name(), name, [&] {
      const Shape output = checked_output(layer, shape, b.classes());
      chain->parts.push_back({name.empty() ? layers[i].name() : name, layer.build(b, name, shape)});
      b.note(name, layers[i].name(), output, layer.macs(shape, b.classes()), layer.product(shape, b.classes()), layer.tied());
      shape = output;
    });
  }
  fold_norms(layers, chain->parts);
  hand_over(layers, *chain);
  return chain;
}

}  // namespace lp
