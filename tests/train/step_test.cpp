// Steps, alone and in a trainer: what the first ones asked of memory serves all that follow, and their scores add up.
#include "lptrain/train/step.h"

#include <doctest/doctest.h>

#include "lptrain/train/trainer.h"
#include "support/places.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

const char* const kPrecisions[] = {
    "{}",
    R"({"weights": "bf16", "activations": "bf16", "errors": "bf16"})",
    R"({"weights": {"format": "int8", "narrow": true, "per": "channel"}, "activations": {"format": "int8", "scale": "ema"},
        "errors": {"format": "int8", "rounding": "stochastic"}, "state": "bf16"})",
};

RunConfig config_of(const std::string& precision) {
  const std::string text = R"({"model": {"layers": [
      {"conv2d": {"out": 8, "kernel": 3, "pad": 1}}, "batch_norm", "relu", "max_pool2d", "flatten", {"linear": {"out": 16}},
      "relu", {"dropout": {"rate": 0.2}}, {"linear": {}}]},
    "dataset": {"name": "shapes", "limit": 150}, "precision": )" +
                           precision + R"(,
    "train": {"epochs": 5, "batch": 32, "optimizer": {"adam": {"lr": 0.001}}, "clip_norm": 1}})";
  return read_config(Document::parse(text, "test"));
}

// Epochs of three batches, the last of them short, as a loader makes them.
struct Steps {
  const RunConfig config;
  Model model;
  OptimizerState state;
  Choice<LossScale> loss_scale;
  int64_t done = 0;

  explicit Steps(const std::string& precision)
      : config(config_of(precision)),
        model(config.model, {12, 12, 3}, 2, config.precision, DType::f32, Key(1)),
        loss_scale(config.train.loss_scale) {}

  // Memory when all steps are done, its peak that of these steps.
  MemoryUse take(int epochs) {
    reset_peak();
    for (int epoch = 0; epoch < epochs; ++epoch)
      for (const int64_t size : {32, 32, 11}) {
        const Tensor x = random_normal({size, 12, 12, 3}, Key(static_cast<uint64_t>(done)));
        const std::vector<int32_t> labels(static_cast<size_t>(size), static_cast<int32_t>(done % 2));
        train_step(model, config.phases[0], x, labels, {done, done, 1}, *loss_scale, state);
        ++done;
      }
    return memory_use();
  }
};

// What tensors hold at the end of every epoch, whose score is the last step's.
struct EpochEnds : Watch {
  std::vector<int64_t> live_bytes;
  Running running;
  void step_done(const StepDone& step) override { running = step.epoch; }
  void epoch_done(const EpochScores& scores, bool) override {
    live_bytes.push_back(memory_use().live_bytes);
    CHECK(running.count == scores.train.examples);
    CHECK(running.loss() == scores.train.loss);
    CHECK(running.accuracy() == scores.train.accuracy);
  }
};

}  // namespace

TEST_CASE("neither memory held nor its peak grows from step to step, and after an epoch nothing is asked of the system") {
  for (const char* precision : kPrecisions) {
    CAPTURE(precision);
    Steps steps(precision);
    const MemoryUse first = steps.take(1), later = steps.take(9);
    CHECK(steps.done == 30);
    CHECK(later.live_bytes == first.live_bytes);
    CHECK(later.peak_bytes <= first.peak_bytes);
    CHECK(later.system_requests == first.system_requests);
    CHECK(later.system_bytes == first.system_bytes);
  }
}

TEST_CASE("a trainer holds as much after its last epoch as after its first; steps tell the epoch's score so far") {
  for (const char* precision : kPrecisions) {
    CAPTURE(precision);
    const RunConfig config = config_of(precision);
    const Dataset data = load_dataset(config.dataset, data_folders(source_dir() + "/datasets"));
    EpochEnds ends;
    Trainer trainer(config, data, {&ends});
    const std::atomic<int> stop{0};
    REQUIRE(trainer.run(stop, [](Trainer::Moment) {}));
    REQUIRE(ends.live_bytes.size() == 5);
    for (const int64_t bytes : ends.live_bytes) CHECK(bytes == ends.live_bytes[0]);
  }
}

namespace {

// The loss scale after each step, and the weights in the end; step of training with errors in e4m3 at a scale that does not move.
struct Scaled {
  std::vector<double> scales;
  std::vector<bool> skipped;
  std::vector<float> weights;

  Scaled(const std::string& errors, const std::string& layers) {
    const RunConfig config = read_config(Document::parse(
        fmt::format(R"({{"model": {{"layers": [{}]}}, "dataset": "shapes", "precision": {{"errors": {}}}, "train": {{"batch": 16,
          "optimizer": {{"sgd": {{"lr": 0.1}}}}, "loss_scale": {{"dynamic": {{"initial": 1048576, "interval": 3}}}}}}}})",
                    layers, errors),
        "test"));
    Model model(config.model, {12, 12, 3}, 2, config.precision, DType::f32, Key(1));
    OptimizerState state;
    Choice<LossScale> loss_scale = config.train.loss_scale;
    for (int64_t i = 0; i < 24; ++i) {
      const Tensor x = random_normal({16, 12, 12, 3}, Key(static_cast<uint64_t>(i)));
      const std::vector<int32_t> labels(16, static_cast<int32_t>(i % 2));
      skipped.push_back(train_step(model, config.phases[0], x, labels, {i, i, 1}, *loss_scale, state).skipped);
      scales.push_back(loss_scale->scale());
    }
    for (Param* p : model.params()) weights.insert(weights.end(), p->value.data<float>().begin(), p->value.data<float>().end());
  }
};

}  // namespace

TEST_CASE("a dynamic loss scale sees errors that saturate as it would see infinities") {
  for (const char* layers : {R"("flatten", {"linear": {"out": 16}}, "relu", {"linear": {}})",
                             R"({"conv2d": {"out": 4, "kernel": 3}}, "relu", "max_pool2d", "flatten", {"linear": {}})"}) {
    CAPTURE(layers);
    const Scaled told(R"({"format": "e4m3", "overflow": "infinity"})", layers), cut(R"("e4m3")", layers);
    CHECK(told.scales == cut.scales);
    CHECK(told.skipped == cut.skipped);
    CHECK(told.weights == cut.weights);
    CHECK(std::ranges::count(cut.skipped, true) > 3);
    CHECK(std::ranges::count(cut.skipped, false) > 6);
    CHECK(cut.scales.back() < 65536);
  }
}

TEST_CASE("a scale that is measured clips nothing, and the loss scale is left alone") {
  const Scaled measured(R"({"format": "e4m3", "scale": "absmax"})", R"("flatten", {"linear": {}})");
  CHECK(std::ranges::count(measured.skipped, true) == 0);
  CHECK(measured.scales.back() > 1048576);
}
