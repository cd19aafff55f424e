// CSV text (RFC 4180) to rows of fields.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace lp {

struct CsvRow {
  int64_t line;  // of its first character, from 1
  std::vector<std::string> fields;
};

// Quoted fields may hold delimiters, line breaks and doubled quotes; blanks around unquoted fields and empty lines are dropped;
// LF and CRLF both end a line. Every row must have as many fields as the first. Zero bytes, open quotes and ragged rows are
// Error(data) "FILE:LINE: ...".
std::vector<CsvRow> parse_csv(std::string_view text, std::string_view file, char delimiter = ',');

// The opposite of parse_csv for one field: quoted where it must be.
std::string csv_field(std::string_view text);

}  // namespace lp
