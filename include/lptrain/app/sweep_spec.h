// A sweep as data: many runs that differ in a few values of one config.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/base/document.h"

namespace lp {

// Path of the config -> value, applied in order, as --set does.
using Assignments = Dictionary<Document>;

// What differs in some cells of the grid: those whose point on every named axis matches. Patterns are globs, alternatives stand
// between '|': {"format": "int2|binary", "model": "mlp"}.
struct CellRule {
  Dictionary<std::string> where;
  Assignments set;
  bool skip = false;  // such cells are left out
  void fields(Fields& f);
};

// A smaller version of a sweep.
struct SweepSize {
  Assignments set;
  std::vector<int64_t> seeds;     // empty: as in full
  std::vector<std::string> only;  // points, as for --only; empty: all
  double minutes = 0;             // what it may take on two cores; 0: not said
  bool is_said() const { return !set.empty() || !seeds.empty() || !only.empty(); }
  void fields(Fields& f);
};

// What somebody else reports of some cells, and how near we should come.
struct Published {
  Dictionary<std::string> where = {};  // as in CellRule
  std::string metric = "accuracy";     // a column of the table (table_columns.h)
  std::optional<double> value = {}, deviation = {};
  std::optional<std::vector<double>> band = {}, reduced = {},
                                     quick = {};  // [low, high] of ours minus the value (0 if there is none), by size
  std::string source = {}, note = {};
  bool recalled = false;  // from memory, not verified
  void fields(Fields& f);
};

// {"name", "base", "set", "vary", "cells", "seeds", ...}. An axis of "vary" is
//   a list of values, and its name the path that they are for:       "train.batch": [32, 64]
//   or named points, each with assignments of its own:               "format": {"f32": {}, "int8": {"precision": {...}}}
//   or with those of a config, whatever it says:                     "method": {"lsq": {"extends": "../methods/lsq.json"}}
// The grid is the product of the axes, in the order of the file.
struct SweepSpec {
  std::string name, description;
  Document base;  // a config, or the name of one
  Assignments set;
  Dictionary<Document> vary;
  std::vector<CellRule> cells;
  std::vector<int64_t> seeds{1};
  std::vector<std::string> only;           // points, as for --only; empty: all
  std::vector<std::string> rows, columns;  // axes, as `table` lays them out; empty: all others
  std::string baseline = "f32";            // the point that others are compared with
  double minutes = 0;                      // what it may take on two cores; 0: not said
  SweepSize reduced, quick;
  std::vector<Published> published;
  std::vector<std::string> discussion;  // what surprises in the numbers of the full size, and why: sentences for people
  void fields(Fields& f);
};

// Reads a sweep; a base that is named becomes inline (looked for beside the file, then as find_config does). Throws
// Error(usage): what it is not (a run config, a sweep of sweeps), and every mistake of form at once (DocumentError).
SweepSpec load_sweep(const std::filesystem::path& file);
SweepSpec read_sweep(const Document& document, const std::filesystem::path& beside);

// The sweep in a smaller size, a sweep itself: one of kSmaller, which its name gets as an ending.
inline constexpr const char* kSmaller[] = {"quick", "reduced"};
const SweepSize& size_of(const SweepSpec& spec, const std::string& size);
SweepSpec in_size(SweepSpec spec, const std::string& size);

// A sweep file: as named, else among configs/tables and configs that came with the program.
std::filesystem::path find_sweep(const std::string& name);

// Does a name match one of the patterns between '|'?
bool matches(std::string_view patterns, std::string_view name);

}  // namespace lp
