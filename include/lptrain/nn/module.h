// What a network is made of when it runs.
#pragma once
#include <optional>
#include <string>

#include "lptrain/grad/ops.h"
#include "lptrain/nn/context.h"

namespace lp {

// Sees every piece of state of a model once, in a fixed order, under its full name: for optimizer, checkpoint, export, report.
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void param(Param&) {}  // learned scales too (their value is empty before the first training pass)
  virtual void buffer(const std::string& name, Tensor&) {
    (void)name;
  }  // running statistics, observed extents (empty before): state without gradient
  virtual void lens(Lens&) {}
  virtual void accumulator(const std::string& layer, Accumulator&) { (void)layer; }  // of a product
};
void visit(Param& p, Visitor& v);    // the parameter, then its lens
void visit(Lens& lens, Visitor& v);  // the lens, its buffers, its learned scale

// What a convolution or a normalization may do on behalf of the layers behind it (grad/ops.h, BlockNeighbours): a chain's builder
// fills it in.
struct Neighbours {
  bool relu = false;
  std::optional<Pool2d> pool;
  Lens* next = nullptr;  // the input of the product that sees the result next, if nothing but a reshape lies between
  bool takes_pool = true;

  BlockNeighbours now(Context& c) const;                   // as they are in this pass
  void observe(Context& c, const Tensor& extremes) const;  // what the op found out for them; may be empty
  Var one_by_one(const Var& y) const;                      // what the op does not take over
};

class Module {
 public:
  virtual ~Module() = default;
  virtual Var forward(Context& context, const Var& x) = 0;  // x[N, ...]
  virtual void visit(Visitor&) {}
  virtual Neighbours* neighbours() { return nullptr; }  // of a module that can take some over
  virtual Lens* input_lens() { return nullptr; }        // of a product
};

}  // namespace lp
