// Low-rank factors of layers, by their singular values.
#include <algorithm>
#include <cmath>

#include "layers.h"
#include "lptrain/base/text.h"
#include "lptrain/tensor/svd.h"
#include "network.h"

namespace lp {
namespace {

struct Rank {
  int64_t r;
  double error;  // relative, of the root of the sum of squares
};

Rank rank_for(const LowRank& how, std::span<const double> s) {
  double all = 0, held = 0;
  for (const double x : s) all += x * x;
  int64_t r = how.rank.value_or(0);
  for (size_t i = 0; !how.rank && i < s.size() && (r == 0 || held < *how.energy * all); ++i, ++r) held += s[i] * s[i];
  r = std::min(r, std::ssize(s));
  double left = 0;
  for (const double x : s.subspan(static_cast<size_t>(r))) left += x * x;
  return {r, all > 0 ? std::sqrt(left / all) : 0};
}

// w as u v; each gets the root of the singular values, so that both have one range.
void split(Network& network, const std::string& full, const Svd& parts, int64_t r, const Shape& window) {
  const std::string weight = full + ".weight";
  const DType type = network.tensors.at(weight).dtype();
  const int64_t O = parts.u.shape()[0], R = parts.u.shape()[1], I = parts.v.shape()[1];
  std::vector<double> u(static_cast<size_t>(O * r)), v(static_cast<size_t>(r * I));
  for (int64_t k = 0; k < r; ++k) {
    const double root = std::sqrt(parts.s.data<double>()[static_cast<size_t>(k)]);
    for (int64_t o = 0; o < O; ++o)
      u[static_cast<size_t>(o * r + k)] = root * parts.u.data<double>()[static_cast<size_t>(o * R + k)];
    for (int64_t i = 0; i < I; ++i)
      v[static_cast<size_t>(k * I + i)] = root * parts.v.data<double>()[static_cast<size_t>(k * I + i)];
  }
  const bool is_linear = window.rank() == 2;
  store(network, full + "_v.weight", v, window.with(0, r), type);
  store(network, full + "_u.weight", u, is_linear ? Shape{O, r} : Shape{O, 1, 1, r}, type);
  if (const auto bias = network.tensors.find(full + ".bias"); bias != network.tensors.end())
    network.tensors[full + "_u.bias"] = bias->second;
  std::erase_if(network.tensors, [&](const auto& entry) { return entry.first.starts_with(full + "."); });
}

// The two layers in place of one.
Layers halves(const Choice<Layer>& whole, int64_t O, int64_t r) {
  Choice<Layer> v = whole, u = whole;
  v->name = whole->name + "_v";
  u->name = whole->name + "_u";
  if (auto* linear = dynamic_cast<LinearLayer*>(&*v)) linear->out = r, linear->bias = false;
  if (auto* conv = dynamic_cast<Conv2dLayer*>(&*v)) conv->out = r, conv->bias = false;
  if (auto* conv = dynamic_cast<Conv2dLayer*>(&*u)) {
    Conv2dLayer point;
    point.name = conv->name;
    point.out = O;
    point.kernel = {1, {}, {}};
    point.bias = conv->bias;
    *conv = point;
  }
  return {v, u};
}

class Factoring {
 public:
  Factoring(Network& network, const LowRank& how, std::vector<std::string>& changes)
      : network_(network), how_(how), changes_(changes), shared_(sharing(network.spec.layers)) {}

  void layers(Layers& list, const std::string& scope) {
    Layers all;
    for (Choice<Layer>& layer : list) {
      const std::string full = scope + layer->name, inside = layer->name.empty() ? scope : full + ".";
      if (auto* sequential = dynamic_cast<SequentialLayer*>(&*layer)) layers(sequential->layers, inside);
      if (auto* residual = dynamic_cast<ResidualLayer*>(&*layer))
        layers(residual->layers, inside), layers(residual->shortcut, inside);
      if (auto* branch = dynamic_cast<BranchLayer*>(&*layer))
        for (Layers& path : branch->paths) layers(path, inside);
      for (Choice<Layer>& part : factored(layer, full)) all.push_back(std::move(part));
    }
    list = std::move(all);
  }
  bool has_matched() const { return has_matched_; }

 private:
  bool is_asked(const std::string& name) const {
    return std::ranges::any_of(how_.layers, [&](const std::string& glob) { return glob_match(glob, name); });
  }

  Layers factored(const Choice<Layer>& layer, const std::string& full) {
    const auto* conv = dynamic_cast<const Conv2dLayer*>(&*layer);
    if ((!conv && !dynamic_cast<const LinearLayer*>(&*layer)) || !is_asked(full)) return {layer};
    has_matched_ = true;
    if (conv && (conv->depthwise || conv->groups > 1)) {
      changes_.push_back(fmt::format("{} stays: it has groups", full));
      return {layer};
    }
    if (shared_.contains(full)) {
      changes_.push_back(fmt::format("{} stays: it shares its weights", full));
      return {layer};
    }
    const std::vector<double> w = masked_numbers(network_, full + ".weight");
    const Shape shape = network_.tensors.at(full + ".weight").shape();
    const int64_t O = shape[0], I = shape.after(0);
    const Svd parts = svd(Tensor::of<double>(Shape{O, I}, w));
    const Rank rank = rank_for(how_, parts.s.data<double>());
    if (rank.r * (O + I) >= O * I) {
      changes_.push_back(
          fmt::format("{} stays: factors of rank {} would hold {} numbers, it holds {}", full, rank.r, rank.r * (O + I), O * I));
      return {layer};
    }
    changes_.push_back(fmt::format("{}: rank {} of {}, {} numbers in place of {}, relative error of the weights {:.3g}", full,
                                   rank.r, parts.s.size(), rank.r * (O + I), O * I, rank.error));
    split(network_, full, parts, rank.r, shape);
    return halves(layer, O, rank.r);
  }

  Network& network_;
  const LowRank& how_;
  std::vector<std::string>& changes_;
  std::set<std::string> shared_;
  bool has_matched_ = false;
};

}  // namespace

void LowRank::fields(Fields& f) {
  f("layers", layers, "globs over the names of the layers that are factored; by default all");
  f("rank", rank, "of the factors", {1, 1e6});
  f("energy", energy, "share of the sum of squared singular values that the factors keep", {0, 1});
  f.claim(rank.has_value() != energy.has_value(), "low_rank wants one of \"rank\" and \"energy\"");
}

Rewritten factor(Network network, const LowRank& how) {
  Rewritten result;
  network.spec.layers = spelled_out(network.spec.layers);
  network.spec.description.clear();
  Factoring factoring(network, how, result.changes);
  factoring.layers(network.spec.layers, "");
  require(factoring.has_matched(), "low_rank: no linear or conv2d layer is named like {}", join(how.layers));
  result.network = std::move(network);
  return result;
}

}  // namespace lp
