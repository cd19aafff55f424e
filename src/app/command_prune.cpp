// lptrain prune: a trained network with fewer weights.
#include "lptrain/app/prune_run.h"
#include "rows.h"
#include "run_and_compare.h"

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
  return run_and_compare(arguments,
                         pruned_config(arguments.text("RUN"), prune_of(arguments),
                                       arguments.integer("finetune", 0, 1'000'000).value_or(0), assignments_of(arguments)),
                         compare_pruned);
}

}  // namespace lp
