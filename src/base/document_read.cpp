// Document -> struct: visits the fields and collects every mistake with its place.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "document_state.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

using json::List;
using json::Member;
using json::Object;
using json::Place;
using json::Value;

constexpr std::string_view kTolerated[] = {"$schema", "_comment", "description"};

bool is_tolerated(std::string_view key) {
  return std::find(std::begin(kTolerated), std::end(kTolerated), key) != std::end(kTolerated);
}

std::optional<double> number_in(const Value& value) {
  if (value.is<int64_t>()) return static_cast<double>(value.as<int64_t>());
  if (value.is<double>()) return value.as<double>();
  return std::nullopt;
}

std::optional<int64_t> integer_in(const Value& value) {
  if (value.is<int64_t>()) return value.as<int64_t>();
  if (!value.is<double>()) return std::nullopt;
  const double x = value.as<double>();
  if (x != std::trunc(x) || !(std::abs(x) < 0x1p63)) return std::nullopt;
  return static_cast<int64_t>(x);
}

constexpr double kBeyondFloat = 0x1.ffffffp127;  // from here on, rounding to float gives infinity

bool contains(const Range& range, double x) { return x >= range.low && x <= range.high; }

// Reads one value. A field named "" is the value itself (an element), any other field a member of it.
class Reader final : public Fields {
 public:
  Reader(const Value& value, std::string path, std::vector<Problem>& problems)
      : value_(value), path_(std::move(path)), problems_(problems), problems_before_(problems.size()) {}

  void claim(bool holds, const std::string& message) override {
    if (!holds) broken_claims_.push_back(message);
  }

  // Reads the fields of a struct out of the object `value_`.
  void read(const std::function<void(Fields&)>& fields) {
    if (!value_.is<Object>()) return complain(value_, path_, "must be an object");
    fields(*this);
    for (const Member& member : value_.as<Object>())
      if (!is_known(member.key) && !is_tolerated(member.key)) unknown_key(member);
    if (problems_.size() > problems_before_) return;  // a claim about fields that could not be read means nothing
    for (const std::string& message : broken_claims_) report(value_.place, path_, with_path(path_, message));
  }

 protected:
  void boolean(const Field& field, bool& into) override {
    const Value* value = find(field);
    if (!value) return;
    if (!value->is<bool>()) return complain(*value, path_of(field), "must be true or false");
    into = value->as<bool>();
  }

  void integer(const Field& field, int64_t& into) override {
    const Value* value = find(field);
    if (!value) return;
    const std::optional<int64_t> found = integer_in(*value);
    if (found && contains(field.range, static_cast<double>(*found))) {
      into = *found;
      return;
    }
    const std::string bounds = json::bounds_text(field.range, true, number_in(*value).value_or(0));
    complain(*value, path_of(field), bounds.empty() ? "must be an integer" : "must be an integer in " + bounds);
  }

  void number(const Field& field, double& into, bool is_single) override {
    const Value* value = find(field);
    if (!value) return;
    const std::optional<double> found = number_in(*value);
    if (!found) return complain(*value, path_of(field), "must be a number");
    if (is_single && std::abs(*found) >= kBeyondFloat) return complain(*value, path_of(field), "must fit into 32 bits");
    if (!contains(field.range, *found)) return out_of_range(*value, field);
    into = *found;
  }

  void text(const Field& field, std::string& into) override {
    const Value* value = find(field);
    if (!value) return;
    if (!value->is<std::string>()) return complain(*value, path_of(field), "must be text");
    into = value->as<std::string>();
  }

  void word(const Field& field, WordSlot& slot) override {
    const Value* value = find(field);
    if (!value) return;
    if (!value->is<std::string>()) return complain(*value, path_of(field), wanted_word(slot));
    attempt(value->place, path_of(field), [&] { slot.set(value->as<std::string>()); });
  }

  void group(const Field& field, GroupSlot& slot) override {
    const Value* value = find(field);
    Value whole = value ? *value : Value{Object{}, value_.place};  // of an absent struct, the claims are still heard
    if (!slot.shorthand.empty()) open_short_form(whole, slot.shorthand);
    Reader(whole, path_of(field), problems_).read(slot.fields);
  }

  void list(const Field& field, ListSlot& slot) override {
    const Value* value = find(field);
    if (!value) return;
    if (!value->is<List>()) return complain(*value, path_of(field), "must be a list");
    const List& elements = value->as<List>();
    if (!contains(field.range, static_cast<double>(elements.size()))) return wrong_length(*value, field);
    slot.resize(elements.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      Reader reader(elements[i], json::path_join(path_of(field), std::to_string(i)), problems_);
      slot.element(i, reader);
    }
  }

  void dictionary(const Field& field, DictionarySlot& slot) override {
    const Value* value = find(field);
    if (!value) return;
    if (!value->is<Object>()) return complain(*value, path_of(field), "must be an object");
    slot.clear();
    for (const Member& member : value->as<Object>()) {
      Reader reader(member.value, json::path_join(path_of(field), member.key), problems_);
      slot.element(member.key, reader);
    }
  }

  void optional(const Field& field, OptionalSlot& slot) override {
    const Value* value = find(field);
    if (!value) return;
    slot.make(!value->is<std::nullptr_t>());
    if (value->is<std::nullptr_t>()) return;
    Reader reader(*value, path_of(field), problems_);
    slot.value(reader);
  }

  void choice(const Field& field, ChoiceSlot& slot) override {
    const Value* value = find(field);
    const std::string path = path_of(field);
    const Value defaults{Object{}, value ? value->place : value_.place};
    if (!value || (value->is<std::nullptr_t>() && slot.name().empty())) {
      if (!slot.name().empty()) Reader(defaults, path, problems_).read(slot.fields);
    } else if (value->is<std::string>()) {
      choose(value->as<std::string>(), value->place, defaults, path, slot);
    } else if (const Member* only = chosen_member(*value, path)) {
      choose(only->key, only->key_place, only->value, path, slot);
    }
  }

  void anything(const Field& field, Document& into) override {
    if (const Value* value = find(field)) into = Document(Document::State{*value});
  }

 private:
  const Value* find(const Field& field) {
    if (field.name.empty()) return &value_;
    names_.emplace_back(field.name);
    return value_.find(field.name);
  }

  // Turns "digits" and {"": "digits", "limit": 5} (--set dataset.limit=5 makes the second of the first) into objects with the
  // field that the text stands for.
  static void open_short_form(Value& value, std::string_view shorthand) {
    if (!value.is<Object>() && !value.is<std::nullptr_t>()) {
      const Value text = value;
      value.data = Object{};
      value.add("", text);
    }
    const Value* text = value.find("");
    if (!text) return;
    if (!value.find(shorthand)) value.add(shorthand, Value(*text));
    value.drop("");
  }

  std::string path_of(const Field& field) const { return field.name.empty() ? path_ : json::path_join(path_, field.name); }

  bool is_known(const std::string& key) const { return std::find(names_.begin(), names_.end(), key) != names_.end(); }

  // The members of a choice, without remarks. Where texts were merged, what the last of them named replaces what was chosen
  // before.
  static std::vector<const Member*> own_members(const Value& value) {
    std::vector<const Member*> members;
    for (const Member& member : value.as<Object>()) {
      if (is_tolerated(member.key)) continue;
      if (!members.empty() && member.layer > members.front()->layer) members.clear();
      if (members.empty() || member.layer == members.front()->layer) members.push_back(&member);
    }
    return members;
  }

  // The one member of {"name": {...}}; reports a mistake and returns null if there is not exactly one.
  const Member* chosen_member(const Value& value, const std::string& path) {
    constexpr const char* kWanted = "must be a name, or an object with one name as its key";
    if (!value.is<Object>()) return complain(value, path, kWanted), nullptr;
    std::vector<const Member*> members = own_members(value);
    if (const Value* name = value.find(""); name && name->is<std::string>() && members.size() > 1) {
      const std::string inside = json::path_join(json::path_join(path, name->as<std::string>()), members.back()->key);
      report(members.back()->key_place, path, fmt::format("{} is {}; set {}", path, json::described(*name), inside));
      return nullptr;
    }
    if (members.size() == 1) return members.front();
    if (members.empty()) return complain(value, path, kWanted), nullptr;
    std::vector<std::string> found;
    for (const Member* member : members) found.push_back(fmt::format("\"{}\" ({})", member->key, member->key_place.text()));
    report(members.back()->key_place, path, fmt::format("{} {}, found {}", path, kWanted, join(found)));
    return nullptr;
  }

  void choose(const std::string& name, const Place& place, const Value& fields, const std::string& path, ChoiceSlot& slot) {
    if (!attempt(place, path, [&] { slot.select(name); })) return;
    Reader(fields, json::path_join(path, name), problems_).read(slot.fields);
  }

  static std::string with_path(const std::string& path, const std::string& message) {
    return path.empty() ? message : path + ": " + message;
  }

  // Runs what may throw an Error, and reports it. Did it work?
  template <class Action>
  bool attempt(const Place& place, const std::string& path, const Action& action) {
    try {
      action();
      return true;
    } catch (const Error& error) {
      report(place, path, with_path(path, error.what()));
      return false;
    }
  }

  static std::string wanted_word(const WordSlot& slot) {
    return slot.closed ? fmt::format("must be one of {}", join(slot.known)) : "must be text";
  }

  void out_of_range(const Value& value, const Field& field) {
    const std::string bounds = json::bounds_text(field.range, false, *number_in(value));
    complain(value, path_of(field), (bounds.front() == '[' ? "must be in " : "must be ") + bounds);
  }

  void wrong_length(const Value& value, const Field& field) {
    const bool is_fixed = field.range.low == field.range.high;
    const std::string count = is_fixed ? fmt::format("{}", field.range.low) : json::bounds_text(field.range, true);
    complain(value, path_of(field), fmt::format("must be a list of {}", count));
  }

  void unknown_key(const Member& member) {
    const std::string where = path_.empty() ? "" : " in " + path_;
    report(member.key_place, json::path_join(path_, member.key),
           fmt::format("unknown key \"{}\"{}{}", member.key, where, suggestion(member.key, names_)));
  }

  void complain(const Value& value, const std::string& path, std::string_view wanted) {
    const std::string_view what = path.empty() ? "the document" : std::string_view(path);
    report(value.place, path, fmt::format("{} {}, found {}", what, wanted, json::described(value)));
  }

  void report(const Place& place, std::string path, std::string message) {
    problems_.push_back({place.text(), std::move(path), std::move(message), place.order});
  }

  const Value& value_;
  std::string path_;
  std::vector<Problem>& problems_;
  size_t problems_before_;
  std::vector<std::string> names_;  // of the fields visited
  std::vector<std::string> broken_claims_;
};

}  // namespace

void detail::read_document(const Document& document, GroupSlot root) {
  std::vector<Problem> problems;
  Reader(document.state().root, "", problems).read(root.fields);
  if (!problems.empty()) throw DocumentError(std::move(problems));
}

}  // namespace lp
