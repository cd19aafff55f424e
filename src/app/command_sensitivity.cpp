// lptrain sensitivity: what narrowing or pruning one layer at a time does to a trained network.
#include "lptrain/app/config_source.h"
#include "lptrain/app/narrowing.h"
#include "lptrain/app/pruning_sensitivity.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/sensitivity.h"
#include "lptrain/app/trained.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

constexpr const char* kBits = "8,6,4,3,2,1";

Narrowed narrowed_in(const Arguments& arguments) {
  Narrowed narrowed = Narrowed::both;
  if (arguments.has("role")) detail::word_slot(narrowed).set(arguments.text("role"));
  return narrowed;
}

Sensitivity narrowed(const Arguments& arguments, const Console& console) {
  for (const char* option : {"pattern", "criterion"})
    require(!arguments.has(option), "sensitivity: --{} is of pruning; give --sparsity, too", option);
  const std::vector<Format> formats = formats_in(arguments.has("bits") ? arguments.text("bits") : kBits);
  const Narrowed roles = narrowed_in(arguments);
  return sensitivity_of(trained_of(arguments), formats, roles, console);
}

Sensitivity pruned(const Arguments& arguments, const Console& console) {
  for (const char* option : {"bits", "role"})
    require(!arguments.has(option), "sensitivity: --sparsity prunes, and --{} narrows: one at a time", option);
  const std::vector<double> sparsities = sparsities_in(arguments.text("sparsity"));
  const Choice<Criterion> criterion(arguments.has("criterion") ? arguments.text("criterion") : "magnitude");
  const Pattern pattern = arguments.has("pattern") ? Pattern::parse(arguments.text("pattern")) : Pattern{};
  return sensitivity_to_pruning(trained_of(arguments), sparsities, criterion, pattern, console);
}

}  // namespace

int command::sensitivity(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const Sensitivity s = arguments.has("sparsity") ? pruned(arguments, console) : narrowed(arguments, console);
  console.print("{}\n\n{} of the {} {} examples are right as it is", table_text(sensitivity_cells(s)), percent(s.accuracy),
                grouped(s.examples), s.split);
  if (arguments.has("csv")) write_file(arguments.text("csv"), sensitivity_csv(s));
  if (arguments.has("svg")) write_file(arguments.text("svg"), sensitivity_svg(s));
  console.json(write(s));
  return 0;
}

}  // namespace lp
