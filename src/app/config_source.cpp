// Finding a config and applying the options that change it.
#include "lptrain/app/config_source.h"

#include <set>

#include "lptrain/base/parallel.h"
#include "lptrain/base/places.h"
#include "lptrain/base/text.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/train/safetensors.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMost = int64_t{1} << 40;
constexpr int64_t kMostSeed = 1'000'000'000'000'000;  // as of train.seed
constexpr int kMostThreads = 1024;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json += '"';
}

Document embedded_config(const fs::path& weights) {
  const TensorFile file = read_tensors(weights);
  const std::string* text = file.note("config");
  if (!text) fail(ErrorKind::data, "{}: holds no config; it was not written by lptrain", weights.string());
  return undamaged([&] { return Document::parse(*text, weights.string() + " (config)"); });
}

}  // namespace

std::vector<std::string> shipped_configs(const std::string& folder) {
  std::set<std::string> names;
  for (const fs::path& place : places("configs")) {
    std::error_code error;
    for (fs::directory_iterator it(place / folder, error), end; !error && it != end; it.increment(error))
      if (it->path().extension() == ".json" && it->path().filename() != "schema.json") names.insert(it->path().stem().string());
  }
  return {names.begin(), names.end()};
}

bool looks_like_config(const std::string& word) { return word.ends_with(".json") || is_file(word); }

fs::path find_config(const std::string& name) {
  if (is_file(name)) return name;
  const std::string file = name.ends_with(".json") ? name : name + ".json";
  for (const fs::path& folder : places("configs"))
    for (const fs::path& path : {folder / file, folder.parent_path() / file})
      if (is_file(path)) return path;
  const std::vector<std::string> known = shipped_configs();
  fail(ErrorKind::usage, "{}: there is no such config{}", name, suggestion(fs::path(name).stem().string(), known));
}

Document document_of(const std::string& source) {
  if (is_folder(source)) {
    const fs::path file = fs::path(source) / "config.json";
    require(
        is_file(file),
        "{}: is a folder without a config.json; wanted a config file, a shipped config's name, a run folder or a weights file",
        source);
    return read_left(file);
  }
  if (is_file(source) && source.ends_with(".safetensors")) return embedded_config(source);
  return Document::load(find_config(source));
}

RunConfig config_of(const std::string& source, const Arguments& arguments) {
  Document document = document_of(source);
  const auto set = [&](std::string_view option, std::string_view path, const std::string& text) {
    document.set(path, text, fmt::format("--{} {}", option, arguments.text(option)));
  };
  if (arguments.given("seed")) set("seed", "train.seed", fmt::format("{}", *arguments.integer("seed", 0, kMostSeed)));
  if (arguments.given("limit")) set("limit", "dataset.limit", fmt::format("{}", *arguments.integer("limit", 1, kMost)));
  if (arguments.given("init-from")) set("init-from", "init_from", quoted(arguments.text("init-from")));
  if (!arguments.knows("set")) return read_config(std::move(document));
  return read_config(std::move(document), arguments.list("set"));
}

std::vector<std::string> assignments_of(const Arguments& arguments) {
  std::vector<std::string> list = arguments.list("set");
  if (const auto limit = arguments.integer("limit", 1, kMost)) list.push_back(fmt::format("dataset.limit={}", *limit));
  if (const auto seed = arguments.integer("seed", 0, kMostSeed)) list.push_back(fmt::format("train.seed={}", *seed));
  return list;
}

void apply_threads(const Arguments& arguments) {
  if (const auto threads = arguments.integer("threads", 1, kMostThreads)) set_thread_count(static_cast<int>(*threads));
}

}  // namespace lp
