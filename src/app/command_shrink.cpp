// lptrain shrink: a trained network made physically smaller.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/progress.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/shrink_run.h"
#include "lptrain/app/stop.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

std::optional<LowRank> low_rank_of(const Arguments& arguments) {
  LowRank how;
  how.rank = arguments.integer("rank", 1, 1'000'000);
  how.energy = arguments.number("energy", 0, 1);
  if (arguments.has("layers")) how.layers = split(arguments.text("layers"), ',');
  require(!how.rank || !how.energy, "--rank and --energy both say how thin layers become: give one");
  require(how.rank || how.energy || !arguments.has("layers"), "--layers says what is factored: give --rank or --energy, too");
  return how.rank || how.energy ? std::optional(how) : std::nullopt;
}

}  // namespace

int command::shrink(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const RunConfig config = shrunk_config(arguments.text("RUN"), low_rank_of(arguments),
                                         arguments.integer("finetune", 0, 1'000'000).value_or(0), assignments_of(arguments));
  ProgressWatch progress(console.shows_progress());
  const StopSignals stop;
  const RunOptions options{arguments.text("out"), arguments.text("data"), arguments.words(),
                           console.is_quiet() ? std::vector<Watch*>() : std::vector<Watch*>{&progress}, run_end(false)};
  const Summary summary = start_run(config, options, stop.flag());
  if (summary.status == "interrupted") return stop.exit_code();
  const ShrunkRun result = compare_shrunk(arguments.text("RUN"), summary.run, arguments.text("data"));
  console.print("{}\n\n{}", result.text(), summary.run);
  console.json(write(result));
  return 0;
}

}  // namespace lp
