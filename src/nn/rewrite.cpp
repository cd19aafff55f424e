// Folding batch norms and equalizing channels: what both see is a network as straight runs of named layers.
#include "lptrain/nn/rewrite.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "layers.h"
#include "network.h"

namespace lp {
namespace {

struct Named {
  std::string name;
  const Choice<Layer>* layer;  // null: something that stops a run
  bool is(std::string_view kind) const { return layer && layer->name() == kind; }
  bool is_product() const { return is("conv2d") || is("linear"); }
};
using Straight = std::vector<Named>;  // layers one after the other: nothing else reads what lies between them

// Names as the builder gives them.
class Walk {
 public:
  explicit Walk(const Layers& layers) : names_(precision_, 1, DType::f32, Key(0)) {
    open(layers);
    leave_shared();
  }
  const std::vector<Straight>& runs() const { return runs_; }

 private:
  void open(const Layers& layers) {
    Straight run;
    follow(layers, run);
    runs_.push_back(std::move(run));
  }

  void follow(const Layers& layers, Straight& run) {
    for (const Choice<Layer>& layer : layers) {
      const std::string name = names_.name(layer->name, layer->label());
      const Builder::Scope scope(names_, dynamic_cast<const RepeatLayer*>(&*layer) ? "" : inside(*layer) ? name : "");
      if (const auto* sequential = dynamic_cast<const SequentialLayer*>(&*layer)) {
        follow(sequential->layers, run);
      } else if (const auto* repeat = dynamic_cast<const RepeatLayer*>(&*layer)) {
        for (int64_t i = 0; i < repeat->times; ++i) follow(repeat->layers, run);
      } else if (const auto* residual = dynamic_cast<const ResidualLayer*>(&*layer)) {
        open(residual->layers);
        open(residual->shortcut);
        run.push_back({name, nullptr});
      } else if (const auto* branch = dynamic_cast<const BranchLayer*>(&*layer)) {
        for (const Layers& path : branch->paths) open(path);
        run.push_back({name, nullptr});
      } else if (is_standardized(*layer)) {
        run.push_back({name, nullptr});  // its weights are not those that multiply
      } else {
        run.push_back({name, &layer});
      }
    }
  }

  // Weights that two layers use are not changed for the sake of one.
  void leave_shared() {
    std::set<std::string> shared;
    for (const Straight& run : runs_)
      for (const Named& named : run)
        if (named.layer && !(*named.layer)->tied().empty()) shared.insert({named.name, (*named.layer)->tied()});
    for (Straight& run : runs_)
      for (Named& named : run)
        if (shared.contains(named.name)) named.layer = nullptr;
  }

  static bool is_standardized(const Layer& layer) {
    const auto* conv = dynamic_cast<const Conv2dLayer*>(&layer);
    const auto* linear = dynamic_cast<const LinearLayer*>(&layer);
    return (conv && conv->standardize) || (linear && linear->standardize);
  }

  static bool inside(const Layer& layer) {
    return dynamic_cast<const SequentialLayer*>(&layer) || dynamic_cast<const ResidualLayer*>(&layer) ||
           dynamic_cast<const BranchLayer*>(&layer);
  }

  Precision precision_;
  Builder names_;
  std::vector<Straight> runs_;
};

// Takes layers out, wherever they stand.
void erase(Layers& layers, const std::set<const Layer*>& unwanted) {
  std::erase_if(layers, [&](const Choice<Layer>& layer) { return unwanted.contains(&*layer); });
  for (Choice<Layer>& layer : layers) {
    if (auto* sequential = dynamic_cast<SequentialLayer*>(&*layer)) erase(sequential->layers, unwanted);
    if (auto* repeat = dynamic_cast<RepeatLayer*>(&*layer)) erase(repeat->layers, unwanted);
    if (auto* residual = dynamic_cast<ResidualLayer*>(&*layer))
      erase(residual->layers, unwanted), erase(residual->shortcut, unwanted);
    if (auto* branch = dynamic_cast<BranchLayer*>(&*layer))
      for (Layers& path : branch->paths) erase(path, unwanted);
  }
}

void fold(Network& network, const std::string& product, const std::string& norm, double eps) {
  std::vector<double> w = numbers_of(network, product + ".weight");
  const Tensor& weight = network.tensors.at(product + ".weight");
  const Shape shape = weight.shape();
  const DType type = weight.dtype();
  const int64_t O = shape[0], I = shape.after(0);
  const bool has_bias = network.tensors.contains(product + ".bias");
  std::vector<double> b = has_bias ? numbers_of(network, product + ".bias", O) : std::vector<double>(static_cast<size_t>(O));
  const std::vector<double> gamma = numbers_of(network, norm + ".weight", O), beta = numbers_of(network, norm + ".bias", O),
                            mean = numbers_of(network, norm + ".running_mean", O),
                            variance = numbers_of(network, norm + ".running_var", O);
  for (size_t o = 0; o < b.size(); ++o) {
    const double g = gamma[o] / std::sqrt(variance[o] + eps);
    for (size_t i = 0; i < static_cast<size_t>(I); ++i) w[o * static_cast<size_t>(I) + i] *= g;
    b[o] = (b[o] - mean[o]) * g + beta[o];
  }
  store(network, product + ".weight", w, shape, type);
  store(network, product + ".bias", b, Shape{O}, type);
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) network.tensors.erase(norm + part);
}

// The layer with weights that sees the channels of run[i], and nothing but what moves or scales them between; 0: none.
size_t partner_of(const Straight& run, size_t i) {
  static const std::set<std::string> kPassing{"relu",    "leaky_relu", "max_pool2d", "avg_pool2d", "global_avg_pool",
                                              "flatten", "dropout"};
  for (size_t j = i + 1; j < run.size() && run[j].layer; ++j) {
    if (run[j].is_product()) return j;
    if (!kPassing.contains(run[j].layer->name())) return 0;
  }
  return 0;
}

// Two layers with weights: the first's output channels are the second's input channels.
class Pair {
 public:
  Pair(const Network& network, const Named& first, const Named& second)
      : first_(first.name + ".weight"), bias_(first.name + ".bias"), second_(second.name + ".weight") {
    const Shape w1 = network.tensors.at(first_).shape(), w2 = network.tensors.at(second_).shape();
    channels_ = w1[0];
    inputs_ = w1.after(0);
    last_ = w2.back();
    is_linear_ = second.is("linear");
    rows_ = w2.after(0) / last_;
    groups_ = is_linear_ ? 1 : channels_ / last_;
    outputs_of_group_ = w2[0] / std::max<int64_t>(1, groups_);
    fits_ = is_linear_ ? last_ % channels_ == 0 : channels_ % last_ == 0 && groups_ > 0 && w2[0] % groups_ == 0;
  }
  bool fits() const { return fits_; }

  // One step; the farthest that a factor is from 1, as |log s|.
  double equalize(Network& network) const {
    std::vector<double> w1 = numbers_of(network, first_), w2 = numbers_of(network, second_);
    std::vector<double> s(static_cast<size_t>(channels_)), r1(s.size()), r2(s.size());
    for (size_t i = 0; i < w1.size(); ++i) raise(r1[i / static_cast<size_t>(inputs_)], w1[i]);
    for (size_t i = 0; i < w2.size(); ++i) raise(r2[channel_of(i)], w2[i]);
    double farthest = 0;
    for (size_t c = 0; c < s.size(); ++c) {
      const double ratio = std::sqrt(r1[c] / r2[c]);
      s[c] = std::isfinite(ratio) && ratio > 0 ? ratio : 1;
      farthest = std::max(farthest, std::abs(std::log(s[c])));
    }
    for (size_t i = 0; i < w1.size(); ++i) w1[i] /= s[i / static_cast<size_t>(inputs_)];
    for (size_t i = 0; i < w2.size(); ++i) w2[i] *= s[channel_of(i)];
    put(network, first_, w1);
    put(network, second_, w2);
    if (network.tensors.contains(bias_)) {
      std::vector<double> b = numbers_of(network, bias_, channels_);
      for (size_t c = 0; c < b.size(); ++c) b[c] /= s[c];
      put(network, bias_, b);
    }
    return farthest;
  }

 private:
  static void raise(double& most, double x) { most = std::max(most, std::abs(x)); }
  static void put(Network& network, const std::string& name, const std::vector<double>& numbers) {
    const Shape shape = network.tensors.at(name).shape();
    store(network, name, numbers, shape, network.tensors.at(name).dtype());
  }
  // The channel that element i of the second's weights meets. Flattened pictures are [H,W,C]: the channel runs fastest.
  size_t channel_of(size_t i) const {
    const int64_t at = static_cast<int64_t>(i), inner = at % last_;
    if (is_linear_) return static_cast<size_t>(inner % channels_);
    return static_cast<size_t>(at / (rows_ * last_) / outputs_of_group_ * last_ + inner);
  }

  std::string first_, bias_, second_;
  int64_t channels_ = 0, inputs_ = 0, last_ = 0, rows_ = 0, groups_ = 1, outputs_of_group_ = 1;
  bool is_linear_ = false, fits_ = false;
};

void require_weights(const Network& network, const Named& layer) { numbers_of(network, layer.name + ".weight"); }

}  // namespace

Rewritten fold_batch_norm(Network network) {
  std::map<const Layer*, int> visits, pairs;
  struct Fold {
    const Named *product, *norm;
  };
  std::vector<Fold> folds;
  const Walk walk(network.spec.layers);
  for (const Straight& run : walk.runs())
    for (size_t i = 0; i < run.size(); ++i) {
      if (!run[i].layer) continue;
      ++visits[&**run[i].layer];
      if (i == 0 || !run[i].is("batch_norm") || !run[i - 1].is_product()) continue;
      folds.push_back({&run[i - 1], &run[i]});
      ++pairs[&**run[i].layer];
      ++pairs[&**run[i - 1].layer];
    }
  Rewritten result;
  std::set<const Layer*> folded;
  for (const Fold& f : folds) {
    Layer &product = **f.product->layer, &norm = **f.norm->layer;
    if (pairs[&product] != visits[&product] || pairs[&norm] != visits[&norm]) continue;
    fold(network, f.product->name, f.norm->name, dynamic_cast<const BatchNormLayer&>(norm).eps);
    add_bias(product);
    folded.insert(&norm);
    result.changes.push_back(fmt::format("{} folded into {}", f.norm->name, f.product->name));
  }
  erase(network.spec.layers, folded);
  result.network = std::move(network);
  return result;
}

Rewritten equalize(Network network) {
  constexpr int kMostRounds = 100;
  constexpr double kClose = 1e-4;
  std::vector<Pair> pairs;
  Rewritten result;
  const Walk walk(network.spec.layers);
  for (const Straight& run : walk.runs())
    for (size_t i = 0; i < run.size(); ++i) {
      if (!run[i].is_product()) continue;
      require_weights(network, run[i]);
      const size_t j = partner_of(run, i);
      if (j == 0) continue;
      require_weights(network, run[j]);
      const Pair pair(network, run[i], run[j]);
      if (!pair.fits()) continue;
      pairs.push_back(pair);
      result.changes.push_back(fmt::format("{} and {} equalized", run[i].name, run[j].name));
    }
  double farthest = pairs.empty() ? 0 : 1;
  for (int round = 0; round < kMostRounds && farthest > kClose; ++round) {
    farthest = 0;
    for (const Pair& pair : pairs) farthest = std::max(farthest, pair.equalize(network));
  }
  result.network = std::move(network);
  return result;
}

}  // namespace lp
