// The schema of run configs, and finding one's way in it.
#include "lptrain/app/run_schema.h"

#include "lptrain/base/text.h"
#include "lptrain/train/config.h"

namespace lp {
namespace {

// A run config as it is written: RunConfig reads its phases apart from the top level.
struct WrittenRun : RunConfig {
  void fields(Fields& f) {
    RunConfig::fields(f);
    f("phases", phases, "stages of training over one model, each with what differs from the top level");
  }
};

constexpr std::string_view kReference = "#/definitions/";

// The places in a schema, as paths of its document, where what a place stands for is said: alternatives and references followed.
std::vector<std::string> meanings(const Document& schema, const std::string& place) {
  std::vector<std::string> all{place};
  const std::string inside = place.empty() ? "" : place + ".";
  const auto add = [&](const std::string& other) {
    const auto more = meanings(schema, other);
    all.insert(all.end(), more.begin(), more.end());
  };
  if (schema.has(inside + "$ref")) add("definitions." + schema.text_at(inside + "$ref").substr(kReference.size()));
  for (const char* keyword : {"anyOf", "allOf", "oneOf"})
    for (size_t i = 0; i < schema.size(inside + keyword); ++i) add(fmt::format("{}{}.{}", inside, keyword, i));
  return all;
}

// Where the schema describes member `key` of what stands at `place`; "" nowhere. Keys that were passed by are noted in `known`.
std::string member_of(const Document& schema, const std::string& place, const std::string& key, std::vector<std::string>& known) {
  for (const std::string& meaning : meanings(schema, place)) {
    const std::string own = meaning.empty() ? "properties" : meaning + ".properties";
    for (const std::string& name : schema.keys(own)) known.push_back(name);
    if (schema.has(own + "." + key)) return own + "." + key;
    for (const char* other : {".additionalProperties", ".items"})
      if (schema.is_object(meaning + other)) return meaning + other;
  }
  return "";
}

// The place of the value at a path of a config.
std::string place_of(const Document& schema, const std::string& path) {
  std::string place;
  for (const std::string& key : split(path, '.')) {
    std::vector<std::string> known;
    const std::string next = member_of(schema, place, key, known);
    require(!next.empty(), "schema: \"{}\" is no key of a config, because of \"{}\"{}", path, key, suggestion(key, known));
    place = next;
  }
  return place;
}

// A part with the definitions that it needs, and those that these need.
Document with_definitions(Document part, const Document& schema) {
  for (bool grows = true; grows;) {
    grows = false;
    const std::string text = part.dump(0);
    for (const std::string& name : schema.keys("definitions")) {
      const std::string place = fmt::format("definitions.{}", name);
      if (part.has(place) || text.find(fmt::format("\"{}{}\"", kReference, name)) == text.npos) continue;
      part.set(place, schema.at(place).dump(0), "schema");
      grows = true;
    }
  }
  return part;
}

}  // namespace

Document run_schema() { return schema<WrittenRun>("lptrain run"); }

std::vector<FieldHelp> run_help() { return help<WrittenRun>(); }

std::vector<FieldHelp> own_help() {
  std::vector<FieldHelp> lines = run_help();
  std::erase_if(lines, [](const FieldHelp& line) {
    return line.path.starts_with("phases.") || line.path.starts_with("precision.overrides.");
  });
  return lines;
}

Document schema_of_field(const Document& schema, const std::string& path) {
  return with_definitions(schema.at(place_of(schema, path)), schema);
}

std::vector<WordHelp> words_at(const std::string& path) {
  static const Document whole = run_schema();
  std::vector<WordHelp> words;
  for (const std::string& meaning : meanings(whole, place_of(whole, path))) {
    if (whole.has(meaning + ".const"))
      words.push_back({whole.text_at(meaning + ".const"), whole.text_at(meaning + ".description")});
    for (const char* list : {".enum", ".examples"})
      for (size_t i = 0; i < whole.size(meaning + list); ++i)
        words.push_back({whole.text_at(fmt::format("{}{}.{}", meaning, list, i)), ""});
  }
  return words;
}

std::string doc_of_choice(const std::string& path) {
  const size_t dot = path.rfind('.');
  if (dot == path.npos) return "";
  for (const WordHelp& w : words_at(path.substr(0, dot)))
    if (w.word == path.substr(dot + 1)) return w.doc;
  return "";
}

}  // namespace lp
