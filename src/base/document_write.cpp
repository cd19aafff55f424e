// Struct -> document: visits the fields and builds the tree that reads back as the same struct.
#include "document_state.h"

namespace lp {
namespace {

using json::List;
using json::Object;
using json::Value;

Value object() { return {Object{}, {}}; }

// Builds one value. A field named "" is the value itself (an element), any other field becomes a member of it.
// Compact writing compares with `defaults`, the tree of the same struct freshly made: members that equal theirs are left out.
// What a choice holds is compared with the same choice freshly made, so that its text never depends on where it stands.
class Writer final : public Fields {
 public:
  Writer(bool compact, const Value* defaults) : compact_(compact), defaults_(defaults) {}

  Value write(const std::function<void(Fields&)>& fields) && {
    value_ = object();
    fields(*this);
    return std::move(value_);
  }

  // The same for an element of a list, a dictionary or an optional.
  template <class Visit>
  static Value element(bool compact, const Value* defaults, const Visit& visit) {
    Writer writer(compact, defaults);
    visit(writer);
    return std::move(writer.value_);
  }

 protected:
  void boolean(const Field& field, bool& value) override { put(field, {value, {}}); }
  void integer(const Field& field, int64_t& value) override { put(field, {value, {}}); }
  void number(const Field& field, double& value, bool is_single) override {
    put(field, {is_single ? json::as_single(value) : value, {}});
  }
  void text(const Field& field, std::string& value) override { put(field, {value, {}}); }
  void word(const Field& field, WordSlot& slot) override { put(field, {slot.get(), {}}); }

  void group(const Field& field, GroupSlot& slot) override {
    const Value* defaults = defaults_of(field);
    Value value = Writer(compact_, defaults).write(slot.fields);
    const Object& members = value.as<Object>();
    if (defaults && members.empty() && !field.name.empty()) return;
    const bool is_short = defaults && members.size() == 1 && members[0].key == slot.shorthand && !members[0].value.is<Object>() &&
                          !members[0].value.is<std::nullptr_t>();
    put(field, is_short ? Value(members[0].value) : std::move(value));
  }

  // The struct is a copy, so a fresh element can be appended to see what elements look like by default.
  void list(const Field& field, ListSlot& slot) override {
    const size_t size = slot.size();
    Value fresh, whole{List{}, {}};
    if (compact_ && size > 0) {
      slot.resize(size + 1);
      fresh = element(true, nullptr, [&](Fields& f) { slot.element(size, f); });
    }
    for (size_t i = 0; i < size; ++i)
      whole.as<List>().push_back(element(compact_, compact_ ? &fresh : nullptr, [&](Fields& f) { slot.element(i, f); }));
    put(field, std::move(whole));
  }

  void dictionary(const Field& field, DictionarySlot& slot) override {
    const std::vector<std::string> names = slot.names();
    Value fresh, whole = object();
    if (compact_ && !names.empty()) fresh = element(true, nullptr, [&](Fields& f) { slot.element("\n", f); });
    for (const std::string& name : names)
      whole.add(name, element(compact_, compact_ ? &fresh : nullptr, [&](Fields& f) { slot.element(name, f); }));
    put(field, std::move(whole));
  }

  void optional(const Field& field, OptionalSlot& slot) override {
    const Value* defaults = defaults_of(field);
    put(field, slot.has() ? element(compact_, defaults, slot.value) : Value{});
  }

  void choice(const Field& field, ChoiceSlot& slot) override {
    const std::string name = slot.name();
    if (name.empty()) return field.name.empty() ? put(field, {}) : void();
    Value chosen = Writer(compact_, nullptr).write(slot.fields);
    slot.select(name);  // the struct is a copy: what was chosen is written already
    const Value fresh = Writer(compact_, nullptr).write(slot.fields);
    if (chosen == fresh) return put(field, {name, {}});
    if (compact_) std::erase_if(chosen.as<Object>(), [&](const json::Member& m) { return m.value == *fresh.find(m.key); });
    Value whole = object();
    whole.add(name, std::move(chosen));
    put(field, std::move(whole));
  }

  void anything(const Field& field, Document& value) override { put(field, value.state().root); }

 private:
  const Value* defaults_of(const Field& field) const {
    const Value* value = field.name.empty() || !defaults_ ? defaults_ : defaults_->find(field.name);
    return value && value->is<Object>() ? value : nullptr;
  }

  void put(const Field& field, Value value) {
    if (field.name.empty()) {
      value_ = std::move(value);
      return;
    }
    const Value* usual = defaults_ ? defaults_->find(field.name) : nullptr;
    if (!usual || !(*usual == value)) value_.add(field.name, std::move(value));
  }

  bool compact_;
  const Value* defaults_;  // null: write everything
  Value value_;
};

}  // namespace

Document detail::write_document(GroupSlot root) { return Document(Document::State{Writer(false, nullptr).write(root.fields)}); }

Document detail::write_document(GroupSlot root, GroupSlot defaults) {
  const Value usual = Writer(true, nullptr).write(defaults.fields);
  return Document(Document::State{Writer(true, &usual).write(root.fields)});
}

}  // namespace lp
