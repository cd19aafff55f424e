// Loading what a run left.
#include "lptrain/app/trained.h"

#include "lptrain/base/error.h"
#include "lptrain/base/text.h"
#include "lptrain/train/safetensors.h"

namespace lp {

Trained trained_of(const Arguments& arguments) {
  std::vector<std::string> assignments;
  if (arguments.knows("set")) assignments = arguments.list("set");
  if (arguments.given("limit")) assignments.push_back(fmt::format("dataset.limit={}", *arguments.integer("limit", 1, INT64_MAX)));
  return load_trained(arguments.text("RUN"), arguments.has("last"), arguments.text("data"), assignments);
}

TrainedPair trained_pair(const std::string& source, const std::string& run, bool last, const std::string& data_folder) {
  Trained after = load_trained(run, last, data_folder);
  const std::filesystem::path file = weights_file(source, false);
  Trained before{config_in(read_tensors(file), file), after.data, load_model(file, false, after.data), file};
  return {std::move(before), std::move(after)};
}

std::string split_name(const Arguments& arguments) {
  static const std::vector<std::string> kNames{"train", "validation", "test"};
  const std::string name = arguments.has("split") ? arguments.text("split") : "test";
  for (const std::string& known : kNames)
    if (name == known) return name;
  fail(ErrorKind::usage, "--split: unknown split \"{}\"{}", name, suggestion(name, kNames));
}

Score score_of(const Trained& t, const Subset& split) {
  const TrainSpec& train = t.config.phases.back().train;
  return split.size() > 0 ? evaluate(*t.model, *train.loss, t.data, split, train.eval_batch).score : Score{};
}

const Subset& split_of(const Dataset& data, const std::string& name) {
  const Subset& split = name == "train" ? data.train : name == "validation" ? data.validation : data.test;
  require(split.size() > 0, "--split {}: {} has no {} examples", name, data.name, name);
  return split;
}

}  // namespace lp
