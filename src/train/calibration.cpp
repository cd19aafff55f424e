// Measuring scales and biases.
#include "lptrain/train/calibration.h"

#include <algorithm>
#include <array>

#include "lptrain/data/loader.h"
#include "lptrain/quant/tally.h"
#include "lptrain/tensor/math.h"
#include "product_looks.h"

namespace lp {
namespace {

constexpr int64_t kBatch = 32;

struct Lenses : Visitor {
  std::map<std::string, Lens*> all;
  std::vector<Param*> params;
  void lens(Lens& l) override { all[l.name] = &l; }
  void param(Param& p) override { params.push_back(&p); }
};

// One more tensor passes a lens.
void show(Lens& lens, const Tensor& x) {
  const Quantizer& q = lens.quantizer;
  if (lens.is_identity() || q.rule().kind() == Scale::Kind::own || !why_not(x.shape(), q.per, lens.axis).empty()) return;
  if (q.rule().kind() == Scale::Kind::observed) {
    const Extent now = measure(x, q, lens.axis);
    lens.observed = lens.observed.high ? q.rule().blend(lens.observed, now) : now;
  }
  const bool lacks_scale = lens.scale && !lens.scale->value, lacks_offset = lens.offset && !lens.offset->value;
  if (!lacks_scale && !lacks_offset) return;
  const Fit f = fit_to(x, q, lens.axis);
  if (lacks_scale) lens.scale->value = f.scale;
  if (lacks_offset) lens.offset->value = f.offset;
}

// The mean input of every product, with one example: [1, ...].
std::map<std::string, Tensor> mean_inputs(Model& model, std::span<const Tensor> batches) {
  std::map<std::string, Tensor> means;
  int64_t examples = 0;
  for (const Tensor& batch : batches) examples += batch.shape()[0];
  for (const Tensor& batch : batches)
    for (const auto& [layer, look] : look_at_products(model, batch)) {
      const int64_t times = look.x.shape()[0] / batch.shape()[0];  // that the layer was run
      const Tensor part = scaled(sum(look.x, {0}, true), 1 / static_cast<double>(examples * times));
      Tensor& mean = means[layer];
      mean = mean ? add(mean, part) : part;
    }
  return means;
}

// The mean over all places of each channel of a layer's product: [O].
Tensor mean_output(const LayerLine& line, const Tensor& mean_input, const Tensor& w) {
  const Tensor y = product_of(line, mean_input, Var(w)).tensor();
  const Tensor rows = y.reshape(Shape{y.size() / y.shape().back(), y.shape().back()});
  return scaled(sum(rows, {0}), 1 / static_cast<double>(rows.shape()[0]));
}

Tensor outcome_of(const LayerLine& line, const ProductLook& look) {
  return product_of(line, look.x, Var(look.w), look.b ? Var(look.b) : Var()).tensor();
}

Tally noise_between(const Tensor& is, const Tensor& was) {
  Tally t;
  t.signal = sum_of_squares(was);
  t.noise = sum_of_squares(zip(is, was, [](auto a, auto b) { return a - b; }));
  return t;
}

}  // namespace

std::vector<Tensor> calibration_batches(const Dataset& data, int64_t examples, uint64_t seed) {
  LoaderOptions o;
  o.batch = kBatch;
  o.shuffle = true;
  o.seed = static_cast<int64_t>(seed);
  std::vector<Tensor> batches;
  BatchStream stream = Loader(data, data.train, o).epoch(0);
  for (auto b = stream.next(); b && examples > 0; b = stream.next()) {
    const int64_t taken = std::min(examples, b->size());
    batches.push_back(b->x.rows(0, taken));
    examples -= taken;
  }
  return batches;
}

void calibrate(Model& model, Model& reals, std::span<const Tensor> batches) {
  Lenses lenses;
  model.visit(lenses);
  for (Param* p : lenses.params)
    if (p->lens && p->value) show(*p->lens, p->mask ? zip(p->value, p->mask, [](auto w, auto m) { return w * m; }) : p->value);
  Context context(nullptr, Mode::eval);
  context.watch([&](const Look& look) {
    const auto found = lenses.all.find(look.lens.name);
    const bool flows = look.lens.role == Role::input || look.lens.role == Role::activations;
    if (flows && found != lenses.all.end()) show(*found->second, look.x.tensor());
  });
  for (const Tensor& batch : batches) reals.forward(context, batch);
}

std::vector<std::string> correct_bias(Model& model, Model& reals, std::span<const Tensor> batches) {
  std::vector<std::string> lines;
  const std::map<std::string, Tensor> wanted = mean_inputs(reals, batches);
  const std::map<std::string, ProductLook> weights = look_at_products(reals, batches.front());
  for (const LayerLine& line : model.lines()) {
    if (!line.product) continue;
    Param* bias = find_param(model, line.name + ".bias");
    if (!bias) {
      lines.push_back(fmt::format("{}: has no bias to correct", line.name));
      continue;
    }
    const Tensor found = mean_inputs(model, batches).at(line.name), w = look_at_products(model, batches.front()).at(line.name).w;
    const Tensor change = zip(mean_output(line, wanted.at(line.name), weights.at(line.name).w), mean_output(line, found, w),
                              [](auto right, auto is) { return right - is; });
    bias->value = add(bias->value, change);
    lines.push_back(fmt::format("{}: bias corrected by at most {:.3g}", line.name, largest_magnitude(change)));
  }
  return lines;
}

std::vector<LayerNoise> noise_by_layer(Model& model, Model& reals, std::span<const Tensor> batches) {
  std::map<std::string, std::array<Tally, 3>> sums;  // weights, input, output
  for (const Tensor& batch : batches) {
    const auto found = look_at_products(model, batch), right = look_at_products(reals, batch);
    for (const LayerLine& line : model.lines()) {
      if (!line.product) continue;
      const ProductLook &is = found.at(line.name), &was = right.at(line.name);
      auto& [weights, input, output] = sums[line.name];
      weights += noise_between(is.w, was.w);
      input += noise_between(is.x, was.x);
      output += noise_between(outcome_of(line, is), outcome_of(line, was));
    }
  }
  std::vector<LayerNoise> noise;
  for (const LayerLine& line : model.lines())
    if (line.product) {
      const auto& [weights, input, output] = sums[line.name];
      noise.push_back({line.name, weights.sqnr_db(), input.sqnr_db(), output.sqnr_db()});
    }
  return noise;
}

}  // namespace lp
