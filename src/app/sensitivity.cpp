// Narrowing one layer at a time.
#include "lptrain/app/sensitivity.h"

#include <algorithm>
#include <set>

#include "lptrain/app/narrowing.h"
#include "lptrain/app/scores.h"
#include "lptrain/base/plot.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

// Layers with products, and those of them that negative numbers flow into.
struct Layers {
  std::vector<std::string> names;
  std::set<std::string> with_sign;
};
Layers layers_of(Model& model, const Dataset& data, const Subset& split) {
  Layers layers;
  for (const LayerLine& line : model.lines())
    if (line.product) layers.names.push_back(line.name);
  LoaderOptions options;
  options.batch = 256;
  options.ahead = 0;
  Context context(nullptr, Mode::eval);
  context.watch([&](const Look& look) {
    if (look.lens.role != Role::activations) return;
    const Tensor x = convert(look.x.tensor(), DType::f64);
    if (std::ranges::any_of(x.data<double>(), [](double v) { return v < 0; })) layers.with_sign.insert(look.lens.layer());
  });
  model.forward(context, Loader(data, split, options).batch(0, 0).x);
  return layers;
}

Quantizer narrowed_activations(const Quantizer& own, const Format& weights, bool has_sign) {
  const Format format = activation_format(weights, own.is_identity() ? has_sign : own.format.is_signed);
  if (!own.is_identity()) return with_format(own, format);
  Quantizer fresh;
  fresh.format = format;
  return fresh;
}

// An override for one layer: it looks through a format, where it does not look through as narrow a one already.
RoleQuantizers override_for(const Precision& base, const std::string& layer, const Format& format, Narrowed narrowed,
                            bool has_sign) {
  RoleQuantizers rule;
  const auto set = [&](Role role, const Quantizer& q) {
    const Quantizer own = base.of(role, layer);
    if (own.is_identity() || own.format.bits() > q.format.bits()) rule.roles[static_cast<size_t>(role)] = q;
  };
  if (narrowed != Narrowed::activations) set(Role::weights, with_format(base.of(Role::weights, layer), format));
  if (narrowed != Narrowed::weights)
    set(Role::activations, narrowed_activations(base.of(Role::activations, layer), format, has_sign));
  return rule;
}

class Trial {
 public:
  Trial(const Trained& trained, Narrowed narrowed)
      : trained_(trained),
        split_(trained.data.validation.size() > 0 ? trained.data.validation : trained.data.test),
        narrowed_(narrowed),
        base_(trained.config.phases.back().precision),
        layers_(layers_of(*trained.model, trained.data, split_)),
        memory_(*trained.model) {}
  ~Trial() { see_through(*trained_.model, base_, memory_); }

  const std::vector<std::string>& layers() const { return layers_.names; }
  const Subset& split() const { return split_; }

  Score score() const {
    const TrainSpec& train = trained_.config.phases.back().train;
    return evaluate(*trained_.model, *train.loss, trained_.data, split_, train.eval_batch).score;
  }
  Score score(std::span<const std::string> narrowed_layers, const Format& format) const {
    Precision precision = base_;
    for (const std::string& layer : narrowed_layers)
      precision.overrides.emplace_back(layer, override_for(base_, layer, format, narrowed_, layers_.with_sign.contains(layer)));
    see_through(*trained_.model, precision, memory_);
    return score();
  }

 private:
  const Trained& trained_;
  const Subset& split_;
  Narrowed narrowed_;
  Precision base_;
  Layers layers_;
  LensMemory memory_;
};

HeatCell heat_cell(const SensitivityCell& cell, double whole, bool has_room) {
  const double lost = whole > 0 ? std::max(0.0, 1 - cell.accuracy / whole) : 0;
  return {std::sqrt(lost), 4, has_room ? fmt::format("{:.1f}", 100 * cell.accuracy) : "",
          fmt::format("{}, {}: {}", cell.layer, cell.format, percent(cell.accuracy))};
}

}  // namespace

void SensitivityCell::fields(Fields& f) {
  f("layer", layer, "that is narrowed");
  f("format", format, "that it is narrowed to, or its sparsity");
  f("accuracy", accuracy, "of the network", {0, 1});
  f("loss", loss, "of the network");
}

void Sensitivity::fields(Fields& f) {
  f("run", run, "the weights file");
  f("split", split, "that was measured");
  f("narrowed", narrowed, "weights, activations or both; or pruned");
  f("examples", examples, "of the split");
  f("accuracy", accuracy, "of the network as it is", {0, 1});
  f("loss", loss, "of the network as it is");
  f("layers", layers, "in order; at last all of them at once");
  f("formats", formats, "in the order that was asked for");
  f("cells", cells, "row by row");
}

Sensitivity sensitivity_of(const Trained& trained, const std::vector<Format>& formats, Narrowed narrowed,
                           const Console& console) {
  require(!formats.empty(), "sensitivity: no formats to try");
  const Trial trial(trained, narrowed);
  Sensitivity s;
  s.run = trained.file.string();
  s.split = trained.data.validation.size() > 0 ? "validation" : "test";
  s.narrowed = word_of(narrowed);
  s.examples = trial.split().size();
  const Score whole = trial.score();
  s.accuracy = whole.accuracy, s.loss = whole.loss;
  s.layers = trial.layers();
  s.layers.emplace_back(kAllLayers);
  for (const Format& f : formats) s.formats.push_back(f.name());
  for (size_t row = 0; row < s.layers.size(); ++row) {
    const std::span<const std::string> all(trial.layers());
    for (const Format& f : formats) {
      const Score score = trial.score(row < all.size() ? all.subspan(row, 1) : all, f);
      s.cells.push_back({s.layers[row], f.name(), score.accuracy, score.loss});
    }
    console.say("{} ({} of {})", s.layers[row], row + 1, s.layers.size());
  }
  return s;
}

Cells sensitivity_cells(const Sensitivity& s) {
  Cells cells{{"layer"}};
  for (const std::string& format : s.formats) cells[0].push_back(format);
  for (size_t row = 0; row < s.layers.size(); ++row) {
    auto& line = cells.emplace_back(1, s.layers[row]);
    for (size_t i = 0; i < s.formats.size(); ++i) line.push_back(percent(s.at(row, i).accuracy));
  }
  return cells;
}

std::string sensitivity_csv(const Sensitivity& s) {
  std::string csv = "layer,format,narrowed,accuracy,loss\n";
  for (const SensitivityCell& c : s.cells)
    csv += fmt::format("{},{},{},{:.6g},{:.6g}\n", c.layer, c.format, s.narrowed, c.accuracy, c.loss);
  return csv;
}

std::string sensitivity_svg(const Sensitivity& s) {
  const bool has_room = std::max(s.layers.size(), s.formats.size()) <= 11;
  std::vector<HeatCell> cells;
  for (const SensitivityCell& c : s.cells) cells.push_back(heat_cell(c, s.accuracy, has_room));
  const std::string what = s.narrowed == "both"    ? "weights and activations narrowed"
                           : s.narrowed == kPruned ? "weights pruned to a sparsity"
                                                   : s.narrowed + " narrowed";
  const std::string title = fmt::format("{} accuracy in %, {}; as it is {}", s.split, what, percent(s.accuracy));
  return heat_map_file(s.layers, s.formats, cells, title);
}

}  // namespace lp
