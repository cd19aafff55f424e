// Models and runs on disk: what is saved is what is visited.
#include "lptrain/train/checkpoint.h"

#include <algorithm>
#include <set>

#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr std::string_view kOptimizerPrefix = "optimizer:";

// All tensors of a model under their names.
struct Collector : Visitor {
  std::vector<std::pair<std::string, Tensor*>> tensors;
  void param(Param& p) override {
    tensors.emplace_back(p.name, &p.value);
    if (p.mask) tensors.emplace_back(p.name + ".mask", &p.mask);
  }
  void buffer(const std::string& name, Tensor& t) override { tensors.emplace_back(name, &t); }
};

std::vector<std::pair<std::string, Tensor*>> tensors_of(Model& model) {
  Collector c;
  model.visit(c);
  return std::move(c.tensors);
}

TensorFile weights_of(Model& model) {
  TensorFile file;
  for (const auto& [name, tensor] : tensors_of(model))
    if (*tensor) file.tensors.emplace_back(name, *tensor);
  return file;
}

// A mask exists from the first pruning on; a file that has one brings it along.
struct MaskLoader : Visitor {
  const TensorFile& file;
  explicit MaskLoader(const TensorFile& f) : file(f) {}
  void param(Param& p) override {
    if (const Tensor* mask = file.find(p.name + ".mask"); mask && !p.mask) p.mask = *mask;
  }
};

void load_one(const std::string& name, Tensor& into, const Tensor& from, const std::string& file) {
  if (into && from.shape() != into.shape())
    fail(ErrorKind::data, "{}: \"{}\" is {}, the model wants {}", file, name, from.shape().text(), into.shape().text());
  into = into && into.dtype() != from.dtype() ? convert(from, into.dtype()) : from.clone();
}

}  // namespace

void load_weights(const TensorFile& file, const std::string& name, Model& model, bool partial) {
  MaskLoader masks(file);
  model.visit(masks);
  std::set<std::string> used;
  bool is_any_here = false;
  for (const auto& [tensor_name, tensor] : tensors_of(model)) {
    const Tensor* found = file.find(tensor_name);
    used.insert(tensor_name);
    is_any_here = is_any_here || found;
    if (found)
      load_one(tensor_name, *tensor, *found, name);
    else if (*tensor && !partial)
      fail(ErrorKind::data, "{}: no tensor \"{}\"; is it a file of another model?", name, tensor_name);
  }
  if (!is_any_here) fail(ErrorKind::data, "{}: none of its tensors belongs to the model", name);
  for (const auto& [tensor_name, tensor] : file.tensors)
    if (!partial && !used.contains(tensor_name) && !tensor_name.starts_with(kOptimizerPrefix))
      fail(ErrorKind::data, "{}: the model has no tensor \"{}\"", name, tensor_name);
}

void save_weights(const std::filesystem::path& path, Model& model, const RunConfig& config, const Dataset& data) {
  TensorFile file = weights_of(model);
  file.metadata = {{"format", "lptrain"},
                   {"config", config.document.dump(0)},
                   {"input", data.shape.text()},
                   {"classes", join(data.classes, "\n")}};
  write_tensors(path, file);
}

void save_state(const std::filesystem::path& path, Trainer& trainer) {
  TensorFile file = weights_of(trainer.model());
  for (auto& [name, tensor] : trainer.optimizer_state().named())
    file.tensors.emplace_back(std::string(kOptimizerPrefix) + name, tensor);
  file.metadata = {{"format", "lptrain state"}, {"progress", write(trainer.progress()).dump(0)}};
  write_tensors(path, file);
}

void load_state(const std::filesystem::path& path, Trainer& trainer) {
  const TensorFile file = read_tensors(path);
  const std::string* progress = file.note("progress");
  if (!progress) fail(ErrorKind::data, "{}: not a checkpoint of a run (no \"progress\")", path.string());
  read(Document::parse(*progress, path.string()), trainer.progress());
  trainer.enter_phase();
  load_weights(file, path.string(), trainer.model());
  for (const auto& [name, tensor] : file.tensors)
    if (name.starts_with(kOptimizerPrefix))
      trainer.optimizer_state().restore(name.substr(kOptimizerPrefix.size()), tensor.clone());
}

}  // namespace lp
