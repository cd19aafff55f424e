// The order in which state is visited.
#include "lptrain/nn/module.h"

namespace lp {

void visit(Lens& lens, Visitor& v) {
  v.lens(lens);
  if (lens.quantizer.rule().kind() == Scale::Kind::observed && !lens.is_identity()) {
    v.buffer(lens.name + ".low", lens.observed.low);
    v.buffer(lens.name + ".high", lens.observed.high);
    if (lens.quantizer.rule().has_memory()) v.buffer(lens.name + ".memory", lens.observed.memory);
    if (lens.quantizer.offset || lens.quantizer.rule().brings_offset()) v.buffer(lens.name + ".centre", lens.observed.offset);
  }
  if (lens.scale) v.param(*lens.scale);
  if (lens.offset) v.param(*lens.offset);
}

void visit(Param& p, Visitor& v) {
  v.param(p);
  if (p.lens) visit(*p.lens, v);
}

BlockNeighbours Neighbours::now(Context& c) const {
  BlockNeighbours steps{relu, pool, {}, false};
  if (next) steps.encoding = c.foresee(*next);
  steps.is_observed = steps.encoding && c.wants_extremes(*next);
  return steps;
}

void Neighbours::observe(Context& c, const Tensor& extremes) const {
  if (extremes) c.observe(*next, extremes);
}

Var Neighbours::one_by_one(const Var& y) const {
  const Var active = relu ? lp::relu(y) : y;
  return pool ? max_pool2d(active, *pool) : active;
}

}  // namespace lp
