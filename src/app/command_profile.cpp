// lptrain profile: some of the trainer's own steps, under the recorder.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/profile.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/train/step_recorder.h"
#include "lptrain/train/trainer.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kSteps = 10, kWarmUp = 3, kMostSteps = 10000, kEndless = 1'000'000'000;

std::string share_text(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string text_of(const Profile& p) {
  Cells layers{{"layer", "forward", "backward", "share"}}, kernels{{"kernel", "calls", "time", "share"}};
  for (const Profile::Layer& l : p.layers)
    layers.push_back({l.name, human_seconds(l.forward_seconds), human_seconds(l.backward_seconds), share_text(l.share)});
  for (const Profile::Part& part : p.parts)
    layers.push_back({fmt::format("({})", part.name), human_seconds(part.seconds), "", share_text(part.share)});
  for (const Profile::Kernel& k : p.kernels)
    kernels.push_back({k.row.empty() ? k.family : fmt::format("{}: {}", k.family, k.row), fmt::format("{:.4g}", k.calls),
                       human_seconds(k.seconds), share_text(k.share)});
  return fmt::format("{}\n\n{}", table_text(layers), table_text(kernels));
}

// For as long as the recorder wants, and nothing but steps.
struct Recorded {
  std::vector<Span> spans;
  double seconds = 0;
};
Recorded record(RunConfig config, Dataset data, int64_t steps) {
  for (PhaseSpec& phase : config.phases) phase.train.epochs = kEndless;
  data.validation.rows.clear();
  Recorded recorded;
  std::atomic<int> stop = 0;
  StepRecorder recorder(kWarmUp, steps, [&](const std::vector<Span>& spans, double seconds) {
    recorded = {spans, seconds};
    stop = 1;
  });
  Trainer trainer(config, data, {&recorder});
  trainer.run(stop, [](Trainer::Moment) {});
  return recorded;
}

}  // namespace

int command::profile(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const int64_t steps = arguments.integer("steps", 1, kMostSteps).value_or(kSteps);
  const RunConfig config = config_of(arguments.text("CONFIG"), arguments);
  const Recorded recorded = record(config, load_dataset(config.dataset, data_folders(arguments.text("data"))), steps);
  const Profile profile = profile_of(recorded.spans, steps, recorded.seconds);
  console.print("{}\n\n{}: a step of {} examples takes {} (mean of {}, after {})", text_of(profile), config.name,
                config.phases.front().train.batch, human_seconds(profile.step_seconds), steps, kWarmUp);
  if (arguments.has("trace")) {
    write_file(arguments.text("trace"), trace_json(recorded.spans));
    console.print("{}: open it in chrome://tracing or ui.perfetto.dev", arguments.text("trace"));
  }
  console.json(write(profile));
  return 0;
}

}  // namespace lp
