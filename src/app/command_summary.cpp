// lptrain summary: what a model costs before anybody trains it.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/model_summary.h"
#include "lptrain/train/run.h"
#include "rows.h"

namespace lp {
namespace {

// Of the weights that a run left, or of a model built anew.
ModelSummary summary_of(const Arguments& arguments) {
  const std::string& source = arguments.text("CONFIG");
  if (std::filesystem::exists(std::filesystem::path(source) / "last.safetensors") || source.ends_with(".safetensors")) {
    const Trained t = load_trained(source, false, arguments.text("data"), arguments.list("set"));
    return summarize_run(t.config, t.data, *t.model);
  }
  const RunConfig config = config_of(source, arguments);
  return summarize_run(config, load_dataset(config.dataset, data_folders(arguments.text("data"))));
}

}  // namespace

int command::summary(const Arguments& arguments) {
  const Console console(arguments);
  const ModelSummary summary = summary_of(arguments);
  console.print("{}", summary.text());
  console.json(write(summary));
  return 0;
}

}  // namespace lp
