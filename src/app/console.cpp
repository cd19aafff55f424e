// Printing.
#include "lptrain/app/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lp {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

void put_line(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fputc('\n', stream);
}

// Characters as they stand on a screen: UTF-8 continuation bytes take no room.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_number(const std::string& cell) {
  if (cell.empty() || cell == "-") return true;
  const char first = cell[cell.size() > 1 && (cell[0] == '+' || cell[0] == '-') ? 1 : 0];
  return first >= '0' && first <= '9';
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(stream)) && term && std::string_view(term) != "dumb";
}

bool has_colour(std::FILE* stream) { return is_terminal(stream) && !is_set("NO_COLOR"); }

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const int width = columns ? std::atoi(columns) : 0;
  return width > 0 ? width : 80;
}

Console::Console(const Arguments& arguments)
    : json_(arguments.given("json")),
      quiet_(arguments.given("quiet")),
      verbose_(arguments.given("verbose")),
      progress_(!quiet_ && !arguments.given("no-progress")) {}

void Console::print(std::string_view text) const {
  if (!json_) put_line(stdout, text);
}

void Console::json(const Document& object) const {
  if (json_) put_line(stdout, object.dump(0));
}

void Console::say(std::string_view text) const {
  if (!quiet_) put_line(stderr, text);
}

void print_error(std::string_view message, bool has_places) {
  if (has_places) return put_line(stderr, message);
  put_line(stderr, fmt::format("{} {}", has_colour(stderr) ? "\x1b[31merror:\x1b[0m" : "error:", message));
}

std::vector<bool> numeric_columns(const Cells& rows) {
  std::vector<bool> numbers;
  for (size_t r = 0; r < rows.size(); ++r) {
    numbers.resize(std::max(numbers.size(), rows[r].size()), true);
    for (size_t c = 0; r > 0 && c < rows[r].size(); ++c) numbers[c] = numbers[c] && is_number(rows[r][c]);
  }
  return numbers;
}

std::string table_text(const Cells& rows) {
  const std::vector<bool> numbers = numeric_columns(rows);
  std::vector<size_t> widths(numbers.size());
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string gap(widths[c] - width_of(row[c]), ' ');
      line += c ? "  " : "";
      line += numbers[c] ? gap + row[c] : row[c] + gap;
    }
    if (!text.empty()) text += '\n';
    text += line.substr(0, line.find_last_not_of(' ') + 1);
  }
  return text;
}

}  // namespace lp
