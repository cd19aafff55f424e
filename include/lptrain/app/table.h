// A table of runs: grouped by axes, with means over seeds and differences to a baseline.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/run_groups.h"

namespace lp {

// How a table is laid out. Axes that it does not name become rows too, so that only seeds are averaged over. Runs that belong to
// no sweep are rows by their formats (kFormatsAxis) where these differ, and by their names where they do not tell names apart.
struct TableLayout {
  std::vector<std::string> rows = {}, columns = {};  // axes
  std::vector<std::string> metrics = {};  // keys of table_columns(); empty: with column axes accuracy, else all that any run has
  std::string baseline = "f32";           // of rows by formats "f32/f32", if nothing else is asked for
};

struct TableCell {
  Estimate estimate;
  std::vector<std::string> troubles;  // runs of it that are missing: "seed 2 diverged"
};
struct TableHead {
  std::vector<std::string> labels;  // one of each column axis
  const TableColumn* column = nullptr;
};
struct TableRow {
  std::vector<std::string> labels;  // one of each row axis
  std::vector<TableCell> cells;     // one for each head
};
struct Table {
  std::vector<std::string> row_axes, column_axes;
  std::string baseline;  // what differences are to
  std::vector<TableHead> heads;
  std::vector<TableRow> rows;
  std::vector<std::string> notes;  // seeds, what is what, what is missing
};

// Throws Error(usage): no runs, unknown names, two runs with the same labels and seed.
Table table_of(const std::vector<RunRecord>& runs, const TableLayout& layout);

// md, csv, tex, json or html; throws Error(usage) with a suggestion.
std::string table_as(const Table& table, const std::string& format);
std::string markdown_text(const std::string& text);  // so that Markdown shows it as it is, also in a cell
Document table_document(const Table& table);

}  // namespace lp
