// The frame of ptq, prune and shrink: a run that begins where another ended, and what became of its network.
#pragma once
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/progress.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/stop.h"

namespace lp {

// Runs the config that was made from RUN; then prints compare(RUN, the new folder, --data), which has text and fields. The exit
// code.
template <class Compare>
int run_and_compare(const Arguments& arguments, const RunConfig& config, const Compare& compare) {
  const Console console(arguments);
  apply_threads(arguments);
  ProgressWatch progress(is_terminal(stderr));
  std::vector<Watch*> watches;
  if (console.shows_progress()) watches.push_back(&progress);
  const StopSignals stop;
  const RunOptions options{arguments.text("out"), arguments.text("data"), arguments.words(), watches,
                           run_end(!arguments.has("no-latency"))};
  const Summary summary = start_run(config, options, stop.flag());
  if (summary.status == "interrupted") return stop.exit_code();
  const auto result = compare(arguments.text("RUN"), summary.run, arguments.text("data"));
  console.print("{}\n\n{}", result.text(), summary.run);
  console.json(write(result));
  return 0;
}

}  // namespace lp
