// A trained model looked at closely: which classes it confuses, on what it is most surely wrong, and where its numbers lie.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "lptrain/train/run.h"

namespace lp {

// An example of the test split that was taken for something else.
struct Mistake {
  int64_t index = 0;  // in the split
  int32_t label = 0, predicted = 0;
  double score = 0;  // softmax of the logits, of the predicted class
};

// Where the elements of a tensor lie: in units of their scales, so that one grid serves all of them, or as they are if they are
// not quantized.
struct Histogram {
  std::string format;           // "int4"; "" if not quantized
  double low = 0, high = 0;     // of the bars: all elements that are finite
  std::vector<int64_t> counts;  // of equal widths
  int64_t level_count = 0;      // reals that the format has
  std::vector<double> levels;   // those between low and high, unless they are many
};

struct LayerView {
  std::string name;  // of a layer with a product
  std::optional<Histogram> weights, activations;
};

struct Examination {
  std::optional<Confusion> confusion;  // of the test split; not of more classes than it can hold
  std::vector<Mistake> mistakes;       // the surest first
  std::vector<LayerView> layers;       // activations: what 64 validation examples bring into the layer
};

// data.test must not be empty.
Examination examine(Model& model, const Loss& loss, const Dataset& data, int64_t batch);

// Of what a lens saw.
Histogram histogram_of(const Look& look);

}  // namespace lp
