// Learning to round.
#include "lptrain/train/adaround.h"

#include <algorithm>
#include <cmath>

#include "lptrain/tensor/math.h"
#include "product_looks.h"

namespace lp {
namespace {

constexpr double kStretch = 1.2, kShift = -0.1;  // of the sigmoid
constexpr double kBetaFirst = 20, kBetaLast = 2, kWarmup = 0.2;

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }
double h_of(double v) { return std::clamp(kStretch * sigmoid(v) + kShift, 0.0, 1.0); }
double slope_of(double v) {
  const double p = sigmoid(v), h = kStretch * p + kShift;
  return h > 0 && h < 1 ? kStretch * p * (1 - p) : 0;
}
double start_of(double fraction) { return -std::log(kStretch / (fraction - kShift) - 1); }

// A layer's weights on their grid, between the two neighbours of each.
struct RoundingChoice {
  Tensor step, below;     // f64: the distance of neighbours, and the lower one in units of it
  std::vector<double> v;  // h(v) is the way from the lower to the upper one

  Tensor weights(const DType type, bool is_hard) const {
    Tensor w(step.shape(), DType::f64);
    for (size_t i = 0; i < v.size(); ++i) {
      const double h = is_hard ? (h_of(v[i]) >= 0.5 ? 1 : 0) : h_of(v[i]);
      w.data<double>()[i] = step.data<double>()[i] * (below.data<double>()[i] + h);
    }
    return convert(w, type);
  }
};

// Why the layer stays as it is, or "".
std::string why_left(const Quantizer& q) {
  if (!q.format.is_integer_grid()) return fmt::format("{} is no integer grid", q.format.name());
  if (q.offset || q.decision || q.per.kind == Per::Kind::block)
    return "its quantizer has blocks, an offset or a decision of its own";
  return "";
}

RoundingChoice begin(const Look& look) {
  const Quantizer& q = *look.how.quantizer;
  const Format grid = q.grid();
  const Tensor w = convert(look.x.tensor(), DType::f64);
  const Lanes lanes = lanes_of(w.shape(), q.per, look.how.axis);
  const double unit = std::ldexp(1.0, -grid.fraction_bits), low = static_cast<double>(grid.lo() - look.how.zero_point),
               high = static_cast<double>(grid.hi() - look.how.zero_point);
  RoundingChoice r{Tensor(w.shape(), DType::f64), Tensor(w.shape(), DType::f64),
                   std::vector<double>(static_cast<size_t>(w.size()))};
  for (int64_t i = 0; i < w.size(); ++i) {
    const size_t at = static_cast<size_t>(i), lane = static_cast<size_t>(i / lanes.inner % lanes.channels);
    const double step = static_cast<double>(look.scale.data<float>()[lane]) * unit;
    const double u = std::clamp(w.data<double>()[at] / step, low, high), below = std::min(std::floor(u), high - 1);
    r.step.data<double>()[at] = step;
    r.below.data<double>()[at] = below;
    r.v[at] = start_of(std::clamp(u - below, 0.0, 1.0));
  }
  return r;
}

// The inputs of a layer in both networks, and what its product should be.
struct Example {
  Tensor x, y;
};

std::vector<Example> examples_for(const LayerLine& line, Model& model, Model& reals, std::span<const Tensor> batches) {
  std::vector<Example> examples;
  for (const Tensor& batch : batches) {
    const ProductLook real = look_at_products(reals, batch).at(line.name);
    examples.push_back({look_at_products(model, batch).at(line.name).x, product_of(line, real.x, Var(real.w)).tensor()});
  }
  return examples;
}

double rows_of(const Tensor& y) { return static_cast<double>(y.size() / y.shape().back()); }

double error_of(const LayerLine& line, const std::vector<Example>& examples, const Tensor& w) {
  double squares = 0;
  for (const Example& e : examples)
    squares += sum_of_squares(zip(product_of(line, e.x, Var(w)).tensor(), e.y, [](auto is, auto right) { return is - right; }));
  return squares;
}

// dL/dw of the mean square error of one batch.
Tensor gradient_of(const LayerLine& line, const Example& e, const Tensor& w) {
  Tape tape;
  const Var leaf = tape.leaf(w), y = product_of(line, e.x, leaf);
  const double factor = 2 / rows_of(e.y);
  const Tensor dy =
      zip(y.tensor(), e.y, [factor](auto is, auto right) { return static_cast<decltype(is)>(factor) * (is - right); });
  return convert(tape.backward(y, dy).of(leaf), DType::f64);
}

double beta_at(double progress) {
  const double annealed = std::clamp((progress - kWarmup) / (1 - kWarmup), 0.0, 1.0);
  return kBetaLast + (kBetaFirst - kBetaLast) * (1 - annealed);
}

void learn(const LayerLine& line, const std::vector<Example>& examples, const AdaRoundSpec& spec, DType type, RoundingChoice& r) {
  Choice<Optimizer> adam("adam");
  Tensor v(Shape{std::ssize(r.v)}, DType::f64);
  std::ranges::copy(r.v, v.data<double>().begin());
  std::vector<Tensor> slots(adam->slots().size(), Tensor());
  for (Tensor& slot : slots) slot = Tensor::zeros(v.shape(), DType::f64);
  for (int64_t step = 0; step < spec.steps; ++step) {
    const double progress = static_cast<double>(step) / static_cast<double>(spec.steps), beta = beta_at(progress);
    const Tensor dw = gradient_of(line, examples[static_cast<size_t>(step) % examples.size()], r.weights(type, false));
    Tensor dv(v.shape(), DType::f64);
    for (size_t i = 0; i < r.v.size(); ++i) {
      const double way = 2 * h_of(r.v[i]) - 1, pull = -2 * beta * std::pow(std::abs(way), beta - 1) * (way < 0 ? -1 : 1);
      const double dh = dw.data<double>()[i] * r.step.data<double>()[i] + (progress < kWarmup ? 0 : spec.regularization * pull);
      dv.data<double>()[i] = dh * slope_of(r.v[i]);
    }
    adam->update({spec.lr, step + 1, false}, v, dv, slots);
    std::ranges::copy(v.data<double>(), r.v.begin());
  }
}

void require_own_scale(const Lens& lens) {
  require(
      lens.quantizer.rule().kind() != Scale::Kind::measured,
      "adaround: the scale \"{}\" of {} is measured on the weights, which AdaRound moves; use {{\"ema\": {{\"of\": ...}}}} or "
      "\"widest\", which calibration measures once",
      lens.quantizer.scale ? lens.quantizer.scale.name() : "absmax", lens.name);
}

std::string round_layer(const LayerLine& line, Model& model, Model& reals, std::span<const Tensor> batches,
                        const AdaRoundSpec& spec) {
  if (!line.tied.empty()) return fmt::format("{}: left as it is: its weights are those of {}", line.name, line.tied);
  Param& p = *find_param(model, line.name + ".weight");
  if (p.lens->is_identity()) return fmt::format("{}: left as it is: its weights are not quantized", line.name);
  if (const std::string why = why_left(p.lens->quantizer); !why.empty())
    return fmt::format("{}: left as it is: {}", line.name, why);
  require_own_scale(*p.lens);
  RoundingChoice rounding;
  Tensor nearest;
  Context context(nullptr, Mode::eval);
  context.watch([&](const Look& look) { rounding = begin(look), nearest = look.y.tensor(); });
  context.param(p);
  const std::vector<Example> examples = examples_for(line, model, reals, batches);
  const double before = error_of(line, examples, nearest);
  learn(line, examples, spec, p.value.dtype(), rounding);
  const Tensor learned = rounding.weights(p.value.dtype(), true);
  const double after = error_of(line, examples, learned);
  if (!(after < before)) return fmt::format("{}: nearest rounding stays: learning found nothing better", line.name);
  p.value = learned;
  return fmt::format("{}: squared error of the output {:.1f} dB lower than with nearest rounding", line.name,
                     10 * std::log10(before / std::max(after, 1e-300)));
}

}  // namespace

std::vector<std::string> adaround(Model& model, Model& reals, std::span<const Tensor> batches, const AdaRoundSpec& spec) {
  std::vector<std::string> lines;
  for (const LayerLine& line : model.lines())
    if (line.product) lines.push_back(round_layer(line, model, reals, batches, spec));
  return lines;
}

}  // namespace lp
