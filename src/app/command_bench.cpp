// lptrain bench: the trainer's own step and inference, timed on made-up pictures; and every kernel against the machine.
#include <algorithm>

#include "lptrain/app/bench_cases.h"
#include "lptrain/app/bench_kernels.h"
#include "lptrain/app/config_source.h"
#include "lptrain/app/console.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/text.h"
#include "lptrain/base/trace.h"
#include "lptrain/nn/freeze.h"
#include "lptrain/train/step_memory.h"
#include "lptrain/train/step_recorder.h"
#include "lptrain/train/trainer.h"
#include "rows.h"

namespace lp {
namespace {

constexpr int64_t kBatches = 64;      // of pictures, to go through again and again
constexpr size_t kLeastSteps = 5;     // timed, however slow
constexpr size_t kRecordedSteps = 8;  // under the recorder, after the timed ones
constexpr size_t kWarmUp = 3;

struct Share {
  std::string family;
  double share = 0;
  void fields(Fields& f) {
    f("family", family, "of kernels, or what is left of forward and backward passes without them");
    f("share", share, "of the time of a step, without what lies inside it");
  }
};

// One case, as both people and programs read it.
struct BenchLine {
  std::string task, mode;
  int64_t batch = 0;
  int threads = thread_count();
  double train_img_per_s = 0, train_best = 0, infer_img_per_s = 0, infer_best = 0, gflop_per_s = 0, loss_first = 0, loss_last = 0;
  int64_t steps = 0, weight_bytes = 0, peak_bytes = 0, predicted_bytes = 0;
  std::vector<Share> share = {};
  std::vector<std::string> kernels = {};

  void fields(Fields& f) {
    f("task", task, "network and examples");
    f("mode", mode, "which numbers are narrow");
    f("batch", batch, "examples in a step");
    f("threads", threads, "of every loop");
    f("train_img_per_s", train_img_per_s, "median over the steps, data movement included");
    f("train_best", train_best, "fastest step");
    f("infer_img_per_s", infer_img_per_s, "median over forward passes");
    f("infer_best", infer_best, "fastest pass");
    f("gflop_per_s", gflop_per_s, "6 operations for each multiplication of the forward pass and image, at the median");
    f("steps", steps, "of training in all");
    f("loss_first", loss_first, "of the first step");
    f("loss_last", loss_last, "of the last step");
    f("weight_bytes", weight_bytes, "that inference holds parameters in");
    f("peak_bytes", peak_bytes, "largest resident set of the process so far");
    f("predicted_bytes", predicted_bytes, "what peak_bytes was foreseen to be, before the first step");
    f("share", share, "of a step's time, the largest first");
    f("kernels", kernels, "rows that ran products in training");
  }
};

// Step times of the trainer as it runs, then some steps under a recorder.
class StepWatch : public Watch {
 public:
  explicit StepWatch(double seconds) : seconds_(seconds) {}

  void step_done(const StepDone& done) override {
    const double t = steady_seconds();
    losses.push_back(done.loss);
    if (recording_) {
      if (++recorded_ >= kRecordedSteps) finish();
      return;
    }
    if (done.position.batch > 1 && losses.size() > kWarmUp) times.push_back(t - last_);
    if (began_ == 0 && losses.size() > kWarmUp) began_ = t;
    if (began_ > 0 && t - began_ > seconds_ && times.size() >= kLeastSteps) recording_ = std::make_unique<Recording>();
    last_ = steady_seconds();
  }

  std::vector<double> times, losses;
  std::vector<Span> spans;
  std::atomic<int> stop = 0;

 private:
  void finish() {
    spans = recording_->spans();
    stop = 1;
  }

  double seconds_, began_ = 0, last_ = 0;
  std::unique_ptr<Recording> recording_;
  size_t recorded_ = 0;
};

struct Rate {
  double median, best;
};
Rate rate_of(std::vector<double> seconds, int64_t images) {
  std::ranges::sort(seconds);
  const auto n = static_cast<double>(images);
  return {n / seconds[seconds.size() / 2], n / seconds.front()};
}

std::vector<double> inference_times(Model& model, const Tensor& x, double seconds) {
  std::vector<double> times;
  const double began = steady_seconds();
  for (size_t pass = 0; times.size() < kLeastSteps || steady_seconds() - began < seconds; ++pass) {
    const double t = steady_seconds();
    Context context(nullptr, Mode::eval);
    model.forward(context, x).tensor();
    if (pass >= kWarmUp) times.push_back(steady_seconds() - t);
  }
  return times;
}

// What the recorded steps say: shares of the main thread's time, and the rows of the product tables.
void describe(const std::vector<Span>& spans, BenchLine& line) {
  double total = 0;
  for (const auto& [family, seconds] : own_seconds(spans)) {
    line.share.push_back({family, seconds});
    total += seconds;
  }
  for (Share& s : line.share) s.share /= total;
  std::ranges::sort(line.share, std::ranges::greater(), &Share::share);
  line.kernels = product_rows(spans);
}

BenchLine measure_case(const std::string& task, const std::string& mode, double seconds) {
  const RunConfig config = bench_config(task, mode);
  const Dataset data = bench_data(task, kBatches);
  const int64_t predicted_bytes = predicted_resident_bytes(config, data);
  StepWatch watch(seconds);
  Trainer trainer(config, data, {&watch});
  trainer.run(watch.stop, [](Trainer::Moment) {});
  BenchLine line{.task = task, .mode = mode, .batch = config.train.batch, .predicted_bytes = predicted_bytes};
  const Rate train = rate_of(watch.times, line.batch);
  const Loader loader(data, data.validation, {.batch = line.batch});
  freeze(trainer.model());
  line.weight_bytes = held_bytes(trainer.model());
  const Rate infer = rate_of(inference_times(trainer.model(), loader.batch(0, 0).x, seconds), line.batch);
  int64_t macs = 0;
  for (const LayerLine& layer : trainer.model().lines()) macs += layer.cost.macs;
  line.train_img_per_s = train.median, line.train_best = train.best;
  line.infer_img_per_s = infer.median, line.infer_best = infer.best;
  line.gflop_per_s = 6e-9 * static_cast<double>(macs) * train.median;
  line.loss_first = watch.losses.front(), line.loss_last = watch.losses.back();
  line.steps = std::ssize(watch.losses);
  describe(watch.spans, line);
  line.peak_bytes = peak_resident_bytes();
  return line;
}

std::string shares_text(const BenchLine& line) {
  std::vector<std::string> words;
  for (const Share& s : line.share)
    if (s.share >= 0.01) words.push_back(fmt::format("{} {:.0f} %", s.family, 100 * s.share));
  return join(words, ", ");
}

template <class Row>
std::vector<std::string> names_of(std::span<const Row> rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

void bench_train(const Arguments& arguments, const Console& console) {
  const double seconds = arguments.number("seconds", 0, 3600).value_or(3);
  const auto tasks = arguments.has("task") ? arguments.list("task") : names_of(bench_tasks());
  const auto modes = arguments.has("mode") ? arguments.list("mode") : names_of(bench_modes());
  for (const std::string& task : tasks)
    for (const std::string& mode : modes) bench_config(task, mode);  // every name is known before the first case is timed
  for (const std::string& task : tasks)
    for (const std::string& mode : modes) {
      BenchLine line = measure_case(task, mode, seconds);
      console.print(
          "{:<9} {:<10} train {:>8.0f} images/s (best {:.0f}), inference {:>8.0f} (best {:.0f}), {:.0f} GFLOP/s, "
          "loss {:.3f} -> {:.3f}, peak {}\n    {}\n    {}",
          line.task, line.mode, line.train_img_per_s, line.train_best, line.infer_img_per_s, line.infer_best, line.gflop_per_s,
          line.loss_first, line.loss_last, human_bytes(line.peak_bytes), shares_text(line), join(line.kernels, ", "));
      console.json(write(line));
    }
}

void bench_kernels(const Arguments& arguments, const Console& console) {
  const double seconds = arguments.number("seconds", 0, 3600).value_or(0.05);
  const MachineCeilings machine = measure_machine(seconds);
  for (const Ceiling& c : machine.operations)
    console.print("{:<24} {:>9.1f} Gop/s from registers", fmt::format("{}, {}", c.arithmetic, name_of(c.isa)),
                  1e-9 * c.operations_per_second);
  console.print("{:<24} {:>9.1f} GB/s read and written\n", "copying", 1e-9 * machine.copy_bytes_per_second);
  bench_kernels(arguments.list("family"), seconds, machine, [&](const KernelLine& line) {
    console.print("{:<10} {:<12} {:<30} {:<16} {:>8.1f} G{}  {:>3.0f} % of the ceiling", line.family, line.row, line.shape,
                  line.types, 1e-9 * line.rate, line.unit, 100 * line.share());
    console.json(write(line));
  });
}

struct Action {
  std::string_view name;
  void (*run)(const Arguments&, const Console&);
};
constexpr Action kActions[] = {{"train", bench_train}, {"kernels", bench_kernels}};

}  // namespace

int command::bench(const Arguments& arguments) {
  const Console console(arguments);
  apply_threads(arguments);
  const auto action = std::ranges::find(kActions, arguments.text("ACTION"), &Action::name);
  require(action != std::end(kActions), "bench {}: there is nothing of that name to time; try `lptrain bench train` or kernels",
          arguments.text("ACTION"));
  action->run(arguments, console);
  return 0;
}

}  // namespace lp
