// lptrain sensitivity: what narrowing one layer at a time does to a trained network.
#include "lptrain/app/config_source.h"
#include "lptrain/app/narrowing.h"
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

}  // namespace

int command::sensitivity(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const std::vector<Format> formats = formats_in(arguments.has("bits") ? arguments.text("bits") : kBits);
  const Narrowed narrowed = narrowed_in(arguments);
  const Trained trained = trained_of(arguments);
  const Sensitivity s = sensitivity_of(trained, formats, narrowed, console);
  console.print("{}\n\n{} of the {} {} examples are right as it is", table_text(sensitivity_cells(s)), percent(s.accuracy),
                grouped(s.examples), s.split);
  if (arguments.has("csv")) write_file(arguments.text("csv"), sensitivity_csv(s));
  if (arguments.has("svg")) write_file(arguments.text("svg"), sensitivity_svg(s));
  console.json(write(s));
  return 0;
}

}  // namespace lp
