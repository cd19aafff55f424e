// Incremental quantization: which weights go to the grid, that they stay there, and that the others move as if alone.
#include "lptrain/train/incremental.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/document.h"
#include "lptrain/nn/cost.h"
#include "lptrain/train/step.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

RunConfig config_of(const std::string& optimizer, const std::string& phases, const std::string& scale = "\"widest\"") {
  return read_config(Document::parse(
      fmt::format(
          R"({{"compute": "f64", "model": {{"layers": ["flatten", {{"linear": {{"name": "fc", "out": 5}}}}, "tanh", "linear"]}},
        "dataset": "shapes", "train": {{"batch": 16, "optimizer": {}}},
        "precision": {{"weights": {{"format": "int3", "narrow": true, "scale": {}, "per": "channel"}}}}, "phases": {}}})",
          optimizer, scale, phases),
      "test"));
}

constexpr const char* kHalf =
    R"([{"incremental": {"share": 0.5}}, {"incremental": {"share": 0.75}}, {"incremental": {"share": 1}}])";
constexpr const char* kAny =
    R"([{"incremental": {"share": 0.25, "by": "random"}}, {"incremental": {"share": 0.5, "by": "random"}}])";

struct Net {
  RunConfig config;
  Model model;
  OptimizerState state;
  int64_t step = 0;

  explicit Net(RunConfig c)
      : config(std::move(c)), model(config.model, {12, 12, 3}, 2, config.phases[0].precision, DType::f64, Key(1)) {}

  Param& weights() {
    for (Param* p : model.params())
      if (p->name == "fc.weight") return *p;
    throw Error(ErrorKind::failure, "no weights");
  }
  void enter(size_t phase) {
    model.set_precision(config.phases[phase].precision);
    model.set_trainable(config.phases[phase].trainable);
    keep_held(model, config.phases[phase]);
    hold_share(model, config.phases[phase], Key(5));
  }
  void take(size_t phase, int steps) {
    Choice<LossScale> none("none");
    for (int i = 0; i < steps; ++i, ++step) {
      const Tensor x = random_normal({16, 12, 12, 3}, Key(static_cast<uint64_t>(step)), DType::f64);
      const std::vector<int32_t> labels(16, static_cast<int32_t>(step % 2));
      train_step(model, config.phases[phase], x, labels, {step, step, 1}, *none, state);
    }
  }
};

std::vector<double> numbers(const Tensor& t) {
  const auto d = t.data<double>();
  return {d.begin(), d.end()};
}

// Momentum, decay and Adam: all that could move a weight whose gradient is taken away.
constexpr const char* kOptimizers[] = {R"({"sgd": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}})",
                                       R"({"adam": {"lr": 0.01}})"};

}  // namespace

TEST_CASE("the stated share is held, the largest magnitudes first, each on the grid; the others are as they were") {
  Net net(config_of(kOptimizers[0], kHalf));
  const std::vector<double> before = numbers(net.weights().value);
  net.enter(0);
  const std::vector<double> after = numbers(net.weights().value), held = numbers(net.weights().held);
  CHECK(std::count(held.begin(), held.end(), 1) == static_cast<long>(before.size()) / 2);
  double least_held = 1e9, largest_free = 0;
  const Tensor scale = fit(net.weights().lens->observed, net.weights().lens->quantizer).scale;
  const size_t row = before.size() / 5;
  for (size_t i = 0; i < before.size(); ++i) {
    if (held[i] == 0) {
      CHECK(after[i] == before[i]);
      largest_free = std::max(largest_free, std::abs(before[i]));
      continue;
    }
    least_held = std::min(least_held, std::abs(before[i]));
    const double steps = after[i] / static_cast<double>(scale.data<float>()[i / row]);
    CHECK(steps == doctest::Approx(std::round(steps)));
    CHECK(std::abs(steps) <= 3.0001);
  }
  CHECK(least_held >= largest_free);
}

TEST_CASE(
    "held weights do not move, whatever the optimizer remembers; later phases hold them on; with all of them nothing moves") {
  for (const char* optimizer : kOptimizers) {
    CAPTURE(optimizer);
    Net net(config_of(optimizer, kHalf));
    net.take(0, 3);  // the optimizer remembers something
    std::vector<double> held, values;
    for (size_t phase = 0; phase < 3; ++phase) {
      net.enter(phase);
      const std::vector<double> start = numbers(net.weights().value);
      for (size_t i = 0; i < held.size(); ++i)
        if (held[i] != 0) CHECK(start[i] == values[i]);
      held = phase < 2 ? numbers(net.weights().held) : std::vector<double>(start.size(), 1);
      net.take(phase, 4);
      values = numbers(net.weights().value);
      size_t moved = 0;
      for (size_t i = 0; i < values.size(); ++i) {
        if (held[i] != 0) CHECK(values[i] == start[i]);
        moved += values[i] != start[i];
      }
      CHECK((phase == 2 || moved > values.size() / 8));
    }
    CHECK_FALSE(bool(net.weights().held));
    Context eye(nullptr, Mode::eval);  // seen through the quantizer they are what they are
    const Tensor seen = eye.param(net.weights()).tensor();
    for (size_t i = 0; i < values.size(); ++i) CHECK(seen.data<double>()[i] == doctest::Approx(values[i]).epsilon(1e-6));
  }
}

TEST_CASE("a step moves the free weights as it would if there were no quantizer: w - lr dL/dw of the weights as they stand") {
  Net net(config_of(R"({"sgd": {"lr": 0.1}})", kHalf));
  net.enter(0);
  Net plain(config_of(R"({"sgd": {"lr": 0.1}})", R"([{"precision": {"weights": null}}])"));
  const auto from = net.model.params(), to = plain.model.params();
  REQUIRE(from.size() == to.size());
  for (size_t i = 0; i < from.size(); ++i) to[i]->value = from[i]->value.clone();
  const std::vector<double> start = numbers(net.weights().value), held = numbers(net.weights().held);
  net.take(0, 1);
  plain.take(0, 1);
  const std::vector<double> found = numbers(net.weights().value), wanted = numbers(plain.weights().value);
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == (held[i] != 0 ? start[i] : wanted[i]));
}

TEST_CASE("by chance: the same for the same key, and those of the phase before among them") {
  Net a(config_of(kOptimizers[0], kAny)), b(config_of(kOptimizers[0], kAny));
  a.enter(0);
  b.enter(0);
  const std::vector<double> first = numbers(a.weights().held);
  CHECK(first == numbers(b.weights().held));
  a.enter(1);
  const std::vector<double> second = numbers(a.weights().held);
  CHECK(std::count(second.begin(), second.end(), 1) == static_cast<long>(second.size()) / 2);
  for (size_t i = 0; i < first.size(); ++i) CHECK(second[i] >= first[i]);
}

TEST_CASE("bits of a weight that is partly held: of the grid, of reals, and one that tells which") {
  Net net(config_of(kOptimizers[0], kHalf));
  net.enter(0);
  const ModelCost cost = cost_of(net.model);
  CHECK(cost.layers[1].name == "fc");
  CHECK(cost.layers[1].bits_per_weight > 0.5 * (3 + 64) + 1);
  CHECK(cost.layers[1].bits_per_weight < 0.5 * (3 + 64) + 1.2);  // with a scale for each channel
}

TEST_CASE("a grid that moves with the weights is refused") {
  CHECK_THROWS_WITH_AS(config_of(kOptimizers[0], kHalf, "\"absmax\""), doctest::Contains("a grid that stays where it is"),
                       DocumentError);
}
