// On which kernel rows the products of a layer will run on this machine, in which arithmetic, and why not on faster ones.
#pragma once
#include <string>
#include <vector>

#include "lptrain/train/config.h"

namespace lp {

// A row of a kernel table that was passed over.
struct FasterRow {
  std::string row, why;
  void fields(Fields& f);
};

// One of a layer's products: forward, dx (gradient of its input) or dw (of its weights).
struct ProductPlan {
  std::string pass;
  std::string a, b, result;       // types of the operands, and what the sums are held in
  std::string why;                // it runs on reals, or on wider integers; "" if nothing is narrower
  std::string row;                // of the kernel table: what it runs on
  bool is_modelled = false;       // its sums are those of a named accumulator, one product after the other: slow
  std::vector<FasterRow> faster;  // rows above it
  void fields(Fields& f);
};

// The model that a config describes, in its last phase. Shape and classes come from the data set's card; data are read only if
// the card does not tell. Throws what Model and load_dataset do.
Model model_of(const RunConfig& config, const std::string& data_folder);

// For a layer with weights, batches of `batch`. `sees_input`: what enters the network reaches the layer with its codes, through
// nothing but layers that move elements; the network's input needs no gradient, so such a layer has no dx.
// Operands are made by the very lenses that training uses, on two channels of positive numbers; an error scale folded with weight
// scales is taken to be within its bound (src/grad/product.cpp).
std::vector<ProductPlan> plan_products(const LayerLine& layer, const Precision& precision, int64_t batch, DType compute,
                                       bool sees_input);

}  // namespace lp
