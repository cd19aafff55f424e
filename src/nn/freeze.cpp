// Looking at each parameter once, and keeping what was seen.
#include "lptrain/nn/freeze.h"

namespace lp {
namespace {

Value narrowest(const Value& seen) {
  const Codes* codes = seen.codes();
  if (!codes) return seen;
  return can_pack(*codes) ? Value(packed(*codes), seen.dtype()) : Value(*codes, seen.dtype());
}

}  // namespace

void freeze(Model& model) {
  const std::vector<Param*> all = model.params();
  Context eye(nullptr, Mode::eval);
  eye.survey(all);
  for (Param* p : all)
    if (p->lens && !p->lens->is_identity() && !p->is_remade && !p->frozen) p->frozen = narrowest(eye.param(*p).value);
  for (Param* p : all)
    if (p->frozen) p->value = p->mask = Tensor();
}

int64_t held_bytes(Model& model) {
  int64_t bytes = 0;
  for (const Param* p : model.params()) bytes += p->frozen ? p->frozen.bytes() : p->value.bytes() + p->mask.bytes();
  return bytes;
}

}  // namespace lp
