// JSON text -> tree of values with their places: nlohmann's parser reads, a cursor follows it and knows line and column.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "document_state.h"

namespace lp::json {
namespace {

// Steps from token to token through a text whose grammar somebody else checks.
class Cursor {
 public:
  Cursor(std::string_view text, std::shared_ptr<const Source> source) : text_(text), source_(std::move(source)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  // The place of the next token; the cursor moves behind it.
  Place next() {
    skip(text_.size());
    Place place = here();
    step();
    return place;
  }

  // The place of the token that the parser could not use; it had read the text up to `end`.
  Place offence(size_t end) {
    skip(std::min(end, text_.size()));
    return here();
  }

  // Is the token under the cursor a closing bracket after a comma?
  bool after_comma() const { return is_one_of("]}") && after_comma_; }

 private:
  bool is_one_of(std::string_view characters) const {
    return at_ < text_.size() && characters.find(text_[at_]) != characters.npos;
  }

  Place here() const { return {source_, source_->serial * 2 * kLongestText + static_cast<int64_t>(at_), line_, column_}; }

  void advance() {
    if (at_ >= text_.size()) return;
    const unsigned char c = static_cast<unsigned char>(text_[at_++]);
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((c & 0xC0) != 0x80) {  // bytes 2, 3, 4 of a character do not count
      ++column_;
    }
  }

  void advance_to(size_t end) {
    while (at_ < std::min(end, text_.size())) advance();
  }

  void skip(size_t end) {
    after_comma_ = false;
    while (at_ < end) {
      if (text_.substr(at_, 2) == "//") {
        advance_to(text_.find_first_of("\r\n", at_));
      } else if (text_.substr(at_, 2) == "/*") {
        const size_t close = text_.find("*/", at_ + 2);
        advance_to(close == text_.npos ? close : close + 2);
      } else if (is_one_of(" \t\r\n,:")) {
        after_comma_ |= text_[at_] == ',';
        advance();
      } else {
        return;
      }
    }
  }

  void step() {
    if (is_one_of("{}[]")) return advance();
    if (!is_one_of("\"")) {
      while (at_ < text_.size() && !is_one_of(" \t\r\n,:{}[]\"/")) advance();
      return;
    }
    for (advance(); at_ < text_.size() && text_[at_] != '"'; advance())
      if (text_[at_] == '\\') advance();
    advance();
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  size_t at_ = 0;
  int32_t line_ = 1, column_ = 1;
  bool after_comma_ = false;
};

// "[json.exception...] parse error at line 1, column 8: syntax error while parsing value - unexpected 1" -> "unexpected 1"
std::string reason_of(std::string_view message) {
  for (std::string_view lead : {"] ", ", column ", ": ", " - "}) {
    const size_t at = message.find(lead);
    if (at != message.npos && at < 120) message.remove_prefix(at + lead.size());
  }
  constexpr size_t kLongest = 200;
  return std::string(message.substr(0, kLongest)) + (message.size() > kLongest ? "..." : "");
}

// Receives the parser's events and builds the tree.
class Builder {
 public:
  Builder(std::string_view text, std::shared_ptr<const Source> source) : cursor_(text, std::move(source)) {}

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(int64_t value) { return put(value); }
  bool number_unsigned(uint64_t value) {
    if (value > static_cast<uint64_t>(INT64_MAX)) return put(static_cast<double>(value));
    return put(static_cast<int64_t>(value));
  }
  bool number_float(double value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(size_t) { return open(Object{}); }
  bool start_array(size_t) { return open(List{}); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    open_.back()->as<Object>().push_back({std::move(name), cursor_.next(), {}});
    return true;
  }

  bool end_object() {
    refuse_duplicates(open_.back()->as<Object>());
    return close();
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) {
    const Place place = cursor_.offence(position > 0 ? position - 1 : 0);
    const std::string_view remedy = cursor_.after_comma() ? "; remove the comma before it" : "";
    problem(place, fmt::format("broken JSON: {}{}", reason_of(error.what()), remedy));
    return false;
  }

  void problem(const Place& place, std::string message) {
    problems_.push_back({place.text(), "", std::move(message), place.order});
  }

  Value finish() {
    if (!problems_.empty()) throw DocumentError(std::move(problems_));
    return std::move(root_);
  }

 private:
  Value& slot() {
    if (open_.empty()) return root_;
    Value& parent = *open_.back();
    return parent.is<List>() ? parent.as<List>().emplace_back() : parent.as<Object>().back().value;
  }

  bool put(Data data) {
    Value& value = slot();
    value.data = std::move(data);
    value.place = cursor_.next();
    if (++values_ <= kMostValues) return true;
    problem(value.place, fmt::format("more than {} values", kMostValues));
    return false;
  }

  bool open(Data data) {
    Value& value = slot();
    value.data = std::move(data);
    value.place = cursor_.next();
    open_.push_back(&value);  // stays valid: its parents do not grow while it is open
    if (open_.size() <= kDeepest) return true;
    problem(value.place, fmt::format("nested deeper than {} levels", kDeepest));
    return false;
  }

  bool close() {
    cursor_.next();
    open_.pop_back();
    return true;
  }

  void refuse_duplicates(const Object& members) {
    std::vector<const Member*> sorted;
    for (const Member& member : members) sorted.push_back(&member);
    std::stable_sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->key < b->key; });
    for (size_t i = 1; i < sorted.size(); ++i) {
      const Member &first = *sorted[i - 1], &second = *sorted[i];
      if (first.key == second.key)
        problem(second.key_place, fmt::format("duplicate key \"{}\", already at {}", second.key, first.key_place.text()));
    }
  }

  Cursor cursor_;
  Value root_;
  std::vector<Value*> open_;
  std::vector<Problem> problems_;
  int64_t values_ = 0;
};

}  // namespace

Value parse(std::string_view text, const std::shared_ptr<const Source>& source) {
  const Place start{source, source->serial * 2 * kLongestText, 1, 1};
  if (static_cast<int64_t>(text.size()) > kLongestText) fail_at(start, "", fmt::format("longer than {} bytes", kLongestText));
  if (text.find('\0') != text.npos) fail_at(start, "", "holds a zero byte: not a JSON text");
  Builder builder(text, source);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder, nlohmann::json::input_format_t::json, true, true);
  return builder.finish();
}

}  // namespace lp::json
