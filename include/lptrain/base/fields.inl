// The templates behind fields.h: each turns one C++ type into one of the shapes that visitors know.
#pragma once
#include <algorithm>
#include <iterator>

#include "lptrain/base/fields.h"

namespace lp {
namespace detail {

template <class T>
WordSlot word_slot(T& value) {
  if constexpr (std::is_enum_v<T>) {
    std::vector<std::string> known(std::begin(Words<T>::list), std::end(Words<T>::list));
    auto set = [&value, known](std::string_view s) {
      for (size_t i = 0; i < known.size(); ++i)
        if (known[i] == s) {
          value = static_cast<T>(i);
          return;
        }
      unknown_word(s, known);
    };
    return {[&value] { return std::string(word_of(value)); }, std::move(set), std::move(known), true};
  } else {
    std::vector<std::string> known;
    if constexpr (requires { T::known(); }) known = T::known();
    return {[&value] { return value.name(); }, [&value](std::string_view s) { value = T::parse(s); }, std::move(known), false};
  }
}

template <class T>
ListSlot list_slot(std::vector<T>& value, const Field& field) {
  return {[&value] { return value.size(); }, [&value](size_t n) { value.resize(n); },
          [&value, field](size_t i, Fields& f) { f("", value[i], field.doc); }};
}

template <class T>
DictionarySlot dictionary_slot(Dictionary<T>& value, const Field& field) {
  auto names = [&value] {
    std::vector<std::string> list;
    for (const auto& entry : value) list.push_back(entry.first);
    return list;
  };
  auto element = [&value, field](const std::string& name, Fields& f) {
    for (auto& entry : value)
      if (entry.first == name) return f("", entry.second, field.doc);
    value.emplace_back(name, T{});
    f("", value.back().second, field.doc);
  };
  return {names, [&value] { value.clear(); }, element};
}

template <class T>
OptionalSlot optional_slot(std::optional<T>& value, const Field& field) {
  auto make = [&value](bool has) {
    if (!has)
      value.reset();
    else if (!value)
      value.emplace();
  };
  return {[&value] { return value.has_value(); }, make, [&value, field](Fields& f) { f("", *value, field.doc, field.range); }};
}

template <class T>
ChoiceSlot choice_slot(Choice<T>& value) {
  ChoiceSlot slot{[&value] { return value.name(); },
                  [&value](std::string_view s) { value.select(s); },
                  [&value](Fields& f) { value->fields(f); },
                  {},
                  choices<T>().data()};
  for (const ChoiceRow<T>& row : choices<T>()) slot.rows.emplace_back(row.name, row.doc);
  return slot;
}

}  // namespace detail

template <class Base>
void Choice<Base>::select(std::string_view name) {
  std::vector<std::string> known;
  for (const ChoiceRow<Base>& row : choices<Base>()) {
    if (row.name == name) {
      name_ = name;
      made_ = row.make();
      return;
    }
    known.emplace_back(row.name);
  }
  detail::unknown_word(name, known);
}

template <class T>
void Fields::operator()(std::string_view name, T& value, std::string_view doc, Range range) {
  const Field field{name, doc, range};
  if constexpr (std::is_same_v<T, bool>) {
    boolean(field, value);
  } else if constexpr (std::is_integral_v<T>) {
    int64_t wide = static_cast<int64_t>(value);
    Field bounded = field;
    bounded.range.low = std::max(range.low, static_cast<double>(std::numeric_limits<T>::lowest()));
    bounded.range.high = std::min(range.high, static_cast<double>(std::numeric_limits<T>::max()));
    integer(bounded, wide);
    value = static_cast<T>(wide);
  } else if constexpr (std::is_floating_point_v<T>) {
    double wide = value;
    number(field, wide, std::is_same_v<T, float>);
    value = static_cast<T>(wide);
  } else if constexpr (std::is_same_v<T, std::string>) {
    text(field, value);
  } else if constexpr (std::is_same_v<T, Document>) {
    anything(field, value);
  } else if constexpr (std::is_enum_v<T> || detail::Spelled<T>) {
    WordSlot slot = detail::word_slot(value);
    word(field, slot);
  } else if constexpr (detail::is_optional<T>::value) {
    OptionalSlot slot = detail::optional_slot(value, field);
    optional(field, slot);
  } else if constexpr (detail::is_dictionary<T>::value) {
    DictionarySlot slot = detail::dictionary_slot(value, field);
    dictionary(field, slot);
  } else if constexpr (detail::is_vector<T>::value) {
    ListSlot slot = detail::list_slot(value, field);
    list(field, slot);
  } else if constexpr (detail::is_choice<T>::value) {
    ChoiceSlot slot = detail::choice_slot(value);
    choice(field, slot);
  } else {
    GroupSlot slot{[&value](Fields& f) { value.fields(f); }, {}};
    if constexpr (detail::HasShorthand<T>) slot.shorthand = T::kShorthand;
    group(field, slot);
  }
}

}  // namespace lp
