// The Document class: looking at and changing a tree of values by dotted paths.
#include "lptrain/base/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "document_state.h"

namespace lp {
namespace {

using json::List;
using json::Member;
using json::Object;
using json::Place;
using json::Value;

std::string listed(const std::vector<Problem>& problems) {
  constexpr size_t kShown = 20;
  std::string lines;
  for (size_t i = 0; i < std::min(problems.size(), kShown); ++i) {
    const Problem& p = problems[i];
    lines += fmt::format("{}{}{}error: {}", i ? "\n" : "", p.origin, p.origin.empty() ? "" : ": ", p.message);
  }
  if (problems.size() > kShown) lines += fmt::format("\nand {} more", problems.size() - kShown);
  return lines;
}

std::vector<Problem> sorted(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) { return a.order < b.order; });
  return problems;
}

// The element of a list that a part of a path names.
Value& element(Value& list, const std::string& part, std::string_view good, const Place& place) {
  if (const Value* found = json::element_at(list, part)) return const_cast<Value&>(*found);
  const size_t size = list.as<List>().size();
  json::fail_at(place, good,
                fmt::format("{} is a list without element \"{}\": {}", good, part,
                            size ? fmt::format("its elements are 0..{}", size - 1) : "it is empty"));
}

// The member that a part of a path names, made if absent. Text opens up: as a choice ("adam" becomes {"adam": {}}), or else as
// the short form of a struct ("digits" becomes {"": "digits"}, which readers take for it).
Value& member(Value& value, const std::string& part, std::string_view good, const Place& place) {
  if (value.is<std::nullptr_t>()) value = {Object{}, place};
  if (value.is<std::string>()) {
    const Value text = value;
    value.data = Object{};
    if (text.as<std::string>() == part)
      value.add(part, {Object{}, value.place});
    else
      value.add("", text);
  }
  if (!value.is<Object>())
    json::fail_at(place, good, fmt::format("{} is {}, it has no \"{}\"", good, json::described(value), part));
  if (!value.find(part)) value.add(part, {nullptr, place});
  return *value.find(part);
}

const Value& known(const Value& root, std::string_view path) {
  const Value* value = json::at_path(root, path);
  if (!value) json::fail_at(root.place, path, fmt::format("{} is missing", path));
  return *value;
}

}  // namespace

DocumentError::DocumentError(std::vector<Problem> list)
    : Error(ErrorKind::usage, listed(list = sorted(std::move(list)))), problems(std::move(list)) {}

Document::Document() : state_(std::make_unique<State>()) {}
Document::Document(State state) : state_(std::make_unique<State>(std::move(state))) {}
Document::~Document() = default;
Document::Document(const Document& other) : state_(std::make_unique<State>(*other.state_)) {}
Document::Document(Document&& other) noexcept = default;
Document& Document::operator=(Document other) noexcept {
  state_.swap(other.state_);
  return *this;
}

Document Document::parse(std::string_view text, std::string_view name) {
  return Document(State{json::parse(text, std::make_shared<const json::Source>(name))});
}

void Document::set(std::string_view path, std::string_view text, std::string_view origin) {
  const Place place = Place::whole(origin);
  const std::vector<std::string> parts = json::path_parts(path);
  if (parts.empty() || parts.size() > json::kDeepest) json::fail_at(place, path, "wanted a path like train.epochs");
  Value* value = &state_->root;
  std::string good;
  for (const std::string& part : parts) {
    if (part.empty()) json::fail_at(place, path, fmt::format("the path {} has an empty part", path));
    value = value->is<List>() ? &element(*value, part, good, place) : &member(*value, part, good, place);
    good = json::path_join(good, part);
  }
  try {
    *value = json::parse(text, place.source);
  } catch (const DocumentError&) {
    if (text.starts_with('{')) throw;  // meant to be an object
    value->data = std::string(text);
  }
  json::move_to(*value, place);
}

void Document::set(std::string_view assignment) {
  const std::string origin = fmt::format("--set {}", assignment);
  const size_t equals = assignment.find('=');
  if (equals == assignment.npos) json::fail_at(Place::whole(origin), "", "wanted path=value, like train.epochs=3");
  set(assignment.substr(0, equals), assignment.substr(equals + 1), origin);
}

void Document::merge(const Document& patch) {
  const Document copy = patch;  // the patch may be this document
  json::merge(state_->root, copy.state_->root);
}

bool Document::has(std::string_view path) const { return json::at_path(state_->root, path) != nullptr; }

Document Document::at(std::string_view path) const { return Document(State{known(state_->root, path)}); }

void Document::erase(std::string_view path) {
  std::vector<std::string> parts = json::path_parts(path);
  if (parts.empty() || !has(path)) return;
  const std::string last = parts.back();
  parts.pop_back();
  std::string parent_path;
  for (const std::string& part : parts) parent_path = json::path_join(parent_path, part);
  auto& parent = const_cast<Value&>(known(state_->root, parent_path));
  if (parent.is<Object>()) return parent.drop(last);
  List& list = parent.as<List>();
  list.erase(list.begin() + (json::element_at(parent, last) - list.data()));
}

std::vector<std::string> Document::keys(std::string_view path) const {
  std::vector<std::string> names;
  if (is_object(path))
    for (const Member& member : known(state_->root, path).as<Object>()) names.push_back(member.key);
  return names;
}

Dictionary<Document> Document::members(std::string_view path) const {
  Dictionary<Document> list;
  if (is_object(path))
    for (const Member& member : known(state_->root, path).as<Object>()) list.emplace_back(member.key, State{member.value});
  return list;
}

size_t Document::size(std::string_view path) const {
  if (is_list(path)) return known(state_->root, path).as<List>().size();
  return keys(path).size();
}

bool Document::is_list(std::string_view path) const {
  const Value* value = json::at_path(state_->root, path);
  return value && value->is<List>();
}

bool Document::is_object(std::string_view path) const {
  const Value* value = json::at_path(state_->root, path);
  return value && value->is<Object>();
}

std::string Document::text_at(std::string_view path) const {
  const Value& value = known(state_->root, path);
  return value.is<std::string>() ? value.as<std::string>() : json::dump(value, 0);
}

std::string Document::origin(std::string_view path) const { return known(state_->root, path).place.text(); }

std::string Document::dump(int indent) const { return json::dump(state_->root, indent); }

bool operator==(const Document& a, const Document& b) { return a.state().root == b.state().root; }

}  // namespace lp
