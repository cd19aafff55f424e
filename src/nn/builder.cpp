// Names, initial values and lenses of what layers are made of.
#include <algorithm>
#include <array>

#include "lptrain/base/text.h"
#include "lptrain/nn/layer.h"

namespace lp {

bool sees_input(std::span<const LayerLine> lines, size_t i) {
  static constexpr std::array kMovers{"flatten", "reshape", "permute", "slice", "subsample", "max_pool2d", "pad_channels"};
  return std::ranges::all_of(lines.first(i),
                             [](const LayerLine& l) { return std::ranges::find(kMovers, l.kind) != kMovers.end(); });
}

std::string Builder::name(const std::string& given, std::string_view label) {
  if (given.empty() && label.empty()) return "";
  require(given.find_first_of(".*?") == std::string::npos,
          "the name \"{}\" holds one of . * ?, which have a meaning in full names and patterns", given);
  std::string full = scope_ + given;
  if (given.empty()) full = fmt::format("{}{}{}", scope_, label, ++counts_[fmt::format("{}{}", scope_, label)]);
  require(names_.insert(full).second, "two layers are named \"{}\"", full);
  return full;
}

Builder::Scope::Scope(Builder& b, const std::string& n) : builder(b), outer(b.scope_) {
  if (!n.empty()) b.scope_ = n + ".";
}

Param Builder::counted(Param p) {
  params_ += p.value.size();
  return p;
}

Param Builder::weight(const std::string& layer, Shape shape, double bound) {
  Param p(layer + ".weight", Tensor(shape, compute_));
  const Key key = seed_.with(p.name);
  visit_real(compute_, [&]<class T>() {
    auto w = p.value.data<T>();
    for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<T>((2 * key.uniform64(i) - 1) * bound);
  });
  p.lens = std::make_unique<Lens>(p.name, Role::weights, 0, precision_.of(Role::weights, layer));
  layers_.push_back(layer);
  return counted(std::move(p));
}

Param Builder::bias(const std::string& layer, int64_t size) {
  Param p(layer + ".bias", Tensor::zeros(Shape{size}, compute_), false);
  p.lens = std::make_unique<Lens>(p.name, Role::biases, 0, precision_.of(Role::biases, layer));
  return counted(std::move(p));
}

Param Builder::plain(const std::string& name, Shape shape, double value) {
  return counted(Param(name, Tensor::full(shape, value, compute_), false));
}

Lens Builder::lens(const std::string& layer, Role role, std::string_view place) {
  if (place.empty()) place = role == Role::errors ? "error" : "input";
  return Lens(fmt::format("{}.{}", layer, place), role, -1, precision_.of(role, layer));
}

Param& Builder::shared(const std::string& layer, const Shape& wanted) const {
  const auto found = shared_.find(layer);
  if (found == shared_.end()) {
    std::vector<std::string> known;
    for (const auto& [name, weight] : shared_) known.push_back(name);
    fail(ErrorKind::usage, "\"tied\": no embedding or linear layer before this one is called \"{}\"{}", layer,
         suggestion(layer, known));
  }
  const Shape& shape = found->second->value.shape();
  require(shape == wanted, "\"tied\": the weights of {} are {}, but this layer has {} outputs and {} inputs: wanted {}", layer,
          shape.text(), wanted[0], wanted[1], wanted.text());
  return *found->second;
}

void Builder::note(std::string name, std::string kind, const Shape& output, int64_t macs, std::optional<ConvShape> product,
                   std::string tied) {
  lines_.push_back({std::move(name), std::move(kind), output, {macs, params_}, product, std::move(tied)});
  params_ = 0;
}

}  // namespace lp
