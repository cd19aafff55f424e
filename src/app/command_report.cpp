// lptrain report: a run or a sweep as a page to read.
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/app/run_page.h"
#include "lptrain/app/sweep_page.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "rows.h"

namespace lp {
namespace {

struct ReportResult {
  std::string status = "finished", report;
  int64_t bytes = 0;
  void fields(Fields& f) {
    f("status", status, "finished");
    f("report", report, "the file that was written");
    f("bytes", bytes, "of it");
  }
};

std::string page_of(const std::filesystem::path& folder, const std::string& data_folder) {
  if (!std::filesystem::exists(folder / "config.json") && holds_runs(folder)) return sweep_page(folder);
  const RunStory story = run_story(folder);
  const Trained t = load_trained(folder, story.summary.status != "finished", data_folder);
  return run_page(story, t.config, t.data, *t.model);
}

}  // namespace

int command::report(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const std::filesystem::path folder = arguments.text("RUN");
  const std::string page = page_of(folder, arguments.text("data"));
  ReportResult result;
  result.report = arguments.has("out") ? arguments.text("out") : (folder / "report.html").string();
  result.bytes = std::ssize(page);
  write_file(result.report, page);
  console.print("{} ({})", result.report, human_bytes(result.bytes));
  console.json(write(result));
  return 0;
}

}  // namespace lp
