// Predictions of memory, against what steps then take.
#include "lptrain/train/step_memory.h"

#include <doctest/doctest.h>

#include "lptrain/data/loader.h"
#include "lptrain/train/step.h"

using namespace lp;

namespace {

RunConfig config_of(const char* precision, int64_t batch) {
  return read_config(Document::parse(
      fmt::format(R"({{"model": {{"layers": [{{"conv2d": {{"out": 8, "kernel": 3, "pad": 1}}}}, "relu", "max_pool2d", "flatten",
        {{"linear": {{"out": 32}}}}, "relu", {{"linear": {{}}}}]}}, "dataset": {{"name": "shapes", "limit": 400}},
        "precision": {}, "train": {{"batch": {}, "optimizer": "adam"}}}})",
                  precision, batch),
      "test"));
}

int64_t measured(const RunConfig& config, const Dataset& data) {
  const PhaseSpec& phase = config.phases.back();
  const Loader loader(data, data.train, {.batch = phase.train.batch});
  const int64_t before = memory_use().live_bytes;
  reset_peak();
  Model model(config.model, data.shape, std::ssize(data.classes), phase.precision, config.dtype(), Key(1));
  OptimizerState state;
  Choice<LossScale> scale = phase.train.loss_scale;
  for (int64_t step = 0; step < 4; ++step) {
    const Batch batch = loader.batch(0, step % 2);
    train_step(model, phase, batch.x, batch.labels, {.step = step, .updates = step}, *scale, state);
  }
  return memory_use().peak_bytes - before;
}

}  // namespace

TEST_CASE("tensors of a step are foreseen within a fifth, whatever the precision and the batch") {
  const char* const precisions[] = {"{}", R"({"weights": "bf16", "activations": "bf16", "errors": "bf16"})",
                                    R"({"weights": "int8", "activations": {"format": "uint8", "scale": "ema"}, 
        "errors": {"format": "int8", "scale": "absmax"}})"};
  for (const char* precision : precisions)
    for (const int64_t batch : {4, 32, 128}) {
      CAPTURE(precision);
      CAPTURE(batch);
      const RunConfig config = config_of(precision, batch);
      const Dataset data = load_dataset(config.dataset, data_folders(""));
      const auto predicted = static_cast<double>(predicted_step_bytes(config, data)),
                 wanted = static_cast<double>(measured(config, data));
      CHECK(predicted == doctest::Approx(wanted).epsilon(0.2));
    }
}

TEST_CASE("a larger batch is foreseen to take more, and the process at least what it takes now") {
  const RunConfig small = config_of("{}", 16), large = config_of("{}", 256);
  const Dataset data = load_dataset(small.dataset, data_folders(""));
  CHECK(predicted_step_bytes(large, data) > 4 * predicted_step_bytes(small, data));
  CHECK(predicted_resident_bytes(large, data) > predicted_step_bytes(large, data));
  CHECK(peak_resident_bytes() > memory_use().live_bytes);
}
