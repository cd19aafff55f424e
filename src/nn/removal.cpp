// Structured removal: which channels cannot matter, by following every channel through the network, and the network without them.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "channels.h"
#include "layers.h"
#include "lptrain/grad/activation.h"
#include "lptrain/prune/mask.h"
#include "network.h"

namespace lp {
namespace {

// What becomes of a constant behind an activation; nothing if the layer is none.
std::optional<double> activated(const Layer& layer, double x) {
  std::optional<double> y;
  for_each_activation([&]<class A>() {
    if (const auto* found = dynamic_cast<const ActivationLayer<A>*>(&layer)) y = found->activation.f(x);
  });
  return y;
}

// Does the layer leave every channel for itself, and a constant as it is?
bool is_passing(const Layer& layer, const Shape& input) {
  const auto* part = dynamic_cast<const SliceLayer*>(&layer);
  return dynamic_cast<const MaxPool2dLayer*>(&layer) || dynamic_cast<const AvgPool2dLayer*>(&layer) ||
         dynamic_cast<const GlobalAvgPoolLayer*>(&layer) || dynamic_cast<const DropoutLayer*>(&layer) ||
         dynamic_cast<const SubsampleLayer*>(&layer) || (part && part->axis < input.rank() - 1);
}

// A linear layer or convolution as a product of rows: w[O, window, C].
struct Rows {
  std::string name;
  Layer* layer;
  int64_t O, window, C;
  bool is_padded;
};

// One search for channels that can go. It holds places in the network's layers.
class Search {
 public:
  explicit Search(Network& network) : network_(network), shared_(sharing(network.spec.layers)) {
    Flow x{fresh(network.input.back()), network.input};
    keep(x.channels);
    keep(chain(network.spec.layers, "", std::move(x)).channels);
    for (const Product& p : products_)  // of every layer at least one stays
      if (nodes_.settle(); std::ranges::none_of(p.out, [&](size_t n) { return nodes_.is_kept(n); })) nodes_.keep(p.out.front());
    nodes_.settle();
  }

  struct Counts {
    std::string name;
    int64_t before, after;
  };
  std::vector<Counts> products() {
    std::vector<Counts> list;
    for (const Product& p : products_) list.push_back({p.rows.name, std::ssize(p.out), std::ssize(kept(p.out))});
    return list;
  }

  // Masks weights that see channels which are always 0.
  void mask_blind(const std::map<std::string, Param*>& weights) const {
    for (const Sight& sight : sights_) {
      Param& w = *weights.at(sight.layer + ".weight");
      const auto is_zero = [](const Channel& x) { return x.constant == 0.0; };
      if (std::ranges::none_of(sight.in, is_zero) || !w.lens->format().has_zero()) continue;
      w.mask = w.mask ? w.mask.clone() : Tensor::full(w.value.shape(), 1, w.value.dtype());
      visit_real(w.mask.dtype(), [&]<class T>() {
        for (size_t i = 0; i < w.mask.data<T>().size(); ++i)
          if (is_zero(sight.in[i / sight.inner % sight.in.size()])) w.mask.data<T>()[i] = 0;
      });
      hold(w.mask, w.value);
    }
  }

  // Takes them out; the names of layers whose biases took up constants.
  std::set<std::string> apply() {
    std::set<std::string> folded;
    for (const Product& p : products_)
      if (fold_constants(p)) folded.insert(p.rows.name);
    for (const Cut& cut : cuts_)
      if (const auto found = network_.tensors.find(cut.tensor); found != network_.tensors.end())
        found->second = picked(found->second, cut.axis, kept(cut.nodes));
    for (const auto& [set, nodes] : extents_) set(std::ssize(kept(nodes)));
    return folded;
  }

 private:
  struct Product {
    Rows rows;
    Channels in;
    std::vector<size_t> out;
  };
  struct Sight {  // weight i of the layer sees in[i / inner % C]
    std::string layer;
    Channels in;
    size_t inner;
  };
  struct Cut {
    std::string tensor;
    int axis;
    std::vector<size_t> nodes;
  };

  Channels fresh(int64_t count, std::optional<double> constant = {}) {
    Channels channels;
    for (int64_t i = 0; i < count; ++i) channels.push_back({nodes_.make(), constant});
    return channels;
  }
  void keep(const Channels& channels) {
    for (const Channel& c : channels) nodes_.keep(c.node);
  }
  std::vector<int64_t> kept(const std::vector<size_t>& nodes) {
    std::vector<int64_t> places;
    for (size_t i = 0; i < nodes.size(); ++i)
      if (nodes_.is_kept(nodes[i])) places.push_back(static_cast<int64_t>(i));
    return places;
  }

  Flow chain(Layers& layers, const std::string& scope, Flow x) {
    for (Choice<Layer>& layer : layers) {
      const Shape shape = layer->output(x.shape, network_.classes);
      x = {through(*layer, scope + layer->name, x, shape), shape};
    }
    return x;
  }

  Channels through(Layer& layer, const std::string& name, const Flow& x, const Shape& shape) {
    if (shared_.contains(name)) return opaque(x, shape);
    if (auto* linear = dynamic_cast<LinearLayer*>(&layer)) return product(*linear, name, x, shape);
    if (auto* conv = dynamic_cast<Conv2dLayer*>(&layer)) return convolution(*conv, name, x, shape);
    if (const auto* norm = dynamic_cast<BatchNormLayer*>(&layer)) return batch_norm(*norm, name, x.channels);
    if (auto* pad = dynamic_cast<PadChannelsLayer*>(&layer)) return padded(*pad, x.channels);
    if (auto* part = dynamic_cast<SequentialLayer*>(&layer))
      return chain(part->layers, part->name.empty() ? name : name + ".", x).channels;
    if (auto* residual = dynamic_cast<ResidualLayer*>(&layer))
      return sum(chain(residual->layers, name + ".", x).channels, chain(residual->shortcut, name + ".", x).channels);
    if (auto* branch = dynamic_cast<BranchLayer*>(&layer)) return side_by_side(*branch, name + ".", x);
    if (is_passing(layer, x.shape)) return x.channels;
    if (is_flattening(layer, shape)) return flattened(x);
    if (activated(layer, 0)) return activations(layer, x.channels);
    return opaque(x, shape);
  }

  // What is not known to treat channels apart sees all of them, and makes others.
  Channels opaque(const Flow& x, const Shape& shape) {
    keep(x.channels);
    Channels made = fresh(shape.back());
    keep(made);
    return made;
  }

  static bool is_flattening(const Layer& layer, const Shape& shape) {
    return dynamic_cast<const FlattenLayer*>(&layer) || (dynamic_cast<const ReshapeLayer*>(&layer) && shape.rank() == 1);
  }
  static Channels flattened(const Flow& x) {
    Channels all;
    for (int64_t i = 0; i < x.shape.rows(); ++i) all.insert(all.end(), x.channels.begin(), x.channels.end());
    return all;
  }
  static Channels activations(const Layer& layer, Channels x) {
    for (Channel& c : x)
      if (c.constant) c.constant = activated(layer, *c.constant);
    return x;
  }

  Channels product(LinearLayer& linear, const std::string& name, const Flow& x, const Shape& shape) {
    return product({name, &linear, shape.back(), 1, x.shape.back(), false}, x.channels, [&linear](int64_t n) { linear.out = n; });
  }

  Channels convolution(Conv2dLayer& conv, const std::string& name, const Flow& x, const Shape& shape) {
    const int64_t C = x.shape.back(), O = shape.back(), window = conv.kernel.height() * conv.kernel.width();
    const bool is_padded = conv.pad.height() > 0 || conv.pad.width() > 0;
    if (!conv.depthwise && conv.groups == 1)
      return product({name, &conv, O, window, C, is_padded}, x.channels, [&conv](int64_t n) { conv.out = n; });
    if (conv.depthwise && O == C) return depthwise(conv, {name, &conv, O, window, 1, is_padded}, x.channels);
    return opaque(x, shape);
  }

  std::vector<double> biases(const Rows& rows) const {
    const std::string name = rows.name + ".bias";
    return network_.tensors.contains(name) ? masked_numbers(network_, name, rows.O)
                                           : std::vector<double>(static_cast<size_t>(rows.O));
  }

  // Does w x come to a constant, w c, with w the sum over a window?
  static bool is_foldable(const Channel& x, const Rows& rows) { return x.constant && (*x.constant == 0 || !rows.is_padded); }

  Channels product(const Rows& rows, const Channels& in, const std::function<void(int64_t)>& set_out) {
    const std::vector<double> w = masked_numbers(network_, rows.name + ".weight", rows.O * rows.window * rows.C);
    const std::vector<double> b = biases(rows);
    Channels out = fresh(rows.O);
    const size_t C = in.size(), row = static_cast<size_t>(rows.window) * C;
    std::vector<bool> is_seen(C);
    for (size_t o = 0; o < out.size(); ++o) {
      out[o].constant = b[o];
      for (size_t i = o * row; i < (o + 1) * row; ++i) {
        if (w[i] == 0) continue;
        const Channel& x = in[i % C];
        is_seen[i % C] = true;
        if (!is_foldable(x, rows)) out[o].constant.reset();
        if (out[o].constant) *out[o].constant += w[i] * *x.constant;
      }
    }
    for (size_t c = 0; c < C; ++c)
      if (is_seen[c] && !is_foldable(in[c], rows)) nodes_.keep(in[c].node);
    products_.push_back({rows, in, nodes_of(out)});
    sights_.push_back({rows.name, in, 1});
    extents_.emplace_back(set_out, nodes_of(out));
    cut_rows(rows.name, nodes_of(out));
    cut_columns(rows.name, nodes_of(in));
    return out;
  }

  Channels depthwise(Conv2dLayer& conv, const Rows& rows, Channels x) {
    const std::vector<double> w = masked_numbers(network_, rows.name + ".weight", rows.O * rows.window), b = biases(rows);
    sights_.push_back({rows.name, x, static_cast<size_t>(rows.window)});
    for (size_t c = 0; c < x.size(); ++c) {
      const auto begin = w.begin() + static_cast<std::ptrdiff_t>(c) * rows.window, end = begin + rows.window;
      if (std::all_of(begin, end, [](double v) { return v == 0; }))
        x[c].constant = b[c];
      else if (is_foldable(x[c], rows))
        x[c].constant = b[c] + std::accumulate(begin, end, 0.0) * *x[c].constant;
      else
        x[c].constant.reset();
    }
    if (conv.out) extents_.emplace_back([&conv](int64_t n) { conv.out = n; }, nodes_of(x));
    cut_rows(rows.name, nodes_of(x));
    cut_state(rows.name + ".input.", nodes_of(x));
    return x;
  }

  Channels batch_norm(const BatchNormLayer& norm, const std::string& name, Channels x) {
    const auto part = [&](const char* ending) { return masked_numbers(network_, name + ending, std::ssize(x)); };
    const std::vector<double> gamma = part(".weight"), beta = part(".bias"), mean = part(".running_mean"),
                              variance = part(".running_var");
    for (size_t c = 0; c < x.size(); ++c)
      if (x[c].constant) *x[c].constant = (*x[c].constant - mean[c]) / std::sqrt(variance[c] + norm.eps) * gamma[c] + beta[c];
    for (const char* ending : {".weight", ".bias", ".weight.mask", ".bias.mask", ".running_mean", ".running_var"})
      cuts_.push_back({name + ending, 0, nodes_of(x)});
    return x;
  }

  Channels padded(PadChannelsLayer& pad, Channels x) {
    for (const Channel& zero : fresh(pad.to - std::ssize(x), 0.0)) x.push_back(zero);
    extents_.emplace_back([&pad](int64_t n) { pad.to = n; }, nodes_of(x));
    return x;
  }

  Channels sum(Channels a, const Channels& b) {
    for (size_t c = 0; c < a.size(); ++c) {
      nodes_.unite(a[c].node, b[c].node);
      a[c].constant = a[c].constant && b[c].constant ? std::optional(*a[c].constant + *b[c].constant) : std::nullopt;
    }
    return a;
  }

  Channels side_by_side(BranchLayer& branch, const std::string& scope, const Flow& x) {
    Channels all;
    for (Layers& path : branch.paths)
      for (const Channel& c : chain(path, scope, x).channels) all.push_back(c);
    return all;
  }

  void cut_rows(const std::string& layer, const std::vector<size_t>& nodes) {
    for (const char* tensor : {".weight", ".weight.mask", ".bias", ".bias.mask"}) cuts_.push_back({layer + tensor, 0, nodes});
    for (const char* lens : {".weight.", ".bias.", ".error."}) cut_state(layer + lens, nodes);
  }
  void cut_columns(const std::string& layer, const std::vector<size_t>& nodes) {
    for (const char* tensor : {".weight", ".weight.mask"}) cuts_.push_back({layer + tensor, -1, nodes});
    cut_state(layer + ".input.", nodes);
  }
  // What a lens remembers of each channel.
  void cut_state(const std::string& lens, const std::vector<size_t>& nodes) {
    for (const auto& [name, tensor] : network_.tensors)
      if (name.starts_with(lens) && !name.ends_with(".mask") && tensor.shape() == Shape{std::ssize(nodes)})
        cuts_.push_back({name, 0, nodes});
  }

  // b_o += sum w_oc c over the channels that go, each the constant c. Is there anything to add?
  bool fold_constants(const Product& p) {
    const bool is_needed =
        std::ranges::any_of(p.in, [&](const Channel& x) { return x.constant && *x.constant != 0 && !nodes_.is_kept(x.node); });
    if (!is_needed) return false;
    const std::string name = p.rows.name + ".bias", weight = p.rows.name + ".weight";
    std::vector<double> b = biases(p.rows), w = masked_numbers(network_, weight);
    const size_t row = w.size() / b.size();
    bool is_changed = false;
    for (size_t i = 0; i < w.size(); ++i) {
      const Channel& x = p.in[i % p.in.size()];
      if (w[i] == 0 || nodes_.is_kept(x.node) || *x.constant == 0) continue;
      b[i / row] += w[i] * *x.constant;
      is_changed = true;
    }
    if (!is_changed) return false;
    add_bias(*p.rows.layer);
    network_.tensors.erase(name + ".mask");
    store(network_, name, b, Shape{p.rows.O}, network_.tensors.at(weight).dtype());
    return true;
  }

  Network& network_;
  std::set<std::string> shared_;  // weights that two layers use stay as they are
  Nodes nodes_;
  std::vector<Product> products_;
  std::vector<Sight> sights_;
  std::vector<Cut> cuts_;
  std::vector<std::pair<std::function<void(int64_t)>, std::vector<size_t>>> extents_;  // how many channels a layer names
};

// A model as a network that knows only what is masked: 0 where it is, 1 elsewhere, and statistics that leave 0 alone. What is 0
// in it stays 0 whatever is trained.
struct Masks : Visitor {
  Network network;
  std::map<std::string, Param*> params;
  explicit Masks(Model& model) : network{model.spec(), {}, model.input(), model.output().back()} {
    network.spec.layers = spelled_out(network.spec.layers);
    model.visit(*this);
  }
  void param(Param& p) override {
    params[p.name] = &p;
    if (p.value) network.tensors[p.name] = p.mask ? p.mask : Tensor::full(p.value.shape(), 1, p.value.dtype());
  }
  void buffer(const std::string& name, Tensor& t) override {
    if (t) network.tensors[name] = Tensor::full(t.shape(), name.ends_with(".running_var") ? 1 : 0, t.dtype());
  }
};

bool loses(const Search::Counts& c) { return c.after < c.before; }

}  // namespace

void mask_blind(Model& model) {
  Masks masks(model);
  Search(masks.network).mask_blind(masks.params);
}

Rewritten remove_pruned(Network network) {
  require(network.input.rank() > 0 && network.classes > 0, "the shape of the input and the number of classes must be known");
  Rewritten result{std::move(network), {}};
  Network small = result.network;
  small.spec.layers = spelled_out(small.spec.layers);
  std::vector<Search::Counts> before, after;
  std::set<std::string> folded;
  for (bool goes_on = true; goes_on;) {  // what fed a channel that went may go next
    Search search(small);
    after = search.products();
    if (before.empty()) before = after;
    goes_on = std::ranges::any_of(after, loses);
    if (goes_on) folded.merge(search.apply());
  }
  for (size_t i = 0; i < before.size(); ++i)
    if (after[i].after < before[i].before)
      result.changes.push_back(fmt::format("{}: {} of {} channels stay", before[i].name, after[i].after, before[i].before));
  for (const std::string& name : folded)
    result.changes.push_back(fmt::format("{}: its biases take up what removed channels always were", name));
  if (result.changes.empty()) return result;
  small.spec.description.clear();  // it told of another size
  result.network = std::move(small);
  return result;
}

}  // namespace lp
