// lptrain ptq: a trained network in other formats, without training.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/quantize_run.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/stop.h"
#include "rows.h"

namespace lp {
namespace {

PtqSpec spec_of(const Arguments& arguments) {
  PtqSpec spec;
  spec.calibrate = arguments.integer("calibrate", 1, 1'000'000).value_or(spec.calibrate);
  spec.correct_bias = arguments.has("correct-bias");
  if (arguments.has("adaround")) spec.adaround.emplace();
  return spec;
}

Rewritings rewritings_of(const Arguments& arguments) {
  Rewritings list;
  if (arguments.has("fold-batch-norm")) list.emplace_back("fold_batch_norm");
  if (arguments.has("equalize")) list.emplace_back("equalize");
  return list;
}

// What the run says of its beginning: which layers were folded, equalized, rounded.
struct Notes : Watch {
  const Console& console;
  explicit Notes(const Console& c) : console(c) {}
  void note(const std::string& text) override { console.say("{}", text); }
};

}  // namespace

int command::ptq(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const RunConfig config =
      quantized_config(arguments.text("RUN"), spec_of(arguments), rewritings_of(arguments), assignments_of(arguments));
  Notes notes(console);
  const StopSignals stop;
  const RunOptions options{arguments.text("out"), arguments.text("data"), arguments.words(), {&notes}, run_end(false)};
  const Summary summary = start_run(config, options, stop.flag());
  if (summary.status == "interrupted") return stop.exit_code();
  const QuantizedRun result = compare_quantized(arguments.text("RUN"), summary.run, arguments.text("data"));
  console.print("{}\n\n{}", result.text(), summary.run);
  console.json(write(result));
  return 0;
}

}  // namespace lp
