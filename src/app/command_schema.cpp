// lptrain schema: what may stand in a config, for editors and other programs.
#include "lptrain/app/console.h"
#include "lptrain/app/run_schema.h"
#include "lptrain/app/sweep_spec.h"
#include "lptrain/base/files.h"
#include "rows.h"

namespace lp {

// With --out the file is replaced: it can always be made again.
int command::schema(const Arguments& arguments) {
  const Console console(arguments);
  const Document whole = arguments.has("sweep") ? lp::schema<SweepSpec>("lptrain sweep") : run_schema();
  const Document shown = arguments.has("field") ? schema_of_field(whole, arguments.text("field")) : whole;
  if (!arguments.has("out")) {
    console.print("{}", shown.dump());
    console.json(shown);
    return 0;
  }
  write_file(arguments.text("out"), shown.dump() + "\n");
  console.say("wrote {}", arguments.text("out"));
  console.json(shown);
  return 0;
}

}  // namespace lp
