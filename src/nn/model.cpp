// Building, running and re-precisioning whole networks.
#include "lptrain/nn/model.h"

#include "lptrain/base/text.h"

namespace lp {
namespace {

struct SetPrecision : Visitor {
  const Precision& precision;
  explicit SetPrecision(const Precision& p) : precision(p) {}
  void lens(Lens& l) override { l.set(precision.of(l.role, l.layer())); }
  void accumulator(const std::string& layer, Accumulator& a) override { a = precision.accumulator_of(layer); }
};

// Parameters must be cut as their quantizers say; what flows through the network shows its shape later.
struct CheckGranularity : Visitor {
  void param(Param& p) override {
    if (!p.lens || p.lens->is_identity()) return;
    if (const std::string why = why_not(p.value.shape(), p.lens->quantizer.per, p.lens->axis); !why.empty())
      fail(ErrorKind::usage, "{}: {}", p.name, why);
  }
};

// The layer that holds a parameter: the longest of these names that its own name goes on from; "" of the entrance's.
std::string owner_of(const Param& p, std::span<const std::string> layers) {
  std::string owner;
  for (const std::string& layer : layers)
    if (layer.size() > owner.size() && p.name.starts_with(layer + ".")) owner = layer;
  return owner;
}

struct SetTrainable : Visitor {
  std::span<const std::string> globs, layers;
  SetTrainable(std::span<const std::string> g, std::span<const std::string> l) : globs(g), layers(l) {}
  void param(Param& p) override {
    const std::string owner = owner_of(p, layers);
    p.moves = std::ranges::any_of(globs, [&](const std::string& glob) { return glob_match(glob, owner); });
  }
};

struct CollectParams : Visitor {
  std::vector<Param*> list;
  void param(Param& p) override {
    if (p.value || p.frozen) list.push_back(&p);
  }
};

}  // namespace

Model::Model(const ModelSpec& spec, const Shape& input, int64_t classes, const Precision& precision, DType compute, Key seed)
    : spec_(spec.layers.empty() ? find_model(spec.name) : spec),
      input_(input),
      compute_(compute),
      entrance_("input", Role::input, -1, precision.of(Role::input, "")) {
  Builder b(precision, classes, compute, seed);
  body_ = build_chain(spec_.layers, b, input);
  layers_ = b.layers();
  lines_ = b.lines();
  output_ = lines_.back().output;
  require(output_.rank() == 1,
          "the model ends with {}, wanted a vector; end with \"flatten\" or \"global_avg_pool\" and \"linear\"", output_.text());
  precision.check(layers_);
  CheckGranularity check;
  visit(check);
}

Var Model::forward(Context& context, const Tensor& x) {
  require(x.shape().rank() == input_.rank() + 1 && x.shape().dropped_front(1) == input_,
          "the model wants examples {}, found a batch {}", input_.text(), x.shape().text());
  context.survey(params());
  return body_->forward(context, context.look(entrance_, Var(x.dtype() == compute_ ? x : convert(x, compute_))));
}

void Model::visit(Visitor& v) {
  lp::visit(entrance_, v);
  body_->visit(v);
}

void Model::set_precision(const Precision& precision) {
  precision.check(layers_);
  SetPrecision change(precision);
  visit(change);
  CheckGranularity check;
  visit(check);
}

void Model::set_trainable(std::span<const std::string> globs) {
  std::vector<std::string> named;
  for (const LayerLine& line : lines_)
    if (!line.name.empty()) named.push_back(line.name);
  for (size_t i = 0; i < globs.size(); ++i) {
    const bool matches = std::ranges::any_of(named, [&](const std::string& layer) { return glob_match(globs[i], layer); });
    require(matches, "trainable.{}: \"{}\" matches no layer{}", i, globs[i], suggestion(globs[i], named));
  }
  SetTrainable change(globs, named);
  visit(change);
}

std::vector<Param*> Model::params() {
  CollectParams all;
  visit(all);
  return all.list;
}

std::vector<LayerLine> summarize(const ModelSpec& spec, const Shape& input, int64_t classes) {
  return Model(spec, input, classes, Precision{}, DType::f32, Key(0)).lines();
}

}  // namespace lp
