// What a network costs to keep and to run: counted from its layers, the formats that their operands are seen in, and its weights.
#pragma once
#include <string>
#include <vector>

#include "lptrain/nn/model.h"

namespace lp {

// Joules of one multiply-accumulate of operands in two formats. An estimate: arithmetic alone, nothing is said of memory.
//   Source: Horowitz 2014, "Computing's energy problem (and what we can do about it)", ISSCC; 45 nm, in picojoules:
//                int8   int32   f16   f32
//     add        0.03   0.1     0.4   0.9
//     multiply   0.2    3.1     1.1   3.7
//   integers (int, uint, q, ternary, binary on both sides): multiplying grows with the product of the widths, from int8 up to 8
//     bits, else from int32; sums are held in 32 bits
//   reals (all else): both operands at the width of the wider; multiplying grows with its square, from f16 up to 16 bits, else
//     from f32; sums are held in f32, of f64 in f64 (twice as much)
double mac_joules(const Format& a, const Format& b);

// One layer, as the model's lenses stand.
struct LayerCost {
  std::string name, kind, output;     // output: shape for one example
  int64_t parameters = 0, bytes = 0;  // bytes: at the widths they are seen in, with their scales, packed
  std::string weights, activations;   // formats of the product's operands; "" for layers without one
  int64_t weight_count = 0;           // operands of products; biases and norms are not counted
  double bits_per_weight = 0;         // 0 without weights; with the scales of groups and blocks (mxfp4 has 4.25)
  double sparsity = 0;                // share of weights that are zero, measured behind mask and quantizer
  int64_t macs = 0;                   // multiply-accumulates for one example
  int64_t bit_operations = 0;  // macs * bits of a weight * bits of an activation.   Source: Baskin et al. 2018 (UNIQ), section 5
  double energy_joules = 0;    // macs * mac_joules: an estimate
  void fields(Fields& f);
};

// Sums over the layers; of bits_per_weight and sparsity the means over all weights.
struct ModelCost {
  std::vector<LayerCost> layers;
  int64_t parameters = 0, bytes = 0, weight_count = 0, macs = 0, bit_operations = 0;
  double bits_per_weight = 0, sparsity = 0, energy_joules = 0;
  void fields(Fields& f);
};
ModelCost cost_of(Model& model);

}  // namespace lp
