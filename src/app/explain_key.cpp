// Explaining a key of run configs.
#include <algorithm>
#include <set>

#include "lptrain/app/config_values.h"
#include "lptrain/app/console.h"
#include "lptrain/app/explain.h"
#include "lptrain/app/run_schema.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

using Parts = std::vector<std::string>;

bool matches(const Parts& pattern, const Parts& path) {
  return std::ranges::equal(pattern, path, [](const std::string& p, const std::string& part) { return p == part || p == "*"; });
}

bool ends_with_key(const std::string& path, const std::string& word) {
  return path == word || path.ends_with(fmt::format(".{}", word));
}

// "train.lr" for "train.optimizer.adam.lr": the last key is there, the others are in order.
bool shortens(const std::string& word, const std::string& path) {
  const Parts wanted = split(word, '.'), parts = split(path, '.');
  size_t found = 0;
  for (const std::string& part : parts) found += found < wanted.size() && wanted[found] == part;
  return found == wanted.size() && wanted.back() == parts.back();
}

// In a resolved config a choice whose fields are all at their default is its name alone: does it stand for this field of it?
bool is_default_of_choice(const Document& config, const std::string& path) {
  Parts parts = split(path, '.');
  if (parts.size() < 3) return false;
  const std::string row = parts[parts.size() - 2];
  parts.resize(parts.size() - 2);
  const std::string choice = join(parts, ".");
  return config.has(choice) && !config.is_object(choice) && config.text_at(choice) == row;
}

// The rows of a choice have keys below them, but no line of their own.
FieldHelp row_of_choice(const std::string& path) { return {path, "choice", "", "", doc_of_choice(path)}; }

std::optional<FieldHelp> found_as_path(const std::string& word, const std::vector<FieldHelp>& help) {
  const Parts path = split(word, '.');
  for (const FieldHelp& line : help)
    if (matches(split(line.path, '.'), path)) return line;
  for (const FieldHelp& line : help) {
    Parts start = split(line.path, '.');
    if (start.size() <= path.size()) continue;
    start.resize(path.size());
    if (matches(start, path)) return row_of_choice(join(start, "."));
  }
  return {};
}

// Keys that a word is the end of, or else leaves words out of; of several those that the config has, if it has any.
std::vector<FieldHelp> found_by_end(const std::string& word, const RunConfig* config) {
  std::vector<FieldHelp> ends = own_help(), shortened = ends, had;
  std::erase_if(ends, [&](const FieldHelp& line) { return !ends_with_key(line.path, word); });
  std::erase_if(shortened, [&](const FieldHelp& line) { return !shortens(word, line.path); });
  if (ends.empty()) ends = shortened;
  const auto has = [&](const FieldHelp& line) {
    return config->document.has(line.path) || is_default_of_choice(config->document, line.path);
  };
  if (config) std::ranges::copy_if(ends, std::back_inserter(had), has);
  return had.empty() ? ends : had;
}

std::optional<FieldHelp> one_of(const std::vector<FieldHelp>& found, const std::string& word) {
  if (found.empty()) return {};
  std::vector<std::string> paths;
  for (const FieldHelp& line : found) paths.push_back(line.path);
  require(found.size() == 1, "explain: several keys end with \"{}\": {}", word, join(paths));
  return found.front();
}

std::vector<KeyLine> keys_below(const std::string& path, const std::vector<FieldHelp>& help) {
  const size_t depth = split(path, '.').size();
  std::vector<KeyLine> keys;
  std::set<std::string> seen;
  for (const FieldHelp& line : help) {
    if (!line.path.starts_with(path + ".")) continue;
    Parts parts = split(line.path, '.');
    const bool is_own = parts.size() == depth + 1;
    parts.resize(depth + 1);
    const std::string below = join(parts, ".");
    if (seen.insert(below).second) keys.push_back({below, is_own ? line.doc : doc_of_choice(below)});
  }
  return keys;
}

}  // namespace

void KeyLine::fields(Fields& f) {
  f("path", path, "dotted");
  f("doc", doc, "what it is");
}

void KeyExplanation::fields(Fields& f) {
  f("path", path, "dotted; * stands for elements");
  f("doc", doc, "what it is");
  f("type", type, "of the value");
  f("allowed", allowed, "values; empty: any of the type");
  f("default", fallback, "if it is left out");
  f("value", value, "in the config, as JSON");
  f("origin", origin, "of that value");
  f("keys", keys, "directly below");
}

std::string KeyExplanation::text() const {
  std::string text = fmt::format("{}: {}", path, doc);
  Cells facts;
  for (const auto& [name, fact] :
       {std::pair("type", type), {"allowed", allowed}, {"default", fallback}, {"value", value}, {"origin", origin}})
    if (!fact.empty()) facts.push_back({fmt::format("  {}", name), fact});
  if (!facts.empty()) text += fmt::format("\n{}", table_text(facts));
  if (keys.empty()) return text;
  Cells below;
  for (const KeyLine& key : keys) below.push_back({fmt::format("  {}", key.path), key.doc});
  return fmt::format("{}\n\nkeys\n{}", text, table_text(below));
}

std::optional<KeyExplanation> explain_key(const std::string& word, const RunConfig* config, const Document* source) {
  const std::vector<FieldHelp> help = run_help();
  auto line = found_as_path(word, help);
  const bool is_path = line.has_value();
  if (!line) line = one_of(found_by_end(word, config), word);
  if (!line) return {};
  KeyExplanation key{line->path, line->doc, line->type, line->allowed, line->fallback, "", "", keys_below(line->path, help)};
  const std::string place = is_path ? word : line->path;
  if (!config) return key;
  // A choice whose fields are all at their default is resolved to its name alone.
  const Document* holder = config->document.has(place) ? &config->document : source->has(place) ? source : nullptr;
  if (holder) key.value = holder->at(place).dump(0);
  if (holder) key.origin = origin_of(*source, place, key.value);
  if (!holder && is_default_of_choice(config->document, place)) key.value = key.fallback, key.origin = "default";
  return key;
}

bool names_key(const std::string& word, const RunConfig* config) {
  return found_as_path(word, run_help()) || found_by_end(word, config).size() == 1;
}

std::vector<std::string> key_words() {
  std::set<std::string> words;
  for (const FieldHelp& line : run_help()) words.insert(split(line.path, '.').back());
  words.erase("*");
  return {words.begin(), words.end()};
}

}  // namespace lp
