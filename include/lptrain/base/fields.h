// Structs that describe themselves once. From one `fields` function come parser, validator, writer, help, schema and sweep axes.
//
//   struct Sgd {
//     double momentum = 0.9;
//     void fields(Fields& f) { f("momentum", momentum, "share of the last step that is kept", {0, 1}); }
//   };
//
// What a field may be: bool, integers, float, double, std::string; an enum (Words<E> below); a type spelled as text
// (static T parse(std::string_view), std::string name() const); a struct with fields; a Document (any JSON, left as it is);
// std::optional, std::vector and Dictionary of these; a Choice (below). Why not a macro or a schema file: a list that exists
// twice drifts.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lptrain/base/error.h"

namespace lp {

class Fields;
class Document;

// Inclusive bounds of a number, or of the length of a list.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// The names of an enum's values, in the order of the values: specialize as
//   template <> struct Words<Rounding> { static constexpr std::string_view list[] = {"nearest_even", ...}; };
template <class E>
struct Words;

template <class E>
std::string_view word_of(E value) {
  return Words<E>::list[static_cast<size_t>(value)];
}

// One way to choose among implementations of Base: `"name"`, or `{"name": {its fields}}`.
// The rows stand in one visible table: template <> std::span<const ChoiceRow<Base>> choices<Base>().
// Base has `virtual void fields(Fields&)` and `virtual std::unique_ptr<Base> clone() const`.
template <class Base>
struct ChoiceRow {
  std::string_view name;
  std::string_view doc;
  std::unique_ptr<Base> (*make)();
};
template <class Base>
std::span<const ChoiceRow<Base>> choices();

// A row whose implementation is T, with T's defaults.
template <class Base, class T>
constexpr ChoiceRow<Base> choice_row(std::string_view name, std::string_view doc) {
  return {name, doc, [] { return std::unique_ptr<Base>(std::make_unique<T>()); }};
}

// A chosen implementation: a value (copies are deep) with its name.
template <class Base>
class Choice {
 public:
  Choice() = default;  // nothing chosen
  explicit Choice(std::string_view name) { select(name); }
  Choice(const Choice& o) : name_(o.name_), made_(o.made_ ? o.made_->clone() : nullptr) {}
  Choice(Choice&&) noexcept = default;
  Choice& operator=(Choice o) noexcept {
    name_.swap(o.name_);
    made_.swap(o.made_);
    return *this;
  }

  void select(std::string_view name);  // throws Error(usage) with a suggestion
  const std::string& name() const { return name_; }
  explicit operator bool() const { return made_ != nullptr; }
  Base& operator*() const { return *made_; }
  Base* operator->() const { return made_.get(); }

 private:
  std::string name_;
  std::unique_ptr<Base> made_;
};

// name -> T, in the order of the file (the last of several matching rules wins, so order is meaning).
template <class T>
using Dictionary = std::vector<std::pair<std::string, T>>;

// ---- What visitors see: any field, reduced to one of eleven shapes ---------------------------------------------------

struct Field {
  std::string_view name;
  std::string_view doc;
  Range range;
};

// A word of a closed list, or text in a grammar of its own (formats): `known` is what to offer after a mistake.
struct WordSlot {
  std::function<std::string()> get;
  std::function<void(std::string_view)> set;  // throws Error(usage)
  std::vector<std::string> known;
  bool closed = false;  // nothing but `known` is right
};
// A struct. If `shorthand` is not empty, plain text stands for that one field of it.
struct GroupSlot {
  std::function<void(Fields&)> fields;
  std::string_view shorthand;
};
struct ListSlot {
  std::function<size_t()> size;
  std::function<void(size_t)> resize;
  std::function<void(size_t, Fields&)> element;  // visits element i as a field named ""
};
struct DictionarySlot {
  std::function<std::vector<std::string>()> names;
  std::function<void()> clear;
  std::function<void(const std::string&, Fields&)> element;  // visits (and makes) one entry as a field named ""
};
struct OptionalSlot {
  std::function<bool()> has;
  std::function<void(bool)> make;      // true: default value, false: none (JSON null)
  std::function<void(Fields&)> value;  // visits the value as a field named ""
};
struct ChoiceSlot {
  std::function<std::string()> name;                                // "" if nothing is chosen
  std::function<void(std::string_view)> select;                     // throws Error(usage)
  std::function<void(Fields&)> fields;                              // of the chosen one
  std::vector<std::pair<std::string_view, std::string_view>> rows;  // name, doc
  const void* table = nullptr;  // tells one family of choices from another (schemas of recursive structs)
};

// The base of everything that walks over a struct.
class Fields {
 public:
  virtual ~Fields() = default;

  template <class T>
  void operator()(std::string_view name, T& value, std::string_view doc, Range range = {});

  // A claim about several fields at once; a reader reports it at the struct's place.
  virtual void claim(bool holds, const std::string& message) {
    (void)holds;
    (void)message;
  }

 protected:
  virtual void boolean(const Field&, bool&) = 0;
  virtual void integer(const Field&, int64_t&) = 0;
  virtual void number(const Field&, double&, bool is_single) = 0;  // is_single: a float, written with its shortest digits
  virtual void text(const Field&, std::string&) = 0;
  virtual void word(const Field&, WordSlot&) = 0;
  virtual void group(const Field&, GroupSlot&) = 0;
  virtual void list(const Field&, ListSlot&) = 0;
  virtual void dictionary(const Field&, DictionarySlot&) = 0;
  virtual void optional(const Field&, OptionalSlot&) = 0;
  virtual void choice(const Field&, ChoiceSlot&) = 0;
  virtual void anything(const Field&, Document&) = 0;
};

// ---- How a C++ type becomes one of those shapes ----------------------------------------------------------------------

namespace detail {
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_dictionary : std::false_type {};
template <class T>
struct is_dictionary<std::vector<std::pair<std::string, T>>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_choice : std::false_type {};
template <class T>
struct is_choice<Choice<T>> : std::true_type {};
template <class T>
concept HasShorthand = requires {
  T::kShorthand;
};
template <class T>
concept Spelled = requires(const T& t, std::string_view s) {
  T::parse(s);
  t.name();
};

void unknown_word(std::string_view found, std::span<const std::string> known);  // throws Error(usage)

template <class T>
WordSlot word_slot(T& value);
template <class T>
ListSlot list_slot(std::vector<T>& value, const Field& field);
template <class T>
DictionarySlot dictionary_slot(Dictionary<T>& value, const Field& field);
template <class T>
OptionalSlot optional_slot(std::optional<T>& value, const Field& field);
template <class T>
ChoiceSlot choice_slot(Choice<T>& value);
}  // namespace detail

}  // namespace lp

#include "lptrain/base/fields.inl"
