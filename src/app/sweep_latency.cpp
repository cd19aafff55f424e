// Measuring finished runs one after the other.
#include "lptrain/app/sweep_latency.h"

#include <utility>

#include "lptrain/app/run_end.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/undamaged.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

// Runs follow one another with the same data as a rule: they are loaded once.
class LastDataset {
 public:
  explicit LastDataset(const std::string& folder) : folders_(data_folders(folder)) {}
  const Dataset& of(const DatasetSpec& spec) {
    if (std::string text = write(spec).dump(0); !data_ || text != text_) {
      data_ = load_dataset(spec, folders_);
      text_ = std::move(text);
    }
    return *data_;
  }

 private:
  DataFolders folders_;
  std::optional<Dataset> data_;
  std::string text_;
};

bool lacks_latency(const fs::path& run) { return !read_left(run / "summary.json").has("cost.latency.batch_1"); }

}  // namespace

void measure_latencies(const std::vector<JobLine>& lines, const RunnerOptions& options, SweepProgress& progress,
                       const std::atomic<int>& stop) {
  set_thread_count(static_cast<int>(options.threads));
  LastDataset data(options.data);
  bool is_told = false;
  for (const JobLine& line : lines) {
    const fs::path run = options.folder / line.run;
    if (stop != 0 || line.status != "finished") continue;
    try {
      if (!lacks_latency(run)) continue;
      if (!std::exchange(is_told, true)) progress.say("measuring how long inference takes, one run after the other");
      const RunConfig config = read_config(read_left(run / "config.json"));
      add_latency(run, config, data.of(config.dataset));
    } catch (const Error& e) {
      progress.say(fmt::format("{}: latency not measured: {}", line.job, e.what()));
    }
  }
}

}  // namespace lp
