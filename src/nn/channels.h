// Channels on their way through a network: which are one, which are constant, which may go.
#pragma once
#include <optional>
#include <vector>

#include "lptrain/tensor/shape.h"

namespace lp {

// One place of the last axis on its way: which node it is, and its value, if that is the same for all examples and pixels.
struct Channel {
  size_t node;
  std::optional<double> constant = {};
};
using Channels = std::vector<Channel>;

struct Flow {
  Channels channels;
  Shape shape;
};

inline std::vector<size_t> nodes_of(const Channels& channels) {
  std::vector<size_t> nodes;
  for (const Channel& c : channels) nodes.push_back(c.node);
  return nodes;
}

// Channels that are or stay one: nodes that were united are kept or removed together.
class Nodes {
 public:
  size_t make() {
    parent_.push_back(parent_.size());
    is_kept_.push_back(false);
    return parent_.back();
  }
  void unite(size_t a, size_t b) { parent_[root(a)] = root(b); }
  void keep(size_t node) { is_kept_[node] = true; }
  void settle() {  // after the last union
    for (size_t i = 0; i < parent_.size(); ++i)
      if (is_kept_[i]) is_kept_[root(i)] = true;
  }
  bool is_kept(size_t node) { return is_kept_[root(node)]; }
  size_t root(size_t node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }

 private:
  std::vector<size_t> parent_;
  std::vector<bool> is_kept_;
};

}  // namespace lp
