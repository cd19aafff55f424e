// A trained model looked at closely: which classes it confuses, on what it is most surely wrong, and where its numbers lie.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "lptrain/app/tensor_view.h"

namespace lp {

// An example of the test split that was taken for something else.
struct Mistake {
  int64_t index = 0;  // in the split
  int32_t label = 0, predicted = 0;
  double score = 0;  // softmax of the logits, of the predicted class
};

struct Examination {
  std::optional<Confusion> confusion;  // of the test split; not of more classes than it can hold
  std::vector<Mistake> mistakes;       // the surest first
  std::vector<TensorView> tensors;     // as 64 validation examples pass
};

// data.test must not be empty.
Examination examine(Model& model, const Loss& loss, const Dataset& data, int64_t batch);

}  // namespace lp
