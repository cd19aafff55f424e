// A config value by value: where each comes from, and in which two configs differ.
#pragma once
#include <string>
#include <vector>

#include "lptrain/base/document.h"

namespace lp {

struct ConfigValue {
  std::string path, value, origin;  // value as JSON; origin "configs/a.json:4:12", "--set train.epochs=3" or "default"
  void fields(Fields& f);
};

// Where the value (as JSON) at a path of the resolved document comes from. `source`: what was written, `extends` and --set
// applied.
std::string origin_of(const Document& source, std::string_view path, const std::string& value);

// Every scalar and list of a resolved document, in its order.
std::vector<ConfigValue> values_of(const Document& resolved, const Document& source);

struct ConfigChange {
  std::string path, before, after;  // as JSON; "" if absent there
  void fields(Fields& f);
};

// What to change in `a` to get `b`, in the order of a, then b.
std::vector<ConfigChange> changes_between(const Document& a, const Document& b);

}  // namespace lp
