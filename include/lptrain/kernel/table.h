// Kernel tables: one family of kernels, one ordered list of rows, fastest first, the plain scalar reference last.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lptrain/kernel/cpu.h"

namespace lp {

// One way to compute a family's contract. `Key` describes a call (shapes, types); `Run` is the function.
template <class Key, class Run>
struct KernelRow {
  std::string_view name;  // "onednn", "vnni", "portable", "reference"
  Backend backend;
  Isa needs;                           // the least instruction set that runs it
  const char* (*refuses)(const Key&);  // nullptr: takes this call; else why not ("needs K <= 65793")
  Run* run;
};

// Why a row cannot serve a call here and now, or "" if it can: backend and ISA limits first, then the row's own refusal.
template <class Row, class Key>
std::string why_not(const Row& row, const Key& key) {
  if (std::string reason = unavailable(row.backend, row.needs); !reason.empty()) return reason;
  const char* reason = row.refuses ? row.refuses(key) : nullptr;
  return reason ? reason : "";
}

// The first row that takes the call. The last row of every table takes every valid call.
template <class Row, class Key>
const Row& choose(std::span<const Row> rows, const Key& key) {
  for (const auto& row : rows)
    if (available(row.backend, row.needs) && (!row.refuses || !row.refuses(key))) return row;
  return rows.back();
}

}  // namespace lp
