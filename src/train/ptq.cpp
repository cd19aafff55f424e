// A run's beginning, step by step: rewriting, loading, quantizing.
#include "lptrain/train/ptq.h"

#include "lptrain/base/text.h"
#include "lptrain/train/adaround.h"
#include "lptrain/train/calibration.h"
#include "lptrain/train/checkpoint.h"
#include "lptrain/train/run.h"

namespace lp {
namespace {

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

// Gives a model of the network's description its tensors.
void load(const Network& network, const std::string& name, Model& model) {
  TensorFile file;
  for (const auto& [tensor_name, tensor] : network.tensors) file.tensors.emplace_back(tensor_name, tensor);
  const Loaded loaded = load_matching(file, name, model);
  require(loaded.missing.empty() && loaded.unlike.empty(), "{} does not fit its own model; {}", name,
          join(loaded.differences(), "; "));
}

}  // namespace

Rewritten rewritten_source(const RunConfig& config, const Dataset& data) {
  const std::filesystem::path file = weights_file(config.init_from, false);
  TensorFile source = read_tensors(file);
  Rewritten result;
  result.network.spec = config_in(source, file).model;
  if (result.network.spec.layers.empty()) result.network.spec = find_model(result.network.spec.name);
  for (auto& [name, tensor] : source.tensors) result.network.tensors.emplace(name, tensor);
  result.network.input = data.shape;
  result.network.classes = std::ssize(data.classes);
  for (const Choice<Rewriting>& rewriting : config.rewrite) {
    Rewritten next = rewriting->apply(std::move(result.network));
    result.network = std::move(next.network);
    append(result.changes, next.changes);
  }
  return result;
}

Model real_model(const RunConfig& config, const Rewritten& source, const Dataset& data) {
  Model reals(source.network.spec, data.shape, std::ssize(data.classes), Precision{}, config.dtype(), Key(0));
  load(source.network, config.init_from, reals);
  return reals;
}

std::vector<std::string> begin_with(const RunConfig& config, const Rewritten& source, const Dataset& data, Model& model) {
  std::vector<std::string> lines = source.changes;
  load(source.network, config.init_from, model);
  if (!config.ptq) return lines;
  const PtqSpec& ptq = *config.ptq;
  const uint64_t seed = config.phases.front().train.seed;
  Model reals = real_model(config, source, data);
  const std::vector<Tensor> batches = calibration_batches(data, ptq.calibrate, seed);
  calibrate(model, reals, batches);
  lines.push_back(fmt::format("scales measured on {} training examples", std::min<int64_t>(ptq.calibrate, data.train.size())));
  if (ptq.adaround) append(lines, adaround(model, reals, batches, *ptq.adaround));
  if (ptq.correct_bias) append(lines, correct_bias(model, reals, batches));
  return lines;
}

}  // namespace lp
