// Tables as LaTeX, for an article of any size, without packages. Numbers are math, all else is text. What is wider than
// \textwidth or longer than a page becomes several tables.
#include <algorithm>
#include <cctype>
#include <numeric>

#include "lptrain/base/text.h"
#include "table_parts.h"

namespace lp {
namespace {

using Texts = std::vector<std::string>;

constexpr double kTextWidth = 35;  // em of \small: 345 pt of 9 pt, 360 of 10, 390 of 10.95
constexpr double kGap = 0.9;       // between columns: two \tabcolsep of 4 pt
constexpr double kHeading = 7;     // a word of a heading that is longer is cut
constexpr size_t kMostLines = 28;  // of a part, so that there is room for its caption

constexpr const char* kBreak = "\\\\";

constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"\\", "\\textbackslash{}"},
                                                                    {"%", "\\%"},
                                                                    {"_", "\\_"},
                                                                    {"&", "\\&"},
                                                                    {"#", "\\#"},
                                                                    {"$", "\\$"},
                                                                    {"{", "\\{"},
                                                                    {"}", "\\}"},
                                                                    {"<", "\\textless{}"},
                                                                    {">", "\\textgreater{}"},
                                                                    {"|", "\\textbar{}"},
                                                                    {"~", "\\textasciitilde{}"},
                                                                    {"^", "\\textasciicircum{}"},
                                                                    {"--", "-{}-{}"},
                                                                    {"`", "{`}"},
                                                                    {"\n", " "},
                                                                    {"±", "$\\pm$"},
                                                                    {"×", "$\\times$"},
                                                                    {"·", "$\\cdot$"},
                                                                    {"µ", "$\\mu$"},
                                                                    {"μ", "$\\mu$"},
                                                                    {"²", "$^2$"},
                                                                    {"³", "$^3$"},
                                                                    {"°", "$^\\circ$"},
                                                                    {"−", "$-$"},
                                                                    {"≤", "$\\le$"},
                                                                    {"≥", "$\\ge$"},
                                                                    {"≈", "$\\approx$"},
                                                                    {"→", "$\\to$"},
                                                                    {"∞", "$\\infty$"},
                                                                    {"–", "--"},
                                                                    {"—", "---"},
                                                                    {"…", "\\dots{}"},
                                                                    {"†", "\\dag{}"}};

std::string tex_text(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const auto* sign = std::ranges::find_if(kSigns, [&](const auto& s) { return text.starts_with(s.first); });
    const bool is_sign = sign != std::end(kSigns);
    made += is_sign ? sign->second : text.substr(0, 1);
    text.remove_prefix(is_sign ? sign->first.size() : 1);
  }
  return made;
}

// Length of the number with which a text begins, its sign included.
size_t number_length(std::string_view text) {
  const size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  const size_t end = std::min(text.find_first_not_of("0123456789.", sign), text.size());
  return end > sign ? end : 0;
}

std::string tex_cell(std::string_view text) {
  if (text == "-") return "--";
  std::string made;
  while (!text.empty()) {
    const size_t number = number_length(text);
    const size_t end = number ? number : std::min(text.find_first_of("+-0123456789", 1), text.size());
    made += number ? fmt::format("${}$", text.substr(0, number)) : tex_text(text.substr(0, end));
    text.remove_prefix(end);
  }
  constexpr std::string_view kApart = "$ $\\pm$ $";
  for (size_t at = 0; (at = made.find(kApart, at)) != made.npos;) made.replace(at, kApart.size(), " \\pm ");
  return made;
}

// In em of Computer Modern, rather too much than too little; continuation bytes of UTF-8 take no room.
double width_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte & 0xC0) == 0x80) return 0;
  if (std::string_view("fijlt.,:;'|!()[] ").find(c) != std::string_view::npos) return 0.4;
  return byte >= 0x80 || std::isupper(byte) || std::string_view("mw%@&+-<>=~_").find(c) != std::string_view::npos ? 0.87 : 0.53;
}
double width_of(std::string_view text) {
  return std::transform_reduce(text.begin(), text.end(), 0.0, std::plus(), [](char c) { return width_of(c); });
}
double widest(const Texts& texts) {
  double most = 0;
  for (const std::string& text : texts) most = std::max(most, width_of(text));
  return most;
}

// Pieces of a word that are no wider than `room`, of a letter at least.
Texts cut(const std::string& word, double room) {
  Texts pieces(1);
  for (const char c : word) {
    if (!pieces.back().empty() && width_of(c) > 0 && width_of(pieces.back()) + width_of(c) > room) pieces.emplace_back();
    pieces.back() += c;
  }
  return pieces;
}

// What \\ would take for its own, if a row begins with it.
std::string guarded(const std::string& row) { return (row.starts_with('[') || row.starts_with('*') ? "{}" : "") + row; }

// The lines of a text in a column of that width.
std::string stacked(const std::string& text, double room, char side) {
  Texts lines;
  for (const std::string& word : split(text, ' '))
    for (const std::string& piece : cut(word, room)) {
      const bool fits = !lines.empty() && width_of(lines.back() + " " + piece) <= room;
      fits ? void(lines.back() += " " + piece) : lines.push_back(piece);
    }
  std::string made;
  for (const std::string& line : lines) made += (made.empty() ? "" : kBreak) + guarded(tex_text(line));
  return lines.size() < 2 ? made : fmt::format("\\begin{{tabular}}[b]{{@{{}}{}@{{}}}}{}\\end{{tabular}}", side, made);
}

struct Column {
  Texts cells;  // LaTeX, the heading first
  double width = 0;
};

// Row labels take half of the width at most.
std::vector<Column> label_columns(const Table& table) {
  std::vector<Texts> texts;
  std::vector<double> widths;
  for (size_t c = 0; c < table.row_axes.size(); ++c) {
    texts.push_back({table.row_axes[c]});
    for (const TableRow& row : table.rows) texts[c].push_back(row.labels[c]);
    widths.push_back(widest(texts[c]) + kGap);
  }
  while (std::accumulate(widths.begin(), widths.end(), 0.0) > kTextWidth / 2) *std::ranges::max_element(widths) *= 0.95;
  std::vector<Column> columns;
  for (size_t c = 0; c < texts.size(); ++c) {
    columns.push_back({{}, widths[c]});
    for (const std::string& text : texts[c]) columns[c].cells.push_back(stacked(text, widths[c] - kGap, 'l'));
  }
  return columns;
}

Column number_column(const Table& table, size_t c) {
  const std::string heading = headings(table)[table.row_axes.size() + c];
  Texts texts;
  for (const TableRow& row : table.rows) texts.push_back(cell_text(row.cells[c], table.heads[c]));
  const double width = std::max(widest(texts), std::min(kHeading, widest(split(heading, ' '))));
  Column column{{stacked(heading, width, 'r')}, width + kGap};
  for (const std::string& text : texts) column.cells.push_back(tex_cell(text));
  return column;
}

// Columns and rows that stand together: [first, last) of each.
struct Part {
  size_t first_column, last_column, first_row, last_row;
};

size_t lines_of(const std::vector<Column>& labels, size_t row) {
  size_t most = 1;
  for (const Column& column : labels) {
    size_t lines = 1;
    const std::string& cell = column.cells[row];
    for (size_t at = cell.find(kBreak); at != cell.npos; at = cell.find(kBreak, at + 2)) ++lines;
    most = std::max(most, lines);
  }
  return most;
}

std::vector<Part> parts_of(const std::vector<Column>& labels, const std::vector<Column>& numbers, size_t rows) {
  std::vector<size_t> borders{0};  // of rows
  for (size_t row = 0, lines = 0; row < rows; ++row) {
    const size_t more = lines_of(labels, row + 1);
    if (lines > 0 && lines + more > kMostLines) borders.push_back(row), lines = 0;
    lines += more;
  }
  borders.push_back(rows);
  double room = kTextWidth;
  for (const Column& column : labels) room -= column.width;
  std::vector<Part> parts;
  for (size_t begin = 0, end = 0; begin < numbers.size(); begin = end) {
    double width = 0;
    for (; end < numbers.size() && (end == begin || width + numbers[end].width <= room); ++end) width += numbers[end].width;
    for (size_t b = 1; b < borders.size(); ++b) parts.push_back({begin, end, borders[b - 1], borders[b]});
  }
  return parts;
}

bool is_about(const std::string& note, const Table& table, size_t first, size_t last) {
  return std::any_of(table.heads.begin() + static_cast<std::ptrdiff_t>(first),
                     table.heads.begin() + static_cast<std::ptrdiff_t>(last),
                     [&](const TableHead& head) { return head.column->doc == note; });
}

// Notes on a column stand below it, all others below the first part.
std::string caption_of(const Table& table, const Part& part, bool is_first) {
  std::string text = is_first ? "" : "Continued. ";
  if (const std::string name = caption(table); !name.empty()) text += tex_text(capitalized(name)) + ". ";
  for (const std::string& note : table.notes) {
    const bool is_of_column = is_about(note, table, 0, table.heads.size());
    if (is_of_column ? is_about(note, table, part.first_column, part.last_column) : is_first)
      text += tex_text(capitalized(note)) + ". ";
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string row_of(const std::vector<Column>& labels, const std::vector<Column>& numbers, const Part& part, size_t row) {
  Texts cells;
  for (const Column& column : labels) cells.push_back(column.cells[row]);
  for (size_t c = part.first_column; c < part.last_column; ++c) cells.push_back(numbers[c].cells[row]);
  return guarded(join(cells, " & ")) + " " + kBreak + "\n";
}

}  // namespace

std::string latex(const Table& table) {
  const std::vector<Column> labels = label_columns(table);
  std::vector<Column> numbers;
  for (size_t c = 0; c < table.heads.size(); ++c) numbers.push_back(number_column(table, c));
  std::string text;
  for (const Part& part : parts_of(labels, numbers, table.rows.size())) {
    text += fmt::format(
        "{}\\begin{{table}}\n\\centering\\small\\sloppy\\setlength{{\\tabcolsep}}{{4pt}}\n\\begin{{tabular}}{{@{{}}{}{}@{{}}}}"
        "\n\\hline\n{}\\hline\n",
        text.empty() ? "" : "\n", std::string(labels.size(), 'l'), std::string(part.last_column - part.first_column, 'r'),
        row_of(labels, numbers, part, 0));
    for (size_t r = part.first_row; r < part.last_row; ++r) text += row_of(labels, numbers, part, r + 1);
    text += fmt::format("\\hline\n\\end{{tabular}}\n\\caption{{{}}}\n\\end{{table}}\n",
                        caption_of(table, part, part.first_column + part.first_row == 0));
  }
  return text;
}

}  // namespace lp
