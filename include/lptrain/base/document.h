// JSON texts that remember where each value came from: comments, `extends`, `--set` and merges never lose file, line and column.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/base/error.h"
#include "lptrain/base/fields.h"

namespace lp {

// A mistake in a document, with its place ("configs/a.json:14:7", "--set train.epoch=3") and its path ("train.epoch").
struct Problem {
  std::string origin;
  std::string path;
  std::string message;
  int64_t order = 0;  // position in the text, for sorting
};

// All mistakes of a document at once, in the order of the text; what() holds at most 20 of them, a line each.
struct DocumentError : Error {
  explicit DocumentError(std::vector<Problem> list);
  std::vector<Problem> problems;
};

// A JSON value with origins. Copies are deep. Paths are dotted, list elements by number: "model.layers.2.out"; a key that holds a
// dot stands in double quotes: overrides."conv1.*".weights
// Parsing: // and /* */ comments are allowed, trailing commas are not; duplicate keys, bad UTF-8, numbers out of range, nesting
// deeper than 100, more than 64 MB or 4 million values are errors. Objects keep the order of the text.
class Document {
 public:
  Document();  // {}
  ~Document();
  Document(const Document&);
  Document(Document&&) noexcept;
  Document& operator=(Document) noexcept;

  static Document parse(std::string_view text, std::string_view name);  // throws DocumentError
  // Reads a file and resolves "extends": "base.json" | ["a.json", ...], relative to the file: each base is merged in turn, then
  // the file itself (RFC 7386: objects merge, null deletes, lists replace). Cycles and missing files are DocumentErrors.
  static Document load(const std::filesystem::path& file);

  // Sets the value at a dotted path, making objects on the way ("adam" becomes {"adam": {}} if the path goes on with adam); the
  // text is JSON if it parses, else a string. A path into a scalar or past the end of a list is a DocumentError.
  void set(std::string_view path, std::string_view text, std::string_view origin);
  void set(std::string_view assignment);  // "path=value", origin "--set path=value"
  void merge(const Document& patch);      // RFC 7386
  bool has(std::string_view path) const;
  Document at(std::string_view path) const;                         // the part below a path, origins kept; throws if absent
  void erase(std::string_view path);                                // nothing happens if absent
  std::vector<std::string> keys(std::string_view path = "") const;  // of an object, in order; empty for others
  Dictionary<Document> members(std::string_view path = "") const;   // the same with their values; a key may hold anything
  size_t size(std::string_view path = "") const;                    // elements of a list or object
  bool is_list(std::string_view path = "") const;
  bool is_object(std::string_view path = "") const;
  std::string text_at(std::string_view path) const;  // a string's text; else the value as JSON
  std::string origin(std::string_view path) const;   // "file:line:column"
  // Short lists of scalars stay on one line; indent 0 puts everything on one line. Ends without newline.
  std::string dump(int indent = 2) const;

  struct State;  // the tree of values, known to base only
  explicit Document(State state);
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// Same values in the same order (order is meaning: the last of several matching overrides wins); origins do not matter.
bool operator==(const Document& a, const Document& b);

namespace detail {
template <class T>
GroupSlot root_slot(T& value) {
  return {[&value](Fields& f) { value.fields(f); }, {}};
}

void read_document(const Document& document, GroupSlot root);  // throws DocumentError
Document write_document(GroupSlot root);                       // may change what the slot shows
Document write_document(GroupSlot root, GroupSlot defaults);   // leaves out what equals the defaults
Document schema_of(GroupSlot root, std::string_view title);
}  // namespace detail

// Fills a struct from a document; fields that it does not mention keep their value. Unknown keys, wrong types, numbers out of
// range, unknown words, broken claims: all are reported at once (DocumentError). Integers must be integers (3.0 is, 3.7 is not).
// "$schema", "_comment" and "description" are accepted in the object of any struct or choice that does not name them.
template <class T>
void read(const Document& document, T& into) {
  detail::read_document(document, detail::root_slot(into));
}

// The document of a struct: read(write(x)) equals x. A choice whose fields are all at their defaults is written as "name". With
// `compact`, fields at their default are left out. JSON has no infinity and no NaN: they become null, which does not read back.
template <class T>
Document write(const T& from, bool compact = false) {
  T copy = from, fresh{};
  if (!compact) return detail::write_document(detail::root_slot(copy));
  return detail::write_document(detail::root_slot(copy), detail::root_slot(fresh));
}

// JSON Schema (draft-07) of a struct, for editors. Structs may contain themselves only by way of a Choice.
template <class T>
Document schema(std::string_view title) {
  T value{};
  return detail::schema_of(detail::root_slot(value), title);
}

// What `explain` prints of one field. Elements of lists and dictionaries are called '*': "model.layers.*.linear.out".
struct FieldHelp {
  std::string path, type, allowed, fallback, doc;
};
std::vector<FieldHelp> help_of(GroupSlot root);
template <class T>
std::vector<FieldHelp> help() {
  T value{};
  return help_of(detail::root_slot(value));
}

}  // namespace lp
