// Models and runs on disk: what is saved is what is visited.
#include "lptrain/train/checkpoint.h"

#include <algorithm>
#include <set>

#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"

namespace lp {
namespace {

constexpr std::string_view kOptimizerPrefix = "optimizer:", kPrunePrefix = "prune:", kKeptPrefix = "kept:";

bool is_weight_name(std::string_view name) {
  return !name.starts_with(kOptimizerPrefix) && !name.starts_with(kPrunePrefix) && !name.starts_with(kKeptPrefix);
}

// All tensors of a model under their names.
struct Collector : Visitor {
  std::vector<std::pair<std::string, Tensor*>> tensors;
  void param(Param& p) override {
    tensors.emplace_back(p.name, &p.value);
    if (p.mask) tensors.emplace_back(p.name + ".mask", &p.mask);
    if (p.held) tensors.emplace_back(p.name + ".held", &p.held);
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

bool is_mask(const Tensor& t, const Param& p) {
  if (t.shape() != p.value.shape() || !is_real(t.dtype())) return false;
  return visit_real(t.dtype(), [&]<class T>() { return std::ranges::all_of(t.data<T>(), [](T m) { return m == 0 || m == 1; }); });
}

// A mask exists from the first pruning on, held weights in some phases; a file that has them brings them along, one that has
// none knows of none.
struct MaskLoader : Visitor {
  const TensorFile& file;
  explicit MaskLoader(const TensorFile& f) : file(f) {}
  void param(Param& p) override {
    if (!p.value || !file.find(p.name)) return;
    for (const auto& [ending, marks] : {std::pair{".mask", &p.mask}, {".held", &p.held}}) {
      const Tensor* found = file.find(p.name + ending);
      *marks = found && is_mask(*found, p) ? Tensor(p.value.shape(), p.value.dtype()) : Tensor();
    }
  }
};

std::string with_shape(const std::string& name, const Tensor& t) { return name + " " + t.shape().text(); }

// Takes what fits. Buffers that do not exist yet take any shape, and are not missed.
Loaded load(const TensorFile& file, Model& model) {
  MaskLoader masks(file);
  model.visit(masks);
  Loaded loaded;
  std::set<std::string> known;
  for (const auto& [name, into] : tensors_of(model)) {
    const Tensor* from = file.find(name);
    known.insert(name);
    loaded.wanted += from || *into;
    if (from && *into && from->shape() != into->shape()) {
      loaded.unlike.push_back(fmt::format("{} (the file's is {})", with_shape(name, *into), from->shape().text()));
    } else if (from) {
      *into = *into && into->dtype() != from->dtype() ? convert(*from, into->dtype()) : from->clone();
      ++loaded.taken;
      loaded.weights_taken += from->shape().rank() >= 2;
    } else if (*into) {
      loaded.missing.push_back(with_shape(name, *into));
    }
  }
  for (const auto& [name, tensor] : file.tensors)
    if (!known.contains(name) && is_weight_name(name)) loaded.unused.push_back(with_shape(name, tensor));
  return loaded;
}

// The first few, and how many more.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 12;
  const std::span<const std::string> all(names);
  if (all.size() <= kShown) return join(all);
  return fmt::format("{} and {} more", join(all.first(kShown)), all.size() - kShown);
}

}  // namespace

std::vector<std::string> Loaded::differences() const {
  const std::tuple<const std::vector<std::string>&, const char*> kinds[] = {
      {missing, "not in the file"}, {unlike, "of another shape in the file"}, {unused, "in the file, but not in the model"}};
  std::vector<std::string> lines;
  for (const auto& [names, what] : kinds)
    if (!names.empty()) lines.push_back(fmt::format("{}: {}", what, some_of(names)));
  return lines;
}

void load_weights(const TensorFile& file, const std::string& name, Model& model) {
  const std::vector<std::string> differences = load(file, model).differences();
  if (!differences.empty()) fail(ErrorKind::data, "{}: not a file of this model; {}", name, join(differences, "; "));
}

Loaded load_matching(const TensorFile& file, const std::string& name, Model& model) {
  Loaded loaded = load(file, model);
  if (loaded.weights_taken == 0)
    fail(ErrorKind::data, "{}: none of its weights has the name and shape of one of the model; {}", name,
         join(loaded.differences(), "; "));
  return loaded;
}

void save_weights(const std::filesystem::path& path, Model& model, const RunConfig& config, const Dataset& data) {
  TensorFile file = weights_of(model);
  file.metadata = {{"format", "lptrain"},
                   {"config", config.document.dump(0)},
                   {"input", data.shape.text()},
                   {"classes", join(data.classes, "\n")}};
  write_tensors(path, file);
}

TensorFile snapshot_of(Model& model) {
  TensorFile file = weights_of(model);
  for (auto& [name, tensor] : file.tensors) tensor = tensor.clone();
  return file;
}

void save_state(const std::filesystem::path& path, Trainer& trainer) {
  TensorFile file = weights_of(trainer.model());
  for (auto& [name, tensor] : trainer.optimizer_state().named())
    file.tensors.emplace_back(std::string(kOptimizerPrefix) + name, tensor);
  for (auto& [name, tensor] : trainer.pruning().named()) file.tensors.emplace_back(std::string(kPrunePrefix) + name, tensor);
  for (const auto& [name, tensor] : trainer.kept().tensors) file.tensors.emplace_back(std::string(kKeptPrefix) + name, tensor);
  file.metadata = {{"format", "lptrain state"}, {"progress", write(trainer.progress()).dump(0)}};
  write_tensors(path, file);
}

Progress progress_in(const TensorFile& state, const std::filesystem::path& path) {
  const std::string* text = state.note("progress");
  if (!text) fail(ErrorKind::data, "{}: not a checkpoint of a run (no \"progress\")", path.string());
  Progress progress;
  undamaged([&] { read(Document::parse(*text, path.string()), progress); });
  return progress;
}

void load_state(const std::filesystem::path& path, Trainer& trainer) {
  const TensorFile file = read_tensors(path);
  trainer.progress() = progress_in(file, path);
  trainer.enter_phase();
  load_weights(file, path.string(), trainer.model());
  for (const auto& [name, tensor] : file.tensors)
    if (name.starts_with(kOptimizerPrefix))
      trainer.optimizer_state().restore(name.substr(kOptimizerPrefix.size()), tensor.clone());
    else if (name.starts_with(kPrunePrefix))
      trainer.pruning().restore(name.substr(kPrunePrefix.size()), tensor.clone());
    else if (name.starts_with(kKeptPrefix))
      trainer.kept().tensors.emplace_back(name.substr(kKeptPrefix.size()), tensor.clone());
}

}  // namespace lp
