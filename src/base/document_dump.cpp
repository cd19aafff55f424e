// Tree of JSON values -> text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "document_state.h"

namespace lp::json {
namespace {

constexpr size_t kLineLength = 100;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string digits(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  return text.find_first_of(".e") == text.npos ? text + ".0" : text;
}

std::string scalar(const Value& value) {
  if (value.is<bool>()) return value.as<bool>() ? "true" : "false";
  if (value.is<int64_t>()) return std::to_string(value.as<int64_t>());
  if (value.is<double>()) return digits(value.as<double>());
  if (value.is<std::string>()) return quoted(value.as<std::string>());
  return "null";
}

bool is_scalar(const Value& value) { return !value.is<List>() && !value.is<Object>(); }

class Dumper {
 public:
  explicit Dumper(int indent) : indent_(static_cast<size_t>(std::max(indent, 0))) {}

  std::string text(const Value& value, size_t depth) const {
    if (value.is<List>()) return list(value.as<List>(), depth);
    if (value.is<Object>()) return object(value.as<Object>(), depth);
    return scalar(value);
  }

 private:
  std::string list(const List& elements, size_t depth) const {
    std::vector<std::string> texts;
    size_t length = 0;
    for (const Value& element : elements) length += texts.emplace_back(text(element, depth + 1)).size() + 2;
    const bool is_short = length < kLineLength && std::all_of(elements.begin(), elements.end(), is_scalar);
    return wrapped('[', texts, ']', depth, is_short);
  }

  std::string object(const Object& members, size_t depth) const {
    std::vector<std::string> texts;
    for (const Member& member : members) texts.push_back(quoted(member.key) + ": " + text(member.value, depth + 1));
    return wrapped('{', texts, '}', depth, members.empty());
  }

  std::string wrapped(char open, const std::vector<std::string>& texts, char close, size_t depth, bool one_line) const {
    one_line |= indent_ == 0;
    const std::string inner = one_line ? "" : fmt::format("\n{:{}}", "", indent_ * (depth + 1));
    const std::string outer = one_line ? "" : fmt::format("\n{:{}}", "", indent_ * depth);
    return fmt::format("{}{}{}{}{}", open, inner, fmt::join(texts, one_line ? ", " : "," + inner), outer, close);
  }

  size_t indent_;
};

}  // namespace

double as_single(double value) {
  if (!std::isfinite(value)) return value;
  char buffer[32];
  const char* end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  std::from_chars(buffer, end, value);
  return value;
}

std::string dump(const Value& value, int indent) { return Dumper(indent).text(value, 0); }

}  // namespace lp::json
