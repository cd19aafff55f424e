// The columns that a table of runs may have, as one table.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lptrain/base/document.h"
#include "lptrain/base/statistics.h"

namespace lp {

enum class Unit : uint8_t { percent, error, points, bits, count, bytes, seconds, joules, ratio };
enum class Better : uint8_t { higher, lower, neither };

// Over seeds: the mean alone, with its deviation, or the mean difference to the baseline, seed by seed, with its confidence
// interval.
enum class Shown : uint8_t { mean, spread, difference };

struct TableColumn {
  std::string_view key, heading;
  std::string_view path;  // into summary.json
  Unit unit;
  Better better;
  Shown shown;
  std::string_view doc;  // what a reader must know; "": the heading says it
  bool is_usual = true;  // in tables that do not say which columns they want
};

std::span<const TableColumn> table_columns();
const TableColumn& find_column(const std::string& key);  // throws Error(usage) with a suggestion

// In the column's unit (percent: 0..100; error: 100 minus it); nothing if it is not there, null, or of a split without examples.
std::optional<double> value_in(const Document& summary, const TableColumn& column);

// A number as people read it: "98.91", "1.6 MB", "12 ms".
std::string number_text(double value, Unit unit);
// With deviation or interval: "98.91 ± 0.05", "-0.12 [-0.30, +0.06]"; "-" of nothing.
std::string estimate_text(const Estimate& e, const TableColumn& column);

}  // namespace lp
