// Measuring a run that is over.
#include "lptrain/app/run_end.h"

#include "lptrain/app/run_page.h"
#include "lptrain/base/files.h"
#include "lptrain/deploy/coding.h"
#include "lptrain/deploy/latency.h"
#include "lptrain/deploy/packed.h"

namespace lp {
namespace {

Latency latency_of(Model& model) { return {batch_seconds(model, 1), batch_seconds(model, 64)}; }

void measure(RunEnd& run, bool measures_latency) {
  const std::filesystem::path file = run.folder / "packed.safetensors";
  const TensorFile packed = pack(run.model);
  const StoredBytes bytes = stored_bytes(packed);
  Summary::Cost& cost = run.summary.cost;
  cost.dense_bytes = bytes.dense;
  cost.sparse_bytes = bytes.sparse;
  cost.huffman_bytes = bytes.huffman;
  cost.compression = 4 * static_cast<double>(run.summary.parameters) / static_cast<double>(std::max<int64_t>(1, bytes.huffman));
  write_tensors(file, coded(packed, worthwhile(bytes)));
  cost.packed_bytes = static_cast<int64_t>(std::filesystem::file_size(file));
  if (measures_latency) run.summary.cost.latency = latency_of(run.model);
}

}  // namespace

std::function<void(RunEnd&)> run_end(bool measures_latency) {
  return [measures_latency](RunEnd& run) {
    if (run.summary.status == "finished") measure(run, measures_latency);
    write_file(run.folder / "report.html", run_page(run_story(run.folder, run.summary), run.config, run.data, run.model));
  };
}

void add_latency(const std::filesystem::path& folder, const RunConfig& config, const Dataset& data) {
  RunStory story = run_story(folder);
  const auto model = load_model(folder, false, data);
  story.summary.cost.latency = latency_of(*model);
  write_file(folder / "summary.json", write(story.summary).dump() + "\n");
  write_file(folder / "report.html", run_page(story, config, data, *model));
}

}  // namespace lp
