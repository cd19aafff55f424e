// Bits that are lowered while accuracy holds: how a search stands, and what it does next. Without tensors; the trainer obeys.
#pragma once
#include <span>
#include <string>
#include <utility>

#include "lptrain/train/config.h"

namespace lp {

// All weights begin with spec.start bits. Epoch after epoch: if validation reaches the target, the network is kept as it stands,
// and its weights lose a bit. Fewer bits have spec.patience epochs to reach it (the first ones all there are); then the kept
// network comes back. "per": "network" ends here, or at spec.lowest. "per": "layer" goes on with one layer at a time: the one
// whose bit is worth most, as it has most weights, the first of equals; a layer that fails stays as it is kept. Only validation
// decides; the same numbers give the same search.
struct BitSearch {
  Dictionary<int64_t> bits;          // of each layer's weights, now
  Dictionary<int64_t> kept;          // the fewest that reached the target; empty: none so far
  std::vector<std::string> settled;  // layers that go no lower
  std::string lowered;               // the layer that has a bit less than was kept; "": all of them
  int64_t epochs = 0;                // that it has been trained for
  bool is_done = false;
  void fields(Fields& f);
};

// What the search asks for after an epoch.
enum class BitMove {
  wait,  // another epoch
  keep,  // remember the network as it is; then its weights have search.bits
  back,  // the remembered network; then its weights have search.bits
};

// The layers whose weights are integers in that precision.
BitSearch begun_search(const AdaptiveSpec& spec, const Precision& precision, std::span<const std::string> layers);
// After an epoch, with what validation said; `weights` counts them, by layer. The last epoch ends the search with what was kept.
BitMove advance(BitSearch& search, const AdaptiveSpec& spec, const Dictionary<int64_t>& weights, bool is_met, bool is_last);

// What people read of it: "fc1 4, fc2 3 bits", "4 bits".
std::string bits_text(const Dictionary<int64_t>& bits);

// Whether weights can lose bits: integers. With so many of them; 1 is binary, with its own scale.
bool is_adaptable(const Quantizer& q);
Quantizer with_bits(const Quantizer& q, int64_t bits);
// The precision with so many bits for the weights of each layer.
Precision with_bits(Precision precision, const Dictionary<int64_t>& bits);

}  // namespace lp
