// Numbers, parts and names of networks that are written anew.
#include "network.h"

#include <algorithm>
#include <cstring>

#include "layers.h"

namespace lp {
namespace {

// Does it open a level of names?
bool is_level(const Layer& layer) {
  return dynamic_cast<const SequentialLayer*>(&layer) || dynamic_cast<const ResidualLayer*>(&layer) ||
         dynamic_cast<const BranchLayer*>(&layer);
}

Layers spelled_out(const Layers& layers, Builder& names) {
  Layers all;
  for (const Choice<Layer>& layer : layers) {
    if (const auto* repeat = dynamic_cast<const RepeatLayer*>(&*layer)) {
      for (int64_t i = 0; i < repeat->times; ++i)
        for (Choice<Layer>& copy : spelled_out(repeat->layers, names)) all.push_back(std::move(copy));
      continue;
    }
    const std::string full = names.name(layer->name, layer->label());
    Choice<Layer>& copy = all.emplace_back(layer);
    copy->name = full.substr(full.find_last_of('.') + 1);
    const Builder::Scope scope(names, is_level(*layer) ? full : "");
    if (auto* sequential = dynamic_cast<SequentialLayer*>(&*copy)) sequential->layers = spelled_out(sequential->layers, names);
    if (auto* residual = dynamic_cast<ResidualLayer*>(&*copy)) {
      residual->layers = spelled_out(residual->layers, names);
      residual->shortcut = spelled_out(residual->shortcut, names);
    }
    if (auto* branch = dynamic_cast<BranchLayer*>(&*copy))
      for (Layers& path : branch->paths) path = spelled_out(path, names);
  }
  return all;
}

}  // namespace

std::vector<double> numbers_of(const Network& network, const std::string& name, int64_t size) {
  const auto found = network.tensors.find(name);
  if (found == network.tensors.end()) fail(ErrorKind::data, "the network has no tensor {}", name);
  if (size > 0 && found->second.size() != size)
    fail(ErrorKind::data, "{} holds {} numbers, wanted {}", name, found->second.size(), size);
  const Tensor wide = convert(found->second, DType::f64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

std::vector<double> masked_numbers(const Network& network, const std::string& name, int64_t size) {
  std::vector<double> numbers = numbers_of(network, name, size);
  if (!network.tensors.contains(name + ".mask")) return numbers;
  const std::vector<double> mask = numbers_of(network, name + ".mask", std::ssize(numbers));
  std::ranges::transform(numbers, mask, numbers.begin(), [](double x, double kept) { return kept == 0 ? 0 : x; });
  return numbers;
}

void store(Network& network, const std::string& name, const std::vector<double>& numbers, const Shape& shape, DType type) {
  Tensor wide(shape, DType::f64);
  std::ranges::copy(numbers, wide.data<double>().begin());
  network.tensors[name] = convert(wide, type);
}

Tensor picked(const Tensor& x, int axis, std::span<const int64_t> places) {
  const int at = checked_axis(x.shape(), axis, "picked");
  Tensor y(x.shape().with(at, std::ssize(places)), x.dtype());
  const size_t bytes = static_cast<size_t>(x.shape().after(at) * bytes_of(x.dtype()));
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(y.raw());
  for (int64_t row = 0; row < x.shape().before(at); ++row)
    for (const int64_t place : places) {
      std::memcpy(to, from + static_cast<size_t>(row * x.shape()[at] + place) * bytes, bytes);
      to += bytes;
    }
  return y;
}

Layers spelled_out(const Layers& layers) {
  const Precision none;
  Builder names(none, 1, DType::f32, Key(0));
  return spelled_out(layers, names);
}

std::set<std::string> sharing(const Layers& spelled, const std::string& scope) {
  std::set<std::string> names;
  for (const Choice<Layer>& layer : spelled) {
    const std::string full = scope + layer->name, inside = layer->name.empty() ? scope : full + ".";
    if (!layer->tied().empty()) names.insert({full, layer->tied()});
    if (auto* sequential = dynamic_cast<SequentialLayer*>(&*layer)) names.merge(sharing(sequential->layers, inside));
    if (auto* residual = dynamic_cast<ResidualLayer*>(&*layer)) {
      names.merge(sharing(residual->layers, inside));
      names.merge(sharing(residual->shortcut, inside));
    }
    if (auto* branch = dynamic_cast<BranchLayer*>(&*layer))
      for (const Layers& path : branch->paths) names.merge(sharing(path, inside));
  }
  return names;
}

void add_bias(Layer& layer) {
  if (auto* conv = dynamic_cast<Conv2dLayer*>(&layer)) conv->bias = true;
  if (auto* linear = dynamic_cast<LinearLayer*>(&layer)) linear->bias = true;
}

}  // namespace lp
