// Reading and finding descriptions of models.
#include <algorithm>
#include <set>

#include "lptrain/base/document.h"
#include "lptrain/base/places.h"
#include "lptrain/base/text.h"
#include "lptrain/nn/model.h"

namespace lp {

namespace fs = std::filesystem;

void ModelSpec::fields(Fields& f) {
  f("name", name, "a file in models/, if there are no layers here");
  f("description", description, "what it is and where it is from");
  f("layers", layers, "layers, in order; the last \"linear\" without \"out\" gives one output per class");
}

std::vector<fs::path> model_folders() { return places("models"); }

std::vector<std::string> model_names(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

ModelSpec find_model(const std::string& name, const std::vector<fs::path>& folders) {
  require(!name.empty(), "the model has neither \"layers\" nor a \"name\"{}", suggestion("", model_names(folders)));
  fs::path file = name;
  if (!name.ends_with(".json")) {
    const auto holds = [&](const fs::path& folder) { return fs::exists(folder / (name + ".json")); };
    const auto folder = std::ranges::find_if(folders, holds);
    std::vector<std::string> searched;
    for (const fs::path& f : folders) searched.push_back(f.string());
    require(folder != folders.end(), "unknown model \"{}\"{} (looked in {})", name, suggestion(name, model_names(folders)),
            join(searched));
    file = *folder / (name + ".json");
  }
  ModelSpec spec;
  read(Document::load(file), spec);
  require(!spec.layers.empty(), "{}: the model has no layers", file.string());
  if (spec.name.empty()) spec.name = file.stem().string();
  return spec;
}

}  // namespace lp
