// Tables as Markdown, CSV, JSON and HTML.
#include <algorithm>
#include <cmath>

#include "lptrain/base/text.h"
#include "table_parts.h"

namespace lp {
namespace {

using Texts = std::vector<std::string>;
using Escape = std::string (*)(const std::string&);

std::string replaced(std::string text, std::initializer_list<std::pair<char, const char*>> signs) {
  std::string safe;
  for (const char c : text) {
    const auto found = std::ranges::find(signs, c, &std::pair<char, const char*>::first);
    safe += found == signs.end() ? std::string(1, c == '\n' ? ' ' : c) : found->second;
  }
  return safe;
}

std::string heading_of(const TableHead& head, bool has_several) {
  const std::string name = join(head.labels, " ");
  return name.empty()  ? std::string(head.column->heading)
         : has_several ? fmt::format("{}: {}", name, head.column->heading)
                       : name;
}

bool has_several_metrics(const Table& table) {
  return std::ranges::any_of(table.heads, [&](const TableHead& h) { return h.column != table.heads[0].column; });
}

Texts texts_of(const TableRow& row, const Table& table) {
  Texts texts = row.labels;
  for (size_t i = 0; i < row.cells.size(); ++i) texts.push_back(cell_text(row.cells[i], table.heads[i]));
  return texts;
}

std::string joined(const Texts& texts, Escape escape, const char* before, const char* between, const char* after) {
  std::string line = before;
  for (size_t i = 0; i < texts.size(); ++i) line += (i ? between : "") + escape(texts[i]);
  return line + after;
}

// Sentences.
Texts notes_with_caption(const Table& table) {
  Texts notes = table.notes;
  if (const std::string text = caption(table); !text.empty()) notes.insert(notes.begin(), text);
  for (std::string& note : notes) note = capitalized(note);
  return notes;
}

// ---- Markdown

std::string md_escape(const std::string& text) {
  return replaced(text, {{'|', "\\|"}, {'*', "\\*"}, {'_', "\\_"}, {'<', "&lt;"}});
}

std::string markdown(const Table& table) {
  const Texts heads = headings(table);
  std::string text = joined(heads, md_escape, "| ", " | ", " |\n");
  for (size_t i = 0; i < heads.size(); ++i) text += i < table.row_axes.size() ? "|:---" : "|---:";
  text += "|\n";
  for (const TableRow& row : table.rows) text += joined(texts_of(row, table), md_escape, "| ", " | ", " |\n");
  return fmt::format("{}\n{}.\n", text, joined(notes_with_caption(table), md_escape, "", ". ", ""));
}

// ---- CSV: numbers as they are, with what belongs to them in columns of their own

std::string csv_escape(const std::string& text) {
  return text.find_first_of(",\"\n") == text.npos ? text : "\"" + replaced(text, {{'"', "\"\""}}) + "\"";
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string csv(const Table& table) {
  Texts heads = table.row_axes;
  for (const TableHead& head : table.heads) {
    const std::string name = join(head.labels, " ") + (head.labels.empty() ? "" : " ") + std::string(head.column->key);
    heads.push_back(name);
    if (head.column->shown == Shown::spread) heads.push_back(name + " deviation");
    if (head.column->shown == Shown::difference) heads.insert(heads.end(), {name + " low", name + " high"});
    heads.push_back(name + " seeds");
  }
  std::string text = joined(heads, csv_escape, "", ",", "\n");
  for (const TableRow& row : table.rows) {
    Texts cells = row.labels;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const Estimate& e = row.cells[i].estimate;
      cells.push_back(e.count ? csv_number(e.mean) : "");
      if (table.heads[i].column->shown == Shown::spread) cells.push_back(e.count ? csv_number(e.deviation) : "");
      if (table.heads[i].column->shown == Shown::difference)
        cells.insert(cells.end(), {e.count ? csv_number(e.low) : "", e.count ? csv_number(e.high) : ""});
      cells.push_back(std::to_string(e.count));
    }
    text += joined(cells, csv_escape, "", ",", "\n");
  }
  return text;
}

// ---- HTML: a fragment

std::string html_escape(const std::string& text) {
  return replaced(text, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}});
}

// Numbers to the right.
std::string html_row(const Texts& texts, const char* cell, size_t labels) {
  std::string row = "<tr>";
  for (size_t i = 0; i < texts.size(); ++i)
    row += fmt::format("<{0}{1}>{2}</{0}>", cell, i < labels ? "" : " style=\"text-align:right\"", html_escape(texts[i]));
  return row + "</tr>";
}

std::string html(const Table& table) {
  const size_t labels = table.row_axes.size();
  std::string text = "<table>\n<thead>" + html_row(headings(table), "th", labels) + "</thead>\n<tbody>\n";
  for (const TableRow& row : table.rows) text += html_row(texts_of(row, table), "td", labels) + "\n";
  return text + joined(notes_with_caption(table), html_escape, "</tbody>\n</table>\n<p>", ". ", ".</p>\n");
}

// ---- JSON

struct JsonCell {
  std::string column, unit;
  std::vector<std::string> labels;
  std::optional<double> mean, deviation, low, high;
  int64_t seeds = 0;
  void fields(Fields& f) {
    f("column", column, "key");
    f("unit", unit, "of the numbers");
    f("labels", labels, "one of each column axis");
    f("mean", mean, "over seeds");
    f("deviation", deviation, "sample deviation over seeds");
    f("low", low, "end of the 95 % confidence interval of the mean");
    f("high", high, "the other end");
    f("seeds", seeds, "with a value");
  }
};
struct JsonRow {
  std::vector<std::string> labels;
  std::vector<JsonCell> cells;
  void fields(Fields& f) {
    f("labels", labels, "one of each row axis");
    f("cells", cells, "columns, in order");
  }
};
struct JsonTable {
  std::string status = "finished";
  std::vector<std::string> row_axes, column_axes, notes;
  std::vector<JsonRow> rows;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("row_axes", row_axes, "what names the rows");
    f("column_axes", column_axes, "what names the columns");
    f("rows", rows, "in order");
    f("notes", notes, "what a reader must know");
  }
};

std::optional<double> known(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

JsonCell json_cell(const TableCell& cell, const TableHead& head) {
  constexpr const char* kUnits[] = {"percent", "percent", "points", "bits", "count", "bytes", "seconds", "joules", "ratio"};
  JsonCell json{std::string(head.column->key),
                kUnits[static_cast<size_t>(head.column->unit)],
                head.labels,
                {},
                {},
                {},
                {},
                cell.estimate.count};
  if (cell.estimate.count == 0) return json;
  json.mean = known(cell.estimate.mean);
  json.deviation = known(cell.estimate.deviation);
  json.low = known(cell.estimate.low);
  json.high = known(cell.estimate.high);
  return json;
}

std::string json(const Table& table) { return table_document(table).dump() + "\n"; }

struct FormatRow {
  std::string_view name;
  std::string (*write)(const Table&);
};
constexpr FormatRow kFormats[] = {{"md", markdown}, {"csv", csv}, {"tex", latex}, {"json", json}, {"html", html}};

}  // namespace

std::string markdown_text(const std::string& text) { return md_escape(text); }

Texts headings(const Table& table) {
  Texts all = table.row_axes;
  const bool has_several = has_several_metrics(table);
  for (const TableHead& head : table.heads) all.push_back(heading_of(head, has_several));
  return all;
}

std::string caption(const Table& table) {
  return table.column_axes.empty() || has_several_metrics(table) || table.heads.empty()
             ? ""
             : std::string(table.heads[0].column->heading);
}

std::string cell_text(const TableCell& cell, const TableHead& head) {
  const bool all_diverged = cell.estimate.count == 0 && !cell.troubles.empty() && cell.troubles[0].ends_with("diverged");
  return all_diverged && head.column->shown != Shown::difference ? "diverged" : estimate_text(cell.estimate, *head.column);
}

Document table_document(const Table& table) {
  JsonTable whole{.row_axes = table.row_axes, .column_axes = table.column_axes, .notes = table.notes, .rows = {}};
  for (const TableRow& row : table.rows) {
    JsonRow& made = whole.rows.emplace_back(JsonRow{row.labels, {}});
    for (size_t i = 0; i < row.cells.size(); ++i) made.cells.push_back(json_cell(row.cells[i], table.heads[i]));
  }
  return write(whole);
}

std::string table_as(const Table& table, const std::string& format) {
  Texts known_formats;
  for (const FormatRow& row : kFormats) {
    if (row.name == format) return row.write(table);
    known_formats.emplace_back(row.name);
  }
  fail(ErrorKind::usage, "--format: unknown format \"{}\"{}", format, suggestion(format, known_formats));
}

}  // namespace lp
