// Self-attention, and the positions that it does not know of itself.
#include "layers.h"

namespace lp {
namespace {

void require_sequence(const Shape& input) {
  require(input.rank() == 2, "the input is {}, wanted [T,C]: steps of a sequence; [H,W,C] becomes one by \"reshape\"",
          input.text());
}

// Four products with weights. The two between them, of activations with activations, run on reals.
struct AttentionModule : Module {
  int64_t heads;
  bool causal;
  std::unique_ptr<LinearModule> q, k, v, o;

  AttentionModule(Builder& b, const std::string& name, const Shape& input, const AttentionLayer& layer)
      : heads(layer.heads), causal(layer.causal) {
    const Builder::Scope scope(b, name);
    const InnerLinear square{input[0], input[1], input[1], layer.bias};
    q = inner_linear(b, "q", square);
    k = inner_linear(b, "k", square);
    v = inner_linear(b, "v", square);
    o = inner_linear(b, "o", square);
  }
  Var forward(Context& c, const Var& x) override {
    return o->forward(c, attention(q->forward(c, x), k->forward(c, x), v->forward(c, x), heads, causal));
  }
  void visit(Visitor& visitor) override {
    for (LinearModule* part : {&*q, &*k, &*v, &*o}) part->visit(visitor);
  }
};

struct PositionsModule : Module {
  Param vectors;
  explicit PositionsModule(Param p) : vectors(std::move(p)) {}
  Var forward(Context& c, const Var& x) override { return add(x, c.param(vectors)); }
  void visit(Visitor& v) override { lp::visit(vectors, v); }
};

}  // namespace

void AttentionLayer::fields(Fields& f) {
  f("name", name, "layer name; by default attention1, attention2 ...; its products are <name>.q, .k, .v and .o");
  f("heads", heads, "that the channels are divided among", {1, 1000});
  f("causal", causal, "no step sees the steps behind it");
  f("bias", bias, "the four products add trained biases");
}

Shape AttentionLayer::output(const Shape& input, int64_t) const {
  require_sequence(input);
  require(input[1] % heads == 0, "{} heads do not divide {} channels evenly", heads, input[1]);
  return input;
}

std::unique_ptr<Module> AttentionLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return std::make_unique<AttentionModule>(b, full_name, input, *this);
}

void PositionsLayer::fields(Fields& f) { f("name", name, "layer name; by default positions1, positions2 ..."); }

Shape PositionsLayer::output(const Shape& input, int64_t) const {
  require_sequence(input);
  return input;
}

std::unique_ptr<Module> PositionsLayer::build(Builder& b, const std::string& full_name, const Shape& input) const {
  return std::make_unique<PositionsModule>(b.plain(full_name + ".weight", input, 0));
}

}  // namespace lp
