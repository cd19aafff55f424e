// The tree behind a Document: JSON values, each of which knows the place it was written at. Private to the floor `base`.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lptrain/base/document.h"

namespace lp::json {

constexpr int kDeepest = 100;                        // levels of nesting
constexpr int64_t kLongestText = int64_t{64} << 20;  // bytes of one document
constexpr int64_t kMostValues = int64_t{1} << 22;    // values in one document

// One text that values come from: a file, or an option of the command line. Serial numbers order the mistakes of several texts.
struct Source {
  explicit Source(std::string_view source_name);
  std::string name;
  int64_t serial;
};

struct Place {
  std::shared_ptr<const Source> source;
  int64_t order = 0;   // of all places of all sources
  int32_t line = 0;    // counted from 1; 0: the source has no lines
  int32_t column = 0;  // in characters, counted from 1

  static Place whole(std::string_view source_name);  // a source without lines
  std::string text() const;                          // "file:line:column", the name alone if there are no lines, "" if unknown
};

struct Value;
struct Member;
using List = std::vector<Value>;
using Object = std::vector<Member>;  // in the order of the text, keys unique
using Data = std::variant<std::nullptr_t, bool, int64_t, double, std::string, List, Object>;

struct Value {
  Data data;  // null, unless told
  Place place;

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data);
  }
  template <class T>
  T& as() {
    return std::get<T>(data);
  }
  template <class T>
  const T& as() const {
    return std::get<T>(data);
  }

  const Value* find(std::string_view key) const;  // a member; null if absent or if this is no object
  Value* find(std::string_view key);
  void add(std::string_view key, Value value);  // appends a member that is not there yet; its key is placed like the value
  void drop(std::string_view key);
};

struct Member {
  std::string key;
  Place key_place;
  Value value;
  int32_t layer = 0;  // 0: as parsed; each merge puts what it brings one layer above what was there
};

bool operator==(const Value& a, const Value& b);  // same values in the same order; 1 equals 1.0
bool operator==(const Member& a, const Member& b);

Value parse(std::string_view text, const std::shared_ptr<const Source>& source);  // throws DocumentError
void merge(Value& into, const Value& patch);       // RFC 7386; what the patch touches gets the patch's place
void move_to(Value& value, const Place& place);    // gives every part the one place
std::string dump(const Value& value, int indent);  // indent 0: one line
double as_single(double value);                    // the double that is written with the shortest digits of a float
std::string described(const Value& value);         // for messages: "ten", 3.7, a list of 4, an object

// Dotted paths. A part that holds a dot or a quote is written in double quotes: overrides."conv1.*".weights
std::vector<std::string> path_parts(std::string_view path);
std::string path_join(std::string_view path, std::string_view key);
const Value* element_at(const Value& list, std::string_view index);  // null unless it is a list with such an element
const Value* at_path(const Value& root, std::string_view path);      // null if absent

[[noreturn]] void fail_at(const Place& place, std::string_view path, std::string message);

// "1...", "..8", "1..8" (whole numbers), "[0, 1]", ">= 0" (others), "" without bounds. The limits of wide integer types are not
// mentioned unless `found` breaks them.
std::string bounds_text(const Range& range, bool whole, double found = 0);

}  // namespace lp::json

namespace lp {
struct Document::State {
  json::Value root{json::Object{}, {}};
};
}  // namespace lp
