// lptrain train: from a config to a run folder.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/help.h"
#include "lptrain/app/model_summary.h"
#include "lptrain/app/profile.h"
#include "lptrain/app/progress.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/stop.h"
#include "lptrain/base/files.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/train/integer.h"
#include "lptrain/train/run.h"
#include "lptrain/train/step_recorder.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kUnrecorded = 5, kRecorded = 5;  // steps of a phase, with --profile

// A run goes on as it was begun: what would change it is refused.
void check_resume(const Arguments& arguments) {
  constexpr std::array kChanges{"CONFIG", "set", "out", "init-from", "seed", "limit", "dry-run"};
  for (const char* option : kChanges)
    require(!arguments.has(option),
            "--resume goes on with a run as it was begun, from its own config.json: leave out {}{} (to go on differently, start "
            "a new run with "
            "--init-from {})",
            option == kChanges[0] ? "" : "--", option, arguments.text("resume"));
}

// Everything a run would need is made, and shown; nothing is written.
int dry_run(const RunConfig& config, const Arguments& arguments, const Console& console) {
  const Dataset data = load_dataset(config.dataset, data_folders(arguments.text("data")));
  Model initial = made_model(config, config.phases.front(), data.shape, std::ssize(data.classes));
  if (config.compute == Compute::integer) require_integers(config, initial);
  const ModelSummary model = summarize_run(config, data);
  console.print("{}", model.text());
  for (const PhaseSpec& phase : config.phases) {
    const int64_t steps = (data.train.size() + phase.train.batch - 1) / phase.train.batch;
    console.print("{}: {} epochs of {} steps, batches of {} ({} training, {} validation, {} test examples), {}", phase.name,
                  phase.train.epochs, steps, phase.train.batch, data.train.size(), data.validation.size(), data.test.size(),
                  phase.train.optimizer.name());
  }
  for (const std::string& line : initialize(config, initial)) console.print("{}", line);
  console.print("everything checked; nothing was written");
  console.json(write(model));
  return 0;
}

void report(const Summary& summary, const Console& console) {
  console.print("{}", score_table(summary));
  console.print("{}", size_line(summary));
  console.print("{}: {} epochs in {}, in {}", summary.name, summary.epochs, human_seconds(summary.seconds), summary.run);
  console.json(write(summary));
}

int conclude(const Summary& summary, const Arguments& arguments, const Console& console, const StopSignals& stop) {
  if (summary.status == "interrupted") {
    console.say("interrupted after {} epochs; everything is saved. Go on with: lptrain train --resume {}", summary.epochs,
                summary.run);
    console.json(write(summary));
    return stop.exit_code();
  }
  report(summary, console);
  const int code = verdict_on_searches(summary);
  return std::max(code, verdict_on(arguments, summary.test.accuracy, "the last epoch's test accuracy"));
}

// Unless told otherwise, as many threads as the run was begun with: float sums then have the same bits.
void apply_threads_of(const std::string& folder, const Arguments& arguments) {
  const std::filesystem::path meta = std::filesystem::path(folder) / "meta.json";
  std::error_code error;
  if (arguments.has("threads") || !std::filesystem::exists(meta, error)) return;
  const Document document = read_left(meta);
  const int threads = document.has("threads") ? std::atoi(document.text_at("threads").c_str()) : 0;
  if (threads > 0) set_thread_count(threads);
}

int resume(const Arguments& arguments, const RunOptions& options, const Console& console) {
  check_resume(arguments);
  apply_threads_of(arguments.text("resume"), arguments);
  const StopSignals stop;
  return conclude(resume_run(arguments.text("resume"), options, stop.flag()), arguments, console, stop);
}

int start(const Arguments& arguments, const RunOptions& options, const Console& console) {
  const RunConfig config = config_of(arguments.text("CONFIG"), arguments);
  if (arguments.has("dry-run")) return dry_run(config, arguments, console);
  int64_t epochs = 0;
  for (const PhaseSpec& phase : config.phases) epochs += phase.train.epochs;
  console.say("{}: {} on {}, {} epochs, seed {}", config.name,
              config.model.name.empty() ? "a model of its own" : config.model.name,
              config.dataset.name.empty() ? "files of its own" : config.dataset.name, epochs, config.phases.front().train.seed);
  const StopSignals stop;
  return conclude(start_run(config, options, stop.flag()), arguments, console, stop);
}

// What `measure` does at the end of a run, and the spans of some steps beside it, in trace.json.
std::function<void(RunEnd&)> with_trace(std::function<void(RunEnd&)> measure, const std::vector<Span>& spans) {
  return [measure = std::move(measure), &spans](RunEnd& run) {
    if (!spans.empty()) write_file(run.folder / "trace.json", trace_json(spans));
    measure(run);
  };
}

}  // namespace

int command::train(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  (void)least_demanded(arguments);  // a wrong one is told before the training, not after
  require(arguments.has("CONFIG") || arguments.has("resume"),
          "train: wants a CONFIG or --resume RUN (see `lptrain train --help`)");
  console.detail("{}", version_text(true));
  ProgressWatch progress(is_terminal(stderr));
  std::vector<Span> spans;
  StepRecorder recorder(kUnrecorded, kRecorded, [&](const std::vector<Span>& found, double) { spans = found; });
  RunOptions options{arguments.text("out"),
                     arguments.text("data"),
                     arguments.words(),
                     {},
                     with_trace(run_end(!arguments.has("no-latency")), spans)};
  if (arguments.has("profile")) options.watches.push_back(&recorder);
  if (console.shows_progress()) options.watches.push_back(&progress);
  return arguments.has("resume") ? resume(arguments, options, console) : start(arguments, options, console);
}

}  // namespace lp
