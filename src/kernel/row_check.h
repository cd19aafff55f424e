// Trust, but verify: runs extreme operands through every integer row of a table and keeps those that equal the reference.
#pragma once
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "lptrain/kernel/product.h"

namespace lp {

// A call of an integer product with operands made to saturate whatever can.
template <class Key>
struct ExtremeCase {
  Key key;
  std::vector<char> a, b;
  size_t result_bytes;
};

enum class Extreme { low, high, alternating };
inline constexpr std::array<std::array<Extreme, 2>, 4> kExtremePairs{{{Extreme::high, Extreme::high},
                                                                      {Extreme::high, Extreme::low},
                                                                      {Extreme::low, Extreme::low},
                                                                      {Extreme::alternating, Extreme::alternating}}};

// What an operand of an integer product holds.
struct Integers {
  DType type;
  Levels levels = Levels::any;
};

// n elements at the ends of the range.
std::vector<char> extreme_operand(const Integers& kind, int64_t n, Extreme which);

// The operands of integer products, of 16 bits or of bytes.
std::span<const std::pair<Integers, Integers>> integer_pairs(bool is_words);

// The rows of a table that may serve integer products, and what was found out about each.
template <class Row>
struct CheckedRows {
  std::vector<Row> exact;
  std::vector<std::string> outcome;  // by row of the table: "" = exact, or never asked because no case is its own
};

template <class Row, class Key>
std::string outcome_of(const Row& row, const std::vector<ExtremeCase<Key>>& cases, const std::vector<std::vector<char>>& wanted) {
  if (const std::string reason = unavailable(row.backend, row.needs); !reason.empty()) return "not checked: " + reason;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (row.refuses && row.refuses(cases[i].key)) continue;
    std::vector<char> found(wanted[i].size());
    row.run(cases[i].key, cases[i].a.data(), cases[i].b.data(), found.data());
    if (std::memcmp(found.data(), wanted[i].data(), found.size()) != 0) return "wrong on extreme operands: not used for integers";
  }
  return "";
}

template <class Row, class Key>
CheckedRows<Row> check_rows(std::span<const Row> rows, const std::vector<ExtremeCase<Key>>& cases) {
  std::vector<std::vector<char>> wanted;
  for (const auto& c : cases) {
    wanted.emplace_back(c.result_bytes);
    rows.back().run(c.key, c.a.data(), c.b.data(), wanted.back().data());
  }
  CheckedRows<Row> checked;
  for (const Row& row : rows) {
    checked.outcome.push_back(&row == &rows.back() ? "" : outcome_of(row, cases, wanted));
    if (!checked.outcome.back().starts_with("wrong")) checked.exact.push_back(row);
  }
  return checked;
}

// One line a row that may serve integers: what was found out with bytes, or else with words.
template <class Row>
std::vector<RowCheck> lines_of(std::string_view family, std::span<const Row> rows, bool (*serves_integers)(std::string_view),
                               const CheckedRows<Row>& bytes, const CheckedRows<Row>& words) {
  std::vector<RowCheck> lines;
  for (size_t i = 0; i < rows.size(); ++i)
    if (serves_integers(rows[i].name))
      lines.push_back({family, rows[i].name, bytes.outcome[i].empty() ? words.outcome[i] : bytes.outcome[i]});
  return lines;
}

}  // namespace lp
