// Ranking units of weights, and drawing the line.
#include "lptrain/prune/mask.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "lptrain/tensor/math.h"

namespace lp {
namespace {

constexpr double kGone = -std::numeric_limits<double>::infinity();

// One layer's units with their scores.
struct Layer {
  Units units;
  std::vector<double> scores;
  std::vector<bool> goes;
};

// One score for the weights of each unit.
std::vector<double> pooled(const std::vector<double>& scores, const Units& units, Pooling pooling) {
  std::vector<double> y(static_cast<size_t>(units.count));
  for (size_t i = 0; i < scores.size(); ++i) {
    const double s = pooling == Pooling::root_of_squares ? scores[i] * scores[i] : scores[i];
    y[static_cast<size_t>(units.of[i])] += s;
  }
  for (size_t u = 0; u < y.size(); ++u) {
    if (pooling == Pooling::mean) y[u] /= static_cast<double>(units.sizes[u]);
    if (pooling == Pooling::root_of_squares) y[u] = std::sqrt(y[u]);
    if (std::isnan(y[u])) y[u] = kGone;
  }
  return y;
}

// Units of which nothing is left come first.
void rank_gone(const Evidence& e, Layer& layer) {
  if (!e.mask) return;
  std::vector<bool> is_left(static_cast<size_t>(layer.units.count));
  visit_real(e.mask.dtype(), [&]<class T>() {
    const auto m = e.mask.data<T>();
    for (size_t i = 0; i < m.size(); ++i)
      if (m[i] != 0) is_left[static_cast<size_t>(layer.units.of[i])] = true;
  });
  for (size_t u = 0; u < is_left.size(); ++u)
    if (!is_left[u]) layer.scores[u] = kGone;
}

Layer ranked(const Evidence& e, const Criterion& criterion, const Pattern& pattern) {
  require(!e.mask || (e.mask.shape() == e.w.shape() && e.mask.dtype() == e.w.dtype()), "a mask {} for weights {}",
          e.mask.shape().text(), e.w.shape().text());
  Layer layer{units_of(e.w.shape(), pattern), {}, {}};
  layer.scores = pooled(criterion.scores(e), layer.units, criterion.pooling());
  layer.goes.resize(layer.scores.size());
  rank_gone(e, layer);
  return layer;
}

struct Unit {
  double score;
  int64_t layer, index, size;
  bool operator<(const Unit& o) const { return std::tie(score, layer, index) < std::tie(o.score, o.layer, o.index); }
};

// Every unit that may go: all but the best of each layer.
std::vector<Unit> candidates(const std::vector<Layer>& layers) {
  std::vector<Unit> list;
  for (size_t l = 0; l < layers.size(); ++l) {
    const auto& scores = layers[l].scores;
    const auto best = std::ranges::find(scores, scores.empty() ? 0 : std::ranges::max(scores)) - scores.begin();
    for (std::ptrdiff_t u = 0; u < std::ssize(scores); ++u)
      if (u != best)
        list.push_back(
            {scores[static_cast<size_t>(u)], static_cast<int64_t>(l), u, layers[l].units.sizes[static_cast<size_t>(u)]});
  }
  return list;
}

void cut_freely(std::vector<Layer>& layers, double sparsity) {
  int64_t weights = 0, gone = 0;
  for (const Layer& layer : layers) weights += std::ssize(layer.units.of);
  const int64_t wanted = std::llround(sparsity * static_cast<double>(weights));
  std::vector<Unit> list = candidates(layers);
  const bool are_single = std::ranges::all_of(list, [](const Unit& u) { return u.size == 1; });
  if (are_single && wanted < std::ssize(list))
    std::ranges::nth_element(list, list.begin() + wanted, std::less<>{});  // which are the first is enough; not in which order
  else
    std::ranges::sort(list, std::less<>{});
  for (const Unit& u : list) {
    if (2 * (gone + u.size) > 2 * wanted + u.size) break;
    gone += u.size;
    layers[static_cast<size_t>(u.layer)].goes[static_cast<size_t>(u.index)] = true;
  }
}

void cut_in_groups(Layer& layer, double sparsity) {
  constexpr double kSlack = 1e-9;  // a share that is an integer but for its rounding
  std::vector<size_t> order;
  int64_t begin = 0;
  for (const int64_t end : layer.units.ends) {
    order.clear();
    for (int64_t u = begin; u < end; ++u) order.push_back(static_cast<size_t>(u));
    std::ranges::stable_sort(order, {}, [&](size_t u) { return layer.scores[u]; });
    const auto count = static_cast<size_t>(sparsity * static_cast<double>(end - begin) + kSlack);
    for (size_t k = 0; k < std::min(count, order.size()); ++k) layer.goes[order[k]] = true;
    begin = end;
  }
}

void cut_below(std::vector<Layer>& layers, double threshold) {
  for (const Unit& u : candidates(layers))
    if (u.score < threshold) layers[static_cast<size_t>(u.layer)].goes[static_cast<size_t>(u.index)] = true;
}

Tensor mask_of(const Evidence& e, const Layer& layer) {
  Tensor mask(e.w.shape(), e.w.dtype());
  visit_real(e.w.dtype(), [&]<class T>() {
    const auto m = mask.data<T>();
    for (size_t i = 0; i < m.size(); ++i) {
      const bool was_left = !e.mask || e.mask.data<T>()[i] != 0;
      m[i] = was_left && !layer.goes[static_cast<size_t>(layer.units.of[i])] ? T(1) : T(0);
    }
  });
  return mask;
}

}  // namespace

std::vector<Tensor> chosen_masks(std::span<const Evidence> layers, const Criterion& criterion, const Pattern& pattern,
                                 double sparsity) {
  require(sparsity >= 0 && sparsity < 1, "a sparsity of {}, wanted 0 <= sparsity < 1", sparsity);
  std::vector<Layer> found;
  for (const Evidence& e : layers) found.push_back(ranked(e, criterion, pattern));
  if (criterion.below())
    cut_below(found, *criterion.below());
  else if (pattern.kind == Pattern::Kind::n_of_m)
    for (Layer& layer : found) cut_in_groups(layer, sparsity);
  else
    cut_freely(found, sparsity);
  std::vector<Tensor> masks;
  for (size_t i = 0; i < found.size(); ++i) masks.push_back(mask_of(layers[i], found[i]));
  return masks;
}

void hold(const Tensor& mask, Tensor& w) {
  require(mask.shape() == w.shape() && mask.dtype() == w.dtype(), "a mask {} for {}", mask.shape().text(), w.shape().text());
  visit_real(w.dtype(), [&]<class T>() {
    const T* m = mask.data<T>().data();
    T* x = w.data<T>().data();
    parallel_for(w.size(), kGrain, [&](int64_t i) { x[i] = m[i] != 0 ? x[i] : T(0); });
  });
}

double share_of_zeros(std::span<const Tensor> tensors) {
  double zeros = 0, all = 0;
  for (const Tensor& t : tensors)
    visit_real(t.dtype(), [&]<class T>() {
      zeros += static_cast<double>(std::ranges::count(t.data<T>(), T(0)));
      all += static_cast<double>(t.size());
    });
  return all > 0 ? zeros / all : 0;
}

}  // namespace lp
