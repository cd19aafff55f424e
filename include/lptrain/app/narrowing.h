// A trained network seen through narrower formats: what searches and sensitivities try, without training.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "lptrain/train/run.h"

namespace lp {

// The quantizer with another format; what cannot be with that format is left out. The identity becomes one for weights: narrow,
// with a scale for each channel.
Quantizer with_format(Quantizer q, const Format& format);

// Activations beside weights of a format: integers of as many bits, at least 2, with a sign or not; or the same float.
Format activation_format(const Format& weights, bool is_signed);

// 8 -> int8, 1 -> binary; "8,6,4" or names of formats: "int8,e4m3,binary". Throws Error(usage).
std::vector<Format> formats_in(const std::string& list);

// What lenses have observed and learned, to be put back when a trial is over, or into lenses of another format: an extent that
// was observed is one of reals, so that it serves any format.
class LensMemory {
 public:
  explicit LensMemory(Model& model);
  // After set_precision: lenses with the quantizer that they had get all of it back, others what they observed.
  void restore(Model& model) const;

 private:
  struct State {
    Quantizer quantizer;
    Extent observed;
    Tensor scale, offset;
  };
  std::map<std::string, State> states_;
};

// The model through another precision, its memory kept.
void see_through(Model& model, const Precision& precision, const LensMemory& memory);

}  // namespace lp
