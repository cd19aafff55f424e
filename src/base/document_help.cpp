// Struct -> one line of help per field, for `explain`.
#include <fmt/format.h>

#include <algorithm>

#include "document_state.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

using json::Value;

// Lists the fields of a struct, depth first. The line of a list, a dictionary or an optional is that of its element, adapted.
class HelpWriter final : public Fields {
 public:
  HelpWriter(std::vector<FieldHelp>& lines, std::vector<const void*>& open_choices)
      : lines_(lines), open_choices_(open_choices) {}

  void visit(std::string path, std::string kind, const std::function<void(Fields&)>& fields) {
    std::swap(path, path_);
    std::swap(kind, kind_);
    fields(*this);
    path_ = std::move(path);
    kind_ = std::move(kind);
  }

 protected:
  void boolean(const Field& field, bool& value) override { put(field, "bool", "true | false", value ? "true" : "false"); }

  void integer(const Field& field, int64_t& value) override {
    put(field, "integer", json::bounds_text(field.range, true), std::to_string(value));
  }

  void number(const Field& field, double& value, bool is_single) override {
    put(field, "number", json::bounds_text(field.range, false), fmt::format("{}", is_single ? json::as_single(value) : value));
  }

  void text(const Field& field, std::string& value) override { put(field, "text", "", json::dump({value, {}}, 0)); }

  void word(const Field& field, WordSlot& slot) override {
    put(field, "word", join(slot.known, " | ") + (slot.closed || slot.known.empty() ? "" : " | ..."), slot.get());
  }

  void group(const Field& field, GroupSlot& slot) override {
    put(field, "object", slot.shorthand.empty() ? "" : fmt::format("or its \"{}\" alone", slot.shorthand), "");
    visit(path_of(field), "", slot.fields);
  }

  void list(const Field& field, ListSlot& slot) override {
    const std::string fallback = fmt::format("{} elements", slot.size());
    slot.resize(1);
    elements(field, "list of ", json::bounds_text(field.range, true), fallback, [&](Fields& f) { slot.element(0, f); });
  }

  void dictionary(const Field& field, DictionarySlot& slot) override {
    const std::string fallback = fmt::format("{} entries", slot.names().size());
    elements(field, "names with ", "", fallback, [&](Fields& f) { slot.element("*", f); });
  }

  void optional(const Field& field, OptionalSlot& slot) override {
    const bool had = slot.has();
    slot.make(true);
    const size_t line = lines_.size();
    visit(path_of(field), kind_ + "optional ", slot.value);
    lines_[line].doc = field.doc;
    if (!had) lines_[line].fallback = "null";
  }

  void choice(const Field& field, ChoiceSlot& slot) override {
    std::vector<std::string> names;
    for (const auto& row : slot.rows) names.emplace_back(row.first);
    put(field, "choice", join(names, " | "), slot.name());
    if (std::find(open_choices_.begin(), open_choices_.end(), slot.table) != open_choices_.end()) return;
    open_choices_.push_back(slot.table);
    for (const std::string& name : names) {
      slot.select(name);
      visit(json::path_join(path_of(field), name), "", slot.fields);
    }
    open_choices_.pop_back();
  }

  void anything(const Field& field, Document&) override { put(field, "any", "", ""); }

 private:
  std::string path_of(const Field& field) const { return field.name.empty() ? path_ : json::path_join(path_, field.name); }

  void elements(const Field& field, std::string_view kind, std::string allowed, std::string fallback,
                const std::function<void(Fields&)>& one) {
    const std::string path = path_of(field);
    const size_t line = lines_.size();
    visit(json::path_join(path, "*"), kind_ + std::string(kind), one);
    FieldHelp& help = lines_[line];  // the element's own line
    help.path = path;
    help.doc = field.doc;
    help.fallback = std::move(fallback);
    if (!allowed.empty()) help.allowed = fmt::format("{}{}{} elements", help.allowed, help.allowed.empty() ? "" : "; ", allowed);
  }

  void put(const Field& field, std::string_view type, std::string allowed, std::string fallback) {
    std::string prefix = field.name.empty() ? kind_ : "";
    lines_.push_back({path_of(field), prefix.append(type), std::move(allowed), std::move(fallback), std::string(field.doc)});
  }

  std::vector<FieldHelp>& lines_;
  std::vector<const void*>& open_choices_;  // families that are being listed: they are not opened again inside themselves
  std::string path_, kind_;
};

}  // namespace

std::vector<FieldHelp> help_of(GroupSlot root) {
  std::vector<FieldHelp> lines;
  std::vector<const void*> open_choices;
  HelpWriter(lines, open_choices).visit("", "", root.fields);
  return lines;
}

}  // namespace lp
