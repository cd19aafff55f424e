// Walking over resolved configs.
#include "lptrain/app/config_values.h"

#include <algorithm>

namespace lp {
namespace {

std::string below(const std::string& path, const std::string& key) {
  const bool quotes = key.find('.') != key.npos;
  return fmt::format("{}{}{}{}{}", path, path.empty() ? "" : ".", quotes ? "\"" : "", key, quotes ? "\"" : "");
}

// The path without its last key; "" above the first.
std::string above(std::string_view path) {
  const bool quoted = path.ends_with('"');
  const size_t end = quoted ? path.rfind('"', path.size() - 2) : path.size();
  const size_t dot = end == 0 ? path.npos : path.rfind('.', quoted ? end - 1 : end);
  return dot == path.npos ? "" : std::string(path.substr(0, dot));
}

void collect(const Document& resolved, const Document& source, const std::string& path, std::vector<ConfigValue>& values) {
  const std::vector<std::string> keys = resolved.keys(path);
  for (const std::string& key : keys) collect(resolved, source, below(path, key), values);
  if (!keys.empty() || path.empty()) return;
  const std::string value = resolved.at(path).dump(0);
  values.push_back({path, value, origin_of(source, path, value)});
}

void compare(const Document& a, const Document& b, const std::string& path, std::vector<ConfigChange>& changes) {
  const bool in_a = a.has(path), in_b = b.has(path);
  if (in_a && in_b && a.is_object(path) && b.is_object(path)) {
    std::vector<std::string> keys = a.keys(path);
    for (const std::string& key : b.keys(path))
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    for (const std::string& key : keys) compare(a, b, below(path, key), changes);
    return;
  }
  const std::string before = in_a ? a.at(path).dump(0) : "", after = in_b ? b.at(path).dump(0) : "";
  if (before != after) changes.push_back({path, before, after});
}

}  // namespace

void ConfigValue::fields(Fields& f) {
  f("path", path, "dotted");
  f("value", value, "as JSON");
  f("origin", origin, "file:line:column, an option, or default");
}

void ConfigChange::fields(Fields& f) {
  f("path", path, "dotted");
  f("before", before, "as JSON; empty if absent");
  f("after", after, "as JSON; empty if absent");
}

// A resolved value may stand as a short form above it: "int8" where the resolved config says {"format": "int8", ...}.
std::string origin_of(const Document& source, std::string_view path, const std::string& value) {
  if (source.has(path)) return source.origin(path);
  const std::string up = above(path);
  const bool is_short_form = !up.empty() && source.has(up) && source.at(up).dump(0) == value;
  return is_short_form ? source.origin(up) : "default";
}

std::vector<ConfigValue> values_of(const Document& resolved, const Document& source) {
  std::vector<ConfigValue> values;
  collect(resolved, source, "", values);
  return values;
}

std::vector<ConfigChange> changes_between(const Document& a, const Document& b) {
  std::vector<ConfigChange> changes;
  compare(a, b, "", changes);
  return changes;
}

}  // namespace lp
