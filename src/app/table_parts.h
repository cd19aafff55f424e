// What the ways of writing a table share.
#pragma once
#include <string>
#include <vector>

#include "lptrain/app/table.h"

namespace lp {

std::vector<std::string> headings(const Table& table);  // of the row axes, then of the columns
std::string caption(const Table& table);                // what every cell shows, when all column heads are labels; else ""
std::string cell_text(const TableCell& cell, const TableHead& head);

std::string latex(const Table& table);

}  // namespace lp
