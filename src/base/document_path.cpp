// Dotted paths into a tree of JSON values: "model.layers.2.out".
#include <charconv>

#include "document_state.h"

namespace lp::json {

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  if (path.empty()) return parts;
  for (size_t i = 0; i <= path.size(); ++i) {
    const bool quoted = i < path.size() && path[i] == '"';
    size_t end = path.find(quoted ? '"' : '.', i + quoted);
    if (end == path.npos) end = path.size();
    parts.emplace_back(path.substr(i + quoted, end - i - quoted));
    i = path.find('.', end);
    if (i == path.npos) break;
  }
  return parts;
}

std::string path_join(std::string_view path, std::string_view key) {
  std::string joined(path);
  if (!path.empty()) joined += '.';
  const bool quoted = key.empty() || key.find('.') != key.npos;
  if (quoted) joined += '"';
  joined += key;
  if (quoted) joined += '"';
  return joined;
}

const Value* element_at(const Value& list, std::string_view index) {
  if (!list.is<List>()) return nullptr;
  size_t i = 0;
  const char* end = index.data() + index.size();
  const auto [stop, error] = std::from_chars(index.data(), end, i);
  const bool exists = error == std::errc() && stop == end && i < list.as<List>().size();
  return exists ? &list.as<List>()[i] : nullptr;
}

const Value* at_path(const Value& root, std::string_view path) {
  const Value* value = &root;
  for (const std::string& part : path_parts(path)) {
    value = value->is<List>() ? element_at(*value, part) : value->find(part);
    if (!value) return nullptr;
  }
  return value;
}

}  // namespace lp::json
