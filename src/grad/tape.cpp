// The backward walk.
#include "lptrain/grad/tape.h"

#include <utility>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

void accumulate(Value& into, Value&& gradient) {
  if (!into) {
    into = std::move(gradient);
    return;
  }
  Tensor sum = into.tensor();
  into = Value();  // gives up its share, so that the sum may take the memory
  into = Value(add_into(std::move(sum), gradient.tensor()));
}

}  // namespace

Var record(Value y, std::vector<Edge> edges, Prepare prepare) {
  Tape* tape = nullptr;
  for (const Edge& e : edges) {
    if (e.input.is_constant()) continue;
    if (tape && tape != e.input.tape) fail(ErrorKind::failure, "an op mixes values of two tapes");
    tape = e.input.tape;
  }
  if (!tape) return Var(std::move(y));
  Tape::Node node;
  node.prepare = std::move(prepare);
  node.label = tape->label_;
  for (Edge& e : edges)
    if (!e.input.is_constant()) node.edges.push_back({e.input.node, std::move(e.rule)});
  tape->nodes_.push_back(std::move(node));
  return Var(std::move(y), tape, tape->nodes() - 1);
}

Tape::Label::Label(Tape* tape, std::string_view name) : tape_(tape), timed_("forward", name) {
  if (tape_) before_ = std::exchange(tape_->label_, name);
}

Tape::Label::~Label() {
  if (tape_) tape_->label_ = before_;
}

Var Tape::leaf(Value value) {
  nodes_.push_back({});
  nodes_.back().is_leaf = true;
  return Var(std::move(value), this, nodes() - 1);
}

Gradients Tape::backward(const Var& loss, double seed) {
  require(loss.value.size() == 1, "backward starts from a single number, found {}", loss.shape().text());
  return backward(loss, Tensor::full(loss.shape(), seed, loss.value.dtype()));
}

Gradients Tape::backward(const Var& y, Tensor dy) {
  require(y.tape == this, "backward: the value is not on this tape");
  require(dy.shape() == y.shape(), "backward: dy is {}, y is {}", dy.shape().text(), y.shape().text());
  Gradients gradients;
  auto& by_node = gradients.by_node_;
  by_node.resize(nodes_.size());
  by_node[static_cast<size_t>(y.node)] = Value(std::move(dy));
  for (size_t i = static_cast<size_t>(y.node) + 1; i-- > 0;) {
    Node node = std::move(nodes_[i]);  // freed, with all that its rules hold, at the end of this turn
    nodes_[i] = Node{{}, {}, node.is_leaf};
    if (node.is_leaf || !by_node[i]) continue;
    const Timed timed("backward", node.label);
    Value d = std::move(by_node[i]);
    by_node[i] = Value();
    if (node.prepare) d = node.prepare(d);
    for (NodeEdge& e : node.edges) accumulate(by_node[static_cast<size_t>(e.input)], e.rule(d));
  }
  return gradients;
}

const Value* Gradients::find(const Var& leaf) const {
  const size_t i = static_cast<size_t>(leaf.node);
  return leaf.node >= 0 && i < by_node_.size() && by_node_[i] ? &by_node_[i] : nullptr;
}

Tensor Gradients::of(const Var& leaf) const {
  const Value* g = find(leaf);
  return g ? g->tensor() : Tensor::zeros(leaf.shape(), leaf.value.dtype());
}

}  // namespace lp
