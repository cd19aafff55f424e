// The CSV tokenizer.
#include "lptrain/data/csv.h"

#include "lptrain/base/error.h"

namespace lp {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view file, char delimiter) : text_(text), file_(file), delimiter_(delimiter) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // byte order mark
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{line_, {}};
      do row.fields.push_back(field());
      while (!end_of_row());
      if (row.fields.size() == 1 && row.fields[0].empty()) continue;
      if (!rows.empty() && row.fields.size() != rows[0].fields.size())
        fail(ErrorKind::data, "{}:{}: {} fields, but the first row has {}", file_, row.line, row.fields.size(),
             rows[0].fields.size());
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]) && text_[at_] != delimiter_) ++at_;
  }

  std::string field() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    const size_t end = std::min(text_.find_first_of(std::string{delimiter_, '\n', '\r', '\0'}, at_), text_.size());
    std::string_view raw = text_.substr(at_, end - at_);
    at_ = end;
    while (!raw.empty() && is_blank(raw.back())) raw.remove_suffix(1);
    return std::string(raw);
  }

  std::string quoted() {
    const int64_t opened = line_;
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          skip_blanks();
          return value;
        }
        ++at_;
      }
      line_ += c == '\n';
      value += c;
    }
    fail(ErrorKind::data, "{}:{}: a quote is opened and never closed", file_, opened);
  }

  // Steps over a delimiter (false) or an end of line (true).
  bool end_of_row() {
    if (at_ >= text_.size()) return true;
    const char c = text_[at_++];
    if (c == delimiter_) return false;
    if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    if (c != '\n' && c != '\r')
      fail(ErrorKind::data, "{}:{}: found byte {:#04x} after a field, wanted '{}' or the end of the line", file_, line_,
           static_cast<unsigned char>(c), delimiter_);
    ++line_;
    return true;
  }

  std::string_view text_, file_;
  char delimiter_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::string_view file, char delimiter) {
  return CsvReader(text, file, delimiter).rows();
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && (text.empty() || (text.front() != ' ' && text.back() != ' ')))
    return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace lp
