// Measuring a run that is over.
#include "lptrain/app/run_end.h"

#include "lptrain/app/run_page.h"
#include "lptrain/base/files.h"
#include "lptrain/deploy/latency.h"
#include "lptrain/deploy/packed.h"

namespace lp {
namespace {

void measure(RunEnd& run, bool measures_latency) {
  const std::filesystem::path packed = run.folder / "packed.safetensors";
  write_tensors(packed, pack(run.model));
  run.summary.cost.packed_bytes = static_cast<int64_t>(std::filesystem::file_size(packed));
  if (measures_latency) run.summary.cost.latency = {batch_seconds(run.model, 1), batch_seconds(run.model, 64)};
}

}  // namespace

std::function<void(RunEnd&)> run_end(bool measures_latency) {
  return [measures_latency](RunEnd& run) {
    if (run.summary.status == "finished") measure(run, measures_latency);
    write_file(run.folder / "report.html", run_page(run_story(run.folder, run.summary), run.config, run.data, run.model));
  };
}

}  // namespace lp
