// lptrain summary: what a model costs before anybody trains it.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/model_summary.h"
#include "rows.h"

namespace lp {

int command::summary(const Arguments& arguments) {
  const Console console(arguments);
  const RunConfig config = config_of(arguments.text("CONFIG"), arguments);
  const Dataset data = load_dataset(config.dataset, data_folders(arguments.text("data")));
  const ModelSummary summary = summarize_run(config, data);
  console.print("{}", summary.text());
  console.json(write(summary));
  return 0;
}

}  // namespace lp
