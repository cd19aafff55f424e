// lptrain shrink: a trained network made physically smaller.
#include "lptrain/app/shrink_run.h"
#include "lptrain/base/text.h"
#include "rows.h"
#include "run_and_compare.h"

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
  return run_and_compare(arguments,
                         shrunk_config(arguments.text("RUN"), low_rank_of(arguments),
                                       arguments.integer("finetune", 0, 1'000'000).value_or(0), assignments_of(arguments)),
                         compare_shrunk);
}

}  // namespace lp
