// Reverse-mode differentiation: a list of nodes in the order they were computed, walked backwards once.
//
// An op is its forward line and its rules, adjacent. What a rule's lambda captures is exactly what backward keeps alive. Edges to
// constants are dropped when recorded, with all their rules captured. Gradients are returned, never accumulated in mutable
// fields; inference is the absence of a tape. Higher-order gradients are not supported.   Source: Linnainmaa 1970; the tape in
// Griewank & Walther 2008, ch. 6.
#pragma once
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "lptrain/base/trace.h"
#include "lptrain/tensor/value.h"

namespace lp {

class Tape;

// A value and the node that computed it. tape == nullptr: a constant.
struct Var {
  Value value;
  Tape* tape = nullptr;
  int32_t node = -1;

  Var() = default;
  Var(Value v) : value(std::move(v)) {}   // NOLINT: a constant
  Var(Tensor t) : value(std::move(t)) {}  // NOLINT
  Var(Value v, Tape* t, int32_t n) : value(std::move(v)), tape(t), node(n) {}
  const Shape& shape() const { return value.shape(); }
  const Tensor& tensor() const { return value.tensor(); }
  bool is_constant() const { return tape == nullptr; }
};

// dL/dy -> dL/dx, for one input x of the node that made y.
using Rule = std::function<Value(const Value& dy)>;
// Runs once on dL/dy before the rules, which then receive its result: masks, error quantization, sums that several rules share.
using Prepare = std::function<Value(const Value& dy)>;

struct Edge {
  Var input;
  Rule rule;
};

// y was computed from the inputs of these edges. If none of them is on a tape, y is a constant and nothing is kept.
Var record(Value y, std::vector<Edge> edges, Prepare prepare = {});

// What backward returns: dL/dx for leaves.
class Gradients {
 public:
  // The gradient of a leaf; zeros of its shape if the loss does not depend on it.
  Tensor of(const Var& leaf) const;
  const Value* find(const Var& leaf) const;  // nullptr: none

 private:
  friend class Tape;
  std::vector<Value> by_node_;
};

class Tape {
 public:
  Var leaf(Value value);  // an input that gradients are wanted for
  // dL/d(leaf) for all leaves, starting from `seed` (1 for a scalar loss; the loss scale). Consumes the tape: rules and what they
  // hold are freed on the way.
  Gradients backward(const Var& loss, double seed = 1.0);
  Gradients backward(const Var& y, Tensor dy);  // the vector-Jacobian product J^T dy

  int32_t nodes() const { return static_cast<int32_t>(nodes_.size()); }

  // While it lives, what is recorded bears a layer's name, and so does its span of time (base/trace.h), forward and backward. The
  // text must outlive the tape's use.
  class Label {
   public:
    Label(Tape* tape, std::string_view name);  // tape may be null
    ~Label();
    Label(const Label&) = delete;
    Label& operator=(const Label&) = delete;

   private:
    Tape* tape_;
    std::string_view before_;
    Timed timed_;
  };

 private:
  friend Var record(Value, std::vector<Edge>, Prepare);
  struct NodeEdge {
    int32_t input;
    Rule rule;
  };
  struct Node {
    std::vector<NodeEdge> edges;
    Prepare prepare;
    bool is_leaf = false;
    std::string_view label = {};
  };
  std::vector<Node> nodes_;
  std::string_view label_;
};

}  // namespace lp
