// What the products of a network see, for those who repair or learn one layer at a time.
#pragma once
#include <map>
#include <string>

#include "lptrain/nn/model.h"

namespace lp {

// In one evaluation pass: input, weights and biases of a layer as its lenses show them; b is empty if there are none.
struct ProductLook {
  Tensor x, w, b;
};
std::map<std::string, ProductLook> look_at_products(Model& model, const Tensor& batch);

// The product of a layer alone: y[N, ..., O]. b may be empty.
Var product_of(const LayerLine& line, const Tensor& x, const Var& w, const Var& b = {});

Param* find_param(Model& model, const std::string& name);  // null: none

}  // namespace lp
