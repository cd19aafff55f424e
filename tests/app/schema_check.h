// A checker for the part of JSON Schema draft-07 that lptrain writes: an oracle that shares no code with the reader of configs.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

#include "lptrain/base/document.h"

namespace lp::test {

class SchemaCheck {
 public:
  explicit SchemaCheck(const Document& schema) : root_(schema) {}

  // "" or the first place and rule that a document breaks.
  std::string fault(const Document& document) const { return fault(document, root_, "$"); }

 private:
  // By keyword; an unknown one is a mistake in this checker or in the schema, never passed over.
  std::string fault(const Document& x, const Document& schema, const std::string& at) const {
    if (!schema.is_object()) return schema.dump(0) == "true" ? "" : at + ": not allowed";
    static const std::set<std::string> kKnown{"$schema",
                                              "title",
                                              "description",
                                              "default",
                                              "examples",
                                              "definitions",
                                              "type",
                                              "properties",
                                              "patternProperties",
                                              "additionalProperties",
                                              "items",
                                              "required",
                                              "enum",
                                              "const",
                                              "minimum",
                                              "maximum",
                                              "minItems",
                                              "maxItems",
                                              "anyOf",
                                              "oneOf",
                                              "allOf",
                                              "$ref"};
    for (const std::string& keyword : schema.keys())
      if (!kKnown.contains(keyword)) throw std::logic_error("unknown keyword " + keyword);
    for (const std::string& f : {value_fault(x, schema), members_fault(x, schema, at), combined_fault(x, schema, at)})
      if (!f.empty()) return f.starts_with("$") ? f : at + ": " + f;
    return "";
  }

  static std::string type_of(const Document& x) {
    const std::string text = x.dump(0);
    if (x.is_object()) return "object";
    if (x.is_list()) return "array";
    if (text[0] == '"') return "string";
    if (text == "null") return "null";
    return text == "true" || text == "false" ? "boolean" : "number";
  }
  static bool is_of_type(const Document& x, const std::string& type) {
    const std::string found = type_of(x);
    if (type != "integer") return found == type;
    return found == "number" && std::trunc(std::stod(x.dump(0))) == std::stod(x.dump(0));
  }

  static std::string value_fault(const Document& x, const Document& schema) {
    if (schema.has("type") && !is_of_type(x, schema.text_at("type"))) return "is no " + schema.text_at("type");
    if (schema.has("const") && schema.at("const").dump(0) != x.dump(0)) return "is not " + schema.at("const").dump(0);
    bool listed = !schema.has("enum");
    for (size_t i = 0; i < schema.size("enum"); ++i) listed = listed || schema.at(fmt::format("enum.{}", i)).dump(0) == x.dump(0);
    if (!listed) return "is not in the enum";
    const auto bound = [&](const char* keyword) { return std::stod(schema.text_at(keyword)); };
    const bool is_number = type_of(x) == "number", is_list = x.is_list();
    const double value = is_number ? std::stod(x.dump(0)) : static_cast<double>(x.size());
    if (schema.has(is_list ? "minItems" : "minimum") && (is_number || is_list) && value < bound(is_list ? "minItems" : "minimum"))
      return "too small";
    if (schema.has(is_list ? "maxItems" : "maximum") && (is_number || is_list) && value > bound(is_list ? "maxItems" : "maximum"))
      return "too large";
    return "";
  }

  std::string members_fault(const Document& x, const Document& schema, const std::string& at) const {
    for (size_t i = 0; i < schema.size("required"); ++i)
      if (x.is_object() && !x.has(schema.text_at(fmt::format("required.{}", i)))) return "a required key is missing";
    for (size_t i = 0; x.is_list() && schema.has("items") && i < x.size(); ++i)
      if (auto f = fault(x.at(std::to_string(i)), schema.at("items"), fmt::format("{}.{}", at, i)); !f.empty()) return f;
    for (const std::string& key : x.keys()) {
      const std::string quoted = "\"" + key + "\"", place = at + "." + key;
      bool is_described = schema.has("properties." + quoted);
      if (is_described)
        if (auto f = fault(x.at(quoted), schema.at("properties." + quoted), place); !f.empty()) return f;
      for (const std::string& pattern : schema.keys("patternProperties"))
        is_described |= std::regex_search(key, std::regex(pattern));
      if (!is_described && schema.has("additionalProperties"))
        if (auto f = fault(x.at(quoted), schema.at("additionalProperties"), place); !f.empty()) return f;
    }
    return "";
  }

  std::string combined_fault(const Document& x, const Document& schema, const std::string& at) const {
    if (schema.has("$ref"))
      return fault(x, root_.at("definitions." + schema.text_at("$ref").substr(std::string("#/definitions/").size())), at);
    for (const char* keyword : {"anyOf", "oneOf", "allOf"}) {
      const size_t count = schema.size(keyword);
      size_t right = 0;
      std::string last;
      for (size_t i = 0; i < count; ++i) {
        const std::string f = fault(x, schema.at(fmt::format("{}.{}", keyword, i)), at);
        right += f.empty();
        if (!f.empty()) last = f;
      }
      const std::string name = keyword;
      const bool holds = count == 0 || (name == "anyOf" ? right > 0 : name == "oneOf" ? right == 1 : right == count);
      if (!holds) return fmt::format("{}: {} of {} in {} hold; {}", at, right, count, name, last);
    }
    return "";
  }

  Document root_;
};

}  // namespace lp::test
