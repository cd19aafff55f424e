// Ours beside theirs: what a sweep reached, against what is published of its cells.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "lptrain/app/console.h"
#include "lptrain/app/run_groups.h"
#include "lptrain/app/sweep_spec.h"

namespace lp {

// By where the 95 % confidence interval of ours lies: within the band, outside, or across one of its edges. Of one seed only the
// mean is known, and decides.
enum class Verdict : uint8_t { pass, missed, undecided, not_run, not_judged };
template <>
struct Words<Verdict> {
  static constexpr std::string_view list[] = {"pass", "missed", "undecided", "not run", "not judged"};
};

// One published value of one cell.
struct ReproducedCell {
  std::vector<std::string> labels;  // one of each axis
  std::string metric;
  std::optional<double> value, deviation;  // theirs
  Estimate ours;
  std::optional<double> low, high;  // where ours must lie
  Verdict verdict = Verdict::not_judged;
  std::string source, note;
  bool recalled = false;
  void fields(Fields& f);
};

struct Reproduction {
  std::vector<std::string> axes;
  std::vector<ReproducedCell> cells;  // in the order of "published", then of the runs
  int64_t count(Verdict verdict) const;
  Cells table() const;                     // heads, and a row for each cell
  std::vector<std::string> notes() const;  // sources, and what is undecided or recalled from memory
  std::string text() const;                // both in Markdown
  std::string sentence() const;            // "13 of 16 values are within their bands, 2 missed, 1 undecided"
};

// A cell whose runs are missing is not run; one without a band (in the size that was run) is not judged.
Reproduction reproduce(const SweepSpec& spec, const RunGroups& groups);
Reproduction reproduction_of(const SweepSpec& spec, const std::vector<RunRecord>& runs);  // the same, of all axes

// Where and how a reproduction was made: heads its files in configs/tables/results. All versions of its runs; machine and date of
// the last one; time that it took ("": not known).
struct Provenance {
  std::string command, version, cpu, date, time;
  std::string text(std::string_view before) const;  // a line each
};
Provenance provenance_of(const std::vector<RunRecord>& runs, const std::vector<std::string>& command, const std::string& time);

}  // namespace lp
