// Losses as a config chooses them.
#pragma once
#include "lptrain/base/fields.h"
#include "lptrain/grad/ops.h"

namespace lp {

struct Loss {
  virtual ~Loss() = default;
  virtual std::unique_ptr<Loss> clone() const = 0;
  virtual void fields(Fields&) {}
  virtual Var operator()(const Var& logits, std::span<const int32_t> labels) const = 0;  // a scalar, the mean over the batch
  virtual int32_t predict(std::span<const double> logits) const;  // the class one row of logits names; default: the largest
};
template <>
std::span<const ChoiceRow<Loss>> choices<Loss>();

// The class that each row of logits[N,K] names.
std::vector<int32_t> classes_of(const Loss& loss, const Tensor& logits);

}  // namespace lp
