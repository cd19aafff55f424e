// lptrain sweep: many runs that differ in a few values.
#include "lptrain/app/sweep.h"
#include "rows.h"

namespace lp {

int command::sweep(const Arguments& arguments) {
  const Console console(arguments);
  const SweepOutcome outcome = run_sweep(sweep_of(arguments, arguments.text("SWEEP")), arguments, console);
  console.json(write(outcome));
  return static_cast<int>(outcome.exit);
}

}  // namespace lp
