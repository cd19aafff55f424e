// lptrain prune: a trained network with fewer weights.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/progress.h"
#include "lptrain/app/prune_run.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/stop.h"
#include "rows.h"

namespace lp {
namespace {

// The options that stand for a key of "prune".
Document prune_of(const Arguments& arguments) {
  Document prune = Document::parse("{}", "prune");
  for (const char* key : {"sparsity", "pattern", "criterion", "scope", "schedule"})
    if (arguments.has(key)) prune.set(key, arguments.text(key), fmt::format("--{} {}", key, arguments.text(key)));
  return prune;
}

}  // namespace

int command::prune(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const std::string source = arguments.text("RUN");
  const RunConfig config = pruned_config(source, prune_of(arguments), arguments.integer("finetune", 0, 1'000'000).value_or(0),
                                         assignments_of(arguments));
  ProgressWatch progress(is_terminal(stderr));
  std::vector<Watch*> watches;
  if (console.shows_progress()) watches.push_back(&progress);
  const StopSignals stop;
  const RunOptions options{arguments.text("out"), arguments.text("data"), arguments.words(), watches, run_end(false)};
  const Summary summary = start_run(config, options, stop.flag());
  if (summary.status == "interrupted") return stop.exit_code();
  const PrunedRun result = compare_pruned(source, summary.run, arguments.text("data"));
  console.print("{}\n\n{}", result.text(), summary.run);
  console.json(write(result));
  return 0;
}

}  // namespace lp
