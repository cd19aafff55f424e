// What can be done with a tree of JSON values: look up, merge, compare, describe.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "document_state.h"

namespace lp::json {
namespace {

std::atomic<int64_t> next_serial{1};
constexpr double kWidest = 2147483647;  // bounds from here on are those of a type, not of a field

bool mentioned(double bound, double found) {
  return std::isfinite(bound) && (std::abs(bound) < kWidest || std::abs(found) > kWidest);
}

std::string shortened(const std::string& text) {
  constexpr size_t kLongest = 60;
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

}  // namespace

Source::Source(std::string_view source_name) : name(source_name), serial(next_serial++) {}

Place Place::whole(std::string_view source_name) {
  auto source = std::make_shared<const Source>(source_name);
  const int64_t order = source->serial * 2 * kLongestText;
  return {std::move(source), order, 0, 0};
}

std::string Place::text() const {
  if (!source) return "";
  return line > 0 ? fmt::format("{}:{}:{}", source->name, line, column) : source->name;
}

const Value* Value::find(std::string_view key) const {
  if (!is<Object>()) return nullptr;
  for (const Member& member : as<Object>())
    if (member.key == key) return &member.value;
  return nullptr;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

void Value::add(std::string_view key, Value value) {
  Place key_place = value.place;
  as<Object>().push_back({std::string(key), std::move(key_place), std::move(value)});
}

void Value::drop(std::string_view key) {
  std::erase_if(as<Object>(), [key](const Member& member) { return member.key == key; });
}

bool operator==(const Value& a, const Value& b) {
  if (a.is<int64_t>() && b.is<double>()) return static_cast<double>(a.as<int64_t>()) == b.as<double>();
  if (a.is<double>() && b.is<int64_t>()) return b == a;
  return a.data == b.data;
}

bool operator==(const Member& a, const Member& b) { return a.key == b.key && a.value == b.value; }

void merge(Value& into, const Value& patch) {
  into.place = patch.place;
  if (!patch.is<Object>()) {
    into.data = patch.data;
    return;
  }
  if (!into.is<Object>()) into.data = Object{};
  int32_t layer = 0;
  for (const Member& member : into.as<Object>()) layer = std::max(layer, member.layer + 1);
  for (const Member& change : patch.as<Object>()) {
    if (change.value.is<std::nullptr_t>()) {
      into.drop(change.key);
      continue;
    }
    if (!into.find(change.key)) into.add(change.key, {});
    auto& members = into.as<Object>();
    auto member = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == change.key; });
    member->key_place = change.key_place;
    member->layer = layer + change.layer;  // what the patch was merged of keeps its order
    merge(member->value, change.value);
  }
}

void move_to(Value& value, const Place& place) {
  value.place = place;
  if (value.is<List>())
    for (Value& element : value.as<List>()) move_to(element, place);
  if (value.is<Object>())
    for (Member& member : value.as<Object>()) {
      member.key_place = place;
      move_to(member.value, place);
    }
}

std::string described(const Value& value) {
  if (value.is<List>()) return fmt::format("a list of {}", value.as<List>().size());
  if (value.is<Object>()) return value.as<Object>().empty() ? "an empty object" : "an object";
  if (value.is<std::string>()) return dump({shortened(value.as<std::string>()), {}}, 0);
  return dump(value, 0);
}

std::string bounds_text(const Range& range, bool whole, double found) {
  const bool low = mentioned(range.low, found), high = mentioned(range.high, found);
  if (!low && !high) return "";
  if (whole) return (low ? fmt::format("{}", range.low) : "") + ".." + (high ? fmt::format("{}", range.high) : ".");
  if (low && high) return fmt::format("[{}, {}]", range.low, range.high);
  return low ? fmt::format(">= {}", range.low) : fmt::format("<= {}", range.high);
}

void fail_at(const Place& place, std::string_view path, std::string message) {
  throw DocumentError({{place.text(), std::string(path), std::move(message), place.order}});
}

}  // namespace lp::json
