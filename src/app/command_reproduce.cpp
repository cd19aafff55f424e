// lptrain reproduce: a table of the literature run again, ours beside theirs.
#include "lptrain/app/console.h"
#include "lptrain/app/reproduction.h"
#include "lptrain/app/sweep.h"
#include "lptrain/app/sweep_page.h"
#include "lptrain/app/table.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {

namespace fs = std::filesystem;

namespace {

struct Result {
  std::string status, sweep, folder, sentence;
  std::vector<ReproducedCell> cells;
  std::vector<std::string> kept;  // files written
  int64_t exit = 0;
  void fields(Fields& f) {
    f("status", status, "finished, missed, failed or interrupted");
    f("sweep", sweep, "its name");
    f("folder", folder, "where its runs are");
    f("sentence", sentence, "how many values are within their bands");
    f("cells", cells, "ours beside theirs");
    f("kept", kept, "files written by --keep");
    f("exit", exit, "exit code of the program");
  }
};

std::string discussion_text(const SweepSpec& spec) {
  if (spec.discussion.empty()) return "";
  return fmt::format("\n## Discussion\n\n- {}\n", join(spec.discussion, "\n- "));
}

// Markdown with the verdict, the table and all costs; CSV with all numbers; a picture. Beside the sweep's file, in results/.
std::vector<std::string> keep(const SweepCall& call, const fs::path& sweep, const Reproduction& made,
                              const std::vector<RunRecord>& runs, const Provenance& provenance) {
  const TableLayout pivot{call.spec.rows, call.spec.columns, {}, call.spec.baseline}, all{made.axes, {}, {}, call.spec.baseline};
  const fs::path folder = call.file.parent_path() / "results";
  make_folder(folder);
  const fs::path md = folder / (call.spec.name + ".md"), csv = folder / (call.spec.name + ".csv"),
                 svg = folder / (call.spec.name + ".svg");
  write_file(md, fmt::format("# {}\n\n{}.\n\n{}\n## Ours beside theirs\n\n{}\n## Table\n\n{}{}\n## Costs\n\n{}", call.spec.name,
                             call.spec.description, provenance.text("- "), made.text(), table_as(table_of(runs, pivot), "md"),
                             discussion_text(call.spec), table_as(table_of(runs, all), "md")));
  write_file(csv, provenance.text("# ") + table_as(table_of(runs, all), "csv"));
  write_file(svg, sweep_picture(sweep));
  return {md.string(), csv.string(), svg.string()};
}

Result conclude(const SweepOutcome& outcome, const Reproduction& made) {
  const bool missed = made.count(Verdict::missed) > 0;
  Result result{missed ? "missed" : outcome.status, outcome.sweep, outcome.folder, made.sentence(), made.cells, {}, outcome.exit};
  if (missed) result.exit = static_cast<int64_t>(ErrorKind::diverged);
  return result;
}

}  // namespace

int command::reproduce(const Arguments& arguments) {
  const Console console(arguments);
  const SweepCall call = sweep_of(arguments, arguments.text("NAME"));
  require(!call.spec.published.empty(), "{}: publishes nothing to compare with; `lptrain sweep` runs it", call.spec.name);
  const SweepOutcome outcome = run_sweep(call, arguments, console);
  if (outcome.status == "planned" || outcome.status == "interrupted") {
    console.json(write(outcome));
    return static_cast<int>(outcome.exit);
  }
  const std::vector<RunRecord> runs = read_records({outcome.folder});
  const Reproduction made = reproduction_of(call.spec, runs);
  Result result = conclude(outcome, made);
  if (arguments.has("keep"))
    result.kept = keep(call, outcome.folder, made, runs, provenance_of(runs, arguments.words(), outcome.time));
  console.print("{}", made.text());
  for (const std::string& file : result.kept) console.say("wrote {}", file);
  console.say("{}{}", result.sentence, outcome.time.empty() ? "" : "; took " + outcome.time);
  console.json(write(result));
  return static_cast<int>(result.exit);
}

}  // namespace lp
