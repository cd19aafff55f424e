// Small steps, measured by the allocator of tensors.
#include "lptrain/train/step_memory.h"

#include <sys/resource.h>

#include <algorithm>

#include "lptrain/data/loader.h"
#include "lptrain/tensor/storage.h"
#include "lptrain/train/step.h"

namespace lp {
namespace {

constexpr int64_t kFew = 64;  // examples, whose step is simply taken: with few, memory grows by jumps
constexpr int kSteps = 3;     // the first measures ranges that the others know in advance

// What some steps took: bytes that tensors held at most, and bytes that the system had to give for them.
struct Taken {
  int64_t held, given;
};

Taken taken_by(const RunConfig& config, const Dataset& data, int64_t size) {
  const PhaseSpec& phase = config.phases.back();
  const Loader loader(data, data.train, {.batch = size});
  const MemoryUse before = memory_use();
  reset_peak();
  Model model = made_model(config, phase, data.shape, std::ssize(data.classes));
  OptimizerState state;
  Choice<LossScale> loss_scale = phase.train.loss_scale;
  const Batch batch = loader.batch(0, 0);
  for (int step = 0; step < kSteps; ++step)
    train_step(model, phase, batch.x, batch.labels, {.step = step, .updates = step, .lr_factor = 0}, *loss_scale, state);
  const MemoryUse after = memory_use();
  return {after.peak_bytes - before.live_bytes, after.system_bytes - before.system_bytes};
}

// Blocks wait for tensors of their own size, so more is given than is ever held. The first steps of a process tell how much more.
double overhead_of(const Taken& first) {
  return std::max(1.0, static_cast<double>(first.given) / static_cast<double>(first.held));
}

struct Foreseen {
  int64_t held;
  double overhead;
};

Foreseen foresee(const RunConfig& config, const Dataset& data) {
  const int64_t batch = std::min(config.phases.back().train.batch, data.train.size()), large = batch / 2, small = batch / 4;
  const bool is_few = batch <= kFew;
  const Taken above = taken_by(config, data, is_few ? batch : large);
  if (is_few) return {above.held, overhead_of(above)};
  const Taken below = taken_by(config, data, small);
  return {above.held + (above.held - below.held) * (batch - large) / (large - small), overhead_of(above)};
}

}  // namespace

int64_t predicted_step_bytes(const RunConfig& config, const Dataset& data) { return foresee(config, data).held; }

int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

int64_t predicted_resident_bytes(const RunConfig& config, const Dataset& data) {
  release_idle_memory();
  const Foreseen step = foresee(config, data);
  const MemoryUse use = memory_use();
  release_idle_memory();  // else what these steps left would add to what the training will take
  const int64_t without_tensors = std::max<int64_t>(peak_resident_bytes() - use.system_bytes, 0);
  return without_tensors + use.live_bytes + static_cast<int64_t>(step.overhead * static_cast<double>(step.held));
}

}  // namespace lp
