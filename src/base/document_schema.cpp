// Struct -> JSON Schema (draft-07), so that editors complete and check recipes while they are written.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "document_state.h"

namespace lp {
namespace {

using json::List;
using json::Object;
using json::Value;

Value object() { return {Object{}, {}}; }
Value list() { return {List{}, {}}; }
Value boolean(bool value) { return {value, {}}; }
Value text(std::string_view value) { return {std::string(value), {}}; }
Value of_type(std::string_view type) {
  Value schema = object();
  schema.add("type", text(type));
  return schema;
}
Value any_of(std::string_view keyword, std::initializer_list<Value> schemas) {
  Value schema = object();
  schema.add(keyword, {List(schemas), {}});
  return schema;
}

// An object with these members and, in passing, the keys that every object may have.
Value of_object(Value properties) {
  Value tolerated = object();
  tolerated.add("^(\\$schema|_comment|description)$", boolean(true));
  Value schema = of_type("object");
  schema.add("properties", std::move(properties));
  schema.add("patternProperties", std::move(tolerated));
  schema.add("additionalProperties", boolean(false));
  return schema;
}

// The families of choices met so far: their table, the name of their definition, and the definition.
struct Definitions {
  std::map<const void*, std::string> names;
  Value schemas = object();

  std::string new_name(std::string_view wanted) const {
    std::string name(wanted.empty() ? "choice" : wanted);
    const auto taken = [this](const std::string& n) {
      return std::any_of(names.begin(), names.end(), [&n](const auto& entry) { return entry.second == n; });
    };
    for (int i = 2; taken(name); ++i) name = fmt::format("{}_{}", wanted.empty() ? "choice" : wanted, i);
    return name;
  }
};

class SchemaWriter final : public Fields {
 public:
  // `name` is that of the enclosing field, for definitions met in its elements.
  SchemaWriter(Definitions& definitions, std::string_view name) : definitions_(definitions), name_(name) {}

  Value properties(const std::function<void(Fields&)>& fields) && {
    schema_ = object();
    fields(*this);
    return std::move(schema_);
  }

 protected:
  void boolean(const Field& field, bool& value) override { put(field, of_type("boolean"), lp::boolean(value)); }

  void integer(const Field& field, int64_t& value) override { put(field, bounded(of_type("integer"), field), {value, {}}); }

  void number(const Field& field, double& value, bool is_single) override {
    put(field, bounded(of_type("number"), field), {is_single ? json::as_single(value) : value, {}});
  }

  void text(const Field& field, std::string& value) override { put(field, of_type("string"), lp::text(value)); }

  void word(const Field& field, WordSlot& slot) override {
    Value known = lp::list(), schema = of_type("string");
    for (const std::string& name : slot.known) known.as<List>().push_back(lp::text(name));
    if (!slot.known.empty()) schema.add(slot.closed ? "enum" : "examples", std::move(known));
    put(field, std::move(schema), lp::text(slot.get()));
  }

  void group(const Field& field, GroupSlot& slot) override {
    Value properties = SchemaWriter(definitions_, name_of(field)).properties(slot.fields);
    const Value* short_form = properties.find(slot.shorthand);
    Value shorthand = short_form ? *short_form : object();
    const bool is_short = short_form != nullptr;
    Value whole = of_object(std::move(properties));
    put(field, is_short ? any_of("anyOf", {std::move(shorthand), std::move(whole)}) : std::move(whole));
  }

  void list(const Field& field, ListSlot& slot) override {
    Value schema = of_type("array");
    slot.resize(1);
    schema.add("items", element(field, [&](Fields& f) { slot.element(0, f); }));
    put(field, bounded(std::move(schema), field, "minItems", "maxItems"));
  }

  void dictionary(const Field& field, DictionarySlot& slot) override {
    Value schema = of_type("object");
    schema.add("additionalProperties", element(field, [&](Fields& f) { slot.element("", f); }));
    put(field, std::move(schema));
  }

  void optional(const Field& field, OptionalSlot& slot) override {
    slot.make(true);
    put(field, any_of("anyOf", {element(field, slot.value), of_type("null")}));
  }

  void choice(const Field& field, ChoiceSlot& slot) override {
    const std::string usual = slot.name();
    if (!definitions_.names.contains(slot.table)) define(field, slot);
    Value reference = object();
    reference.add("$ref", lp::text("#/definitions/" + definitions_.names[slot.table]));
    Value schema = any_of("allOf", {std::move(reference)});  // draft-07 ignores what stands beside a $ref itself
    put(field, std::move(schema), usual.empty() ? Value{} : lp::text(usual));
  }

  void anything(const Field& field, Document&) override { put(field, object()); }

 private:
  std::string name_of(const Field& field) const { return field.name.empty() ? name_ : std::string(field.name); }

  template <class Visit>
  Value element(const Field& field, const Visit& visit) const {
    SchemaWriter writer(definitions_, name_of(field));
    visit(writer);
    return std::move(writer.schema_);
  }

  // The definition has its name before its rows are visited: they may contain the same choice again.
  void define(const Field& field, ChoiceSlot& slot) {
    const std::string name = definitions_.names[slot.table] = definitions_.new_name(name_of(field));
    Value rows = lp::list();
    for (const auto& [row, doc] : slot.rows) {
      slot.select(row);
      Value bare = object(), with_fields = object(), required = lp::list();
      bare.add("const", lp::text(row));
      with_fields.add(row, of_object(SchemaWriter(definitions_, row).properties(slot.fields)));
      required.as<List>().push_back(lp::text(row));
      Value full = of_object(std::move(with_fields));
      full.add("required", std::move(required));
      for (Value* form : {&bare, &full}) {
        if (!doc.empty()) form->add("description", lp::text(doc));
        rows.as<List>().push_back(std::move(*form));
      }
    }
    Value one = object();
    one.add("oneOf", std::move(rows));
    definitions_.schemas.add(name, std::move(one));
  }

  static Value bounded(Value schema, const Field& field, const char* low = "minimum", const char* high = "maximum") {
    constexpr double kWidest = 2147483647;  // the limits of a type say nothing about the field
    const auto add = [&](const char* keyword, double bound) {
      if (std::abs(bound) >= kWidest) return;
      const bool is_whole = bound == std::trunc(bound);
      schema.add(keyword, is_whole ? Value{static_cast<int64_t>(bound), {}} : Value{bound, {}});
    };
    add(low, field.range.low);
    add(high, field.range.high);
    return schema;
  }

  void put(const Field& field, Value schema, Value usual = {}) {
    if (field.name.empty()) {
      schema_ = std::move(schema);
      return;
    }
    if (!field.doc.empty()) schema.add("description", lp::text(field.doc));
    if (!usual.is<std::nullptr_t>()) schema.add("default", std::move(usual));
    schema_.add(field.name, std::move(schema));
  }

  Definitions& definitions_;
  std::string name_;
  Value schema_;
};

Value extends_schema() {
  Value names = of_type("array");
  names.add("items", of_type("string"));
  return any_of("anyOf", {of_type("string"), std::move(names)});
}

}  // namespace

Document detail::schema_of(GroupSlot root, std::string_view title) {
  Definitions definitions;
  Value properties = SchemaWriter(definitions, "").properties(root.fields);
  if (!properties.find("extends")) properties.add("extends", extends_schema());
  Value schema = object();
  schema.add("$schema", text("http://json-schema.org/draft-07/schema#"));
  schema.add("title", text(title));
  Value body = of_object(std::move(properties));
  for (json::Member& member : body.as<Object>()) schema.add(member.key, std::move(member.value));
  schema.add("definitions", std::move(definitions.schemas));
  return Document(Document::State{std::move(schema)});
}

}  // namespace lp
