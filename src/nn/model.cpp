// Building, running and re-precisioning whole networks.
#include "lptrain/nn/model.h"

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

std::vector<Param*> Model::params() {
  CollectParams all;
  visit(all);
  return all.list;
}

std::vector<LayerLine> summarize(const ModelSpec& spec, const Shape& input, int64_t classes) {
  return Model(spec, input, classes, Precision{}, DType::f32, Key(0)).lines();
}

}  // namespace lp
