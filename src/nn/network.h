// What rewritings of networks have in common: their numbers in f64, parts of their tensors, and layers with all names spelled
// out.
#pragma once
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lptrain/nn/rewrite.h"

namespace lp {

// A tensor of the network in f64; of the wanted size, unless that is 0. Throws Error(data) if it is not there or not so large.
std::vector<double> numbers_of(const Network& network, const std::string& name, int64_t size = 0);
// The same behind its mask ("<name>.mask"), if there is one.
std::vector<double> masked_numbers(const Network& network, const std::string& name, int64_t size = 0);
void store(Network& network, const std::string& name, const std::vector<double>& numbers, const Shape& shape, DType type);

// The places along an axis that are in the list, in its order; any dtype.
Tensor picked(const Tensor& x, int axis, std::span<const int64_t> places);

// The same layers without "repeat", each with the name that a builder gives it: what is then added or changed moves no other
// name.
Layers spelled_out(const Layers& layers);

// The full names of layers that use the weights of another, or lend theirs.
std::set<std::string> sharing(const Layers& spelled, const std::string& scope = "");

void add_bias(Layer& layer);  // to a conv2d or linear

}  // namespace lp
