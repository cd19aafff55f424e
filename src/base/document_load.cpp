// Files that extend other files: "extends" is resolved here, before anybody reads the values.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "document_state.h"
#include "lptrain/base/files.h"

namespace lp {
namespace {

using json::List;
using json::Object;
using json::Place;
using json::Value;
namespace fs = std::filesystem;

class Loader {
 public:
  // `from` is the place that asked for the file; a place without source is the caller himself.
  Value load(const fs::path& file, const Place& from) {
    std::error_code ignored;
    const fs::path canonical = fs::weakly_canonical(file, ignored);
    refuse_cycle(file, canonical, from);
    open_.emplace_back(canonical, file.string());
    Value value = resolved(json::parse(text_of(file, from), std::make_shared<const json::Source>(file.string())), file);
    open_.pop_back();
    return value;
  }

 private:
  static std::string text_of(const fs::path& file, const Place& from) {
    try {
      return read_file(file, json::kLongestText);
    } catch (const Error& error) {
      json::fail_at(from.source ? from : Place::whole(file.string()), "", error.what());
    }
  }

  void refuse_cycle(const fs::path& file, const fs::path& canonical, const Place& from) {
    constexpr int kMostFiles = 100;
    if (++files_ > kMostFiles) json::fail_at(from, "extends", fmt::format("more than {} files extend one another", kMostFiles));
    const bool is_open = std::any_of(open_.begin(), open_.end(), [&](const auto& other) { return other.first == canonical; });
    if (!is_open) return;
    std::string chain;
    for (const auto& [path, name] : open_) chain += name + " -> ";
    json::fail_at(from, "extends", fmt::format("extends itself: {}{}", chain, file.string()));
  }

  Value resolved(Value own, const fs::path& file) {
    const Value* extends = own.find("extends");
    if (!extends) return own;
    Value whole{Object{}, {}};
    for (const Value& base : bases(*extends)) {
      const fs::path path = (file.parent_path() / base.as<std::string>()).lexically_normal();
      json::merge(whole, load(path, base.place));
    }
    own.drop("extends");
    json::merge(whole, own);
    return whole;
  }

  static List bases(const Value& extends) {
    List list = extends.is<List>() ? extends.as<List>() : List{extends};
    for (const Value& base : list)
      if (!base.is<std::string>())
        json::fail_at(base.place, "extends",
                      fmt::format("extends must be a file name or a list of them, found {}", json::described(base)));
    return list;
  }

  std::vector<std::pair<fs::path, std::string>> open_;  // canonical path, name as given
  int files_ = 0;
};

}  // namespace

Document Document::load(const fs::path& file) { return Document(State{Loader().load(file, {})}); }

}  // namespace lp
