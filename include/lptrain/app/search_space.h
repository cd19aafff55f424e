// The precisions that a search tries: a config's own, with narrower formats for weights and for what they are multiplied with.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/search_path.h"
#include "lptrain/train/config.h"

namespace lp {

class SearchSpace {
 public:
  // `layers`: of the model, with weights. Those whose weights the config's own overrides name stay as they are. Activations
  // change with the weights, to integers of as many bits with the signs that theirs have (at least 2 bits), or to the same float;
  // if the config leaves them in reals, they stay. Throws Error(usage): no formats, formats that are not ever narrower, no layer
  // left, a config with phases.
  SearchSpace(RunConfig base, std::vector<Format> formats, const std::vector<std::string>& layers);

  const std::vector<std::string>& layers() const { return layers_; }  // that are searched
  const std::vector<Format>& formats() const { return formats_; }
  const RunConfig& base() const { return base_; }

  Document config(const Rungs& rungs) const;   // runs as it is
  std::string name(const Rungs& rungs) const;  // "int4", "int4, conv1 int8, fc2 int6"

 private:
  size_t common(const Rungs& rungs) const;  // the rung that most layers have, the wider one if two do
  RunConfig base_;
  std::vector<Format> formats_;
  std::vector<std::string> layers_;
};

}  // namespace lp
