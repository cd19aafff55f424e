// From a config to a run folder.
#include "lptrain/train/run.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "lptrain/base/files.h"
#include "lptrain/base/parallel.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/base/version.h"
#include "lptrain/kernel/cpu.h"
#include "lptrain/nn/cost.h"
#include "lptrain/train/checkpoint.h"
#include "lptrain/train/curve.h"
#include "lptrain/train/integer.h"
#include "lptrain/train/ptq.h"
#include "lptrain/train/step_recorder.h"
#include "lptrain/train/teacher.h"

namespace lp {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFormatOfMetrics = 1;

std::string utc_now(const char* format) {
  return fmt::format(fmt::runtime(fmt::format("{{:{}}}", format)), fmt::gmtime(std::time(nullptr)));
}

// What a run ran on: enough to repeat it, or to say why it cannot be.
struct Meta {
  std::string version = lp::version(), commit = lp::commit(), compiler = lp::compiler(), cpu = cpu_name(),
              isa{name_of(cpu_isa())}, backend{name_of(backend_cap())};
  int threads = thread_count();
  uint64_t seed = 0;
  std::string dataset, data_digest, started = utc_now("%Y-%m-%dT%H:%M:%SZ"), host;
  std::vector<std::string> command, kernels;
  int64_t metrics_format = kFormatOfMetrics;
  void fields(Fields& f) {
    f("version", version, "of lptrain");
    f("commit", commit, "of its source");
    f("compiler", compiler, "that built it");
    f("cpu", cpu, "name of the processor");
    f("isa", isa, "widest instruction set allowed");
    f("backend", backend, "kernels allowed");
    f("threads", threads, "of every loop");
    f("seed", seed, "of the first phase");
    f("dataset", dataset, "name");
    f("data_digest", data_digest, "sha256 over what was read");
    f("started", started, "UTC");
    f("host", host, "name of the machine");
    f("command", command, "as typed");
    f("kernels", kernels, "rows that ran the products of each phase's first step");
    f("metrics_format", metrics_format, "of metrics.jsonl");
  }
};

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

fs::path new_folder(const std::string& out, const std::string& name) {
  fs::path folder = out;
  if (out.empty()) {
    const std::string stem = fmt::format("runs/{}-{}", name, utc_now("%Y%m%d-%H%M%S"));
    folder = stem;
    for (int k = 2; fs::exists(folder); ++k) folder = fmt::format("{}-{}", stem, k);
  }
  std::error_code error;
  require(!fs::exists(folder, error) || (fs::is_directory(folder, error) && fs::is_empty(folder, error)),
          "--out {}: is not an empty folder; a run never overwrites another: name a new one, or continue it with `lptrain train "
          "--resume {}`",
          folder.string(), folder.string());
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::failure, "cannot make the run folder {}: {}", folder.string(), error.message());
  return folder;
}

// metrics.jsonl, log.txt and curve.svg.
class FolderWatch : public Watch {
 public:
  FolderWatch(fs::path folder, const std::string& title, const std::vector<EpochScores>& history)
      : folder_(std::move(folder)), title_(title), history_(history) {
    std::string lines;
    for (const EpochScores& e : history_) lines += write(e).dump(0) + "\n";
    write_file(folder_ / "metrics.jsonl", lines);
  }
  void phase_started(const std::string& name, const Position& at, int64_t phases, int64_t epochs) override {
    log(fmt::format("phase {}/{} \"{}\": {} epochs, at epoch {} batch {}", at.phase + 1, phases, name, epochs, at.epoch,
                    at.batch));
  }
  void epoch_done(const EpochScores& e, bool is_best) override {
    history_.push_back(e);
    append_line(folder_ / "metrics.jsonl", write(e).dump(0));
    log(fmt::format("epoch {} train loss {:.4f} accuracy {:.4f}, validation loss {:.4f} accuracy {:.4f}{}{}", e.epoch,
                    e.train.loss, e.train.accuracy, e.validation.loss, e.validation.accuracy,
                    e.sparsity ? fmt::format(", sparsity {:.4f}", *e.sparsity) : "", is_best ? " (best)" : ""));
    write_file(folder_ / "curve.svg", curve_svg(history_, title_));
  }
  void phase_done(const PhaseScores& p, const Position& at, int64_t phases) override {
    log(fmt::format("phase {}/{} \"{}\" is done: validation accuracy {:.4f}, test {:.4f}, {:.3g} bits a weight, {} bytes{}",
                    at.phase + 1, phases, p.name, p.validation.accuracy, p.test.accuracy, p.bits_per_weight, p.bytes,
                    p.sparsity ? fmt::format(", sparsity {:.4f}", *p.sparsity) : ""));
  }
  void note(const std::string& text) override { log(text); }
  void log(const std::string& text) { append_line(folder_ / "log.txt", utc_now("%Y-%m-%d %H:%M:%S ") + text); }

 private:
  fs::path folder_;
  std::string title_;
  std::vector<EpochScores> history_;
};

Summary::Cost counted(Model& model) {
  const ModelCost c = cost_of(model);
  Summary::Cost cost;
  cost.bits_per_weight = c.bits_per_weight;
  cost.macs = c.macs;
  cost.bit_operations = c.bit_operations;
  cost.energy_joules = c.energy_joules;
  cost.sparsity = c.sparsity;
  return cost;
}

bool is_finished(const fs::path& run) { return read_left(run / "summary.json").text_at("status") == "finished"; }

// Everything a run needs while it goes on.
struct Session {
  const RunConfig& config;
  const RunOptions& options;
  fs::path folder;
  Dataset data;
  FolderWatch files;
  Trainer trainer;

  Session(const RunConfig& c, const RunOptions& o, fs::path f, Dataset d, const std::vector<EpochScores>& history)
      : config(c),
        options(o),
        folder(std::move(f)),
        data(std::move(d)),
        files(folder, c.name, history),
        trainer(c, data, watches(), [this](size_t i) { return load_teacher(teacher_path(config, i, folder), config, i, data); }) {
  }

  std::vector<Watch*> watches() {
    std::vector<Watch*> all = options.watches;
    all.push_back(&files);
    return all;
  }

  // Every weights file says of itself how it is to be seen: with the precision of its phase.
  void save_as(const std::string& file) { save_weights(folder / file, trainer.model(), config_so_far(), data); }

  RunConfig config_so_far() {
    return config_through(config, static_cast<size_t>(trainer.progress().position.phase), trainer.precision());
  }

  void save(Trainer::Moment moment) {
    if (moment == Trainer::Moment::phase_end) return close_phase();
    if (moment == Trainer::Moment::new_best) return save_as("best.safetensors");
    save_as("last.safetensors");
    save_state(folder / "last.state", trainer);
  }

  // What the next phase begins with stays in the folder; the best epoch was that of the phase.
  void close_phase() {
    const int64_t phase = trainer.progress().position.phase;
    if (phase + 1 == std::ssize(config.phases)) return;
    save_as(fmt::format("phase-{}.safetensors", phase + 1));
    fs::remove(folder / "best.safetensors");
  }

  // Trains the teachers that the config only describes; false: stopped.
  bool make_teachers(const std::atomic<int>& stop) {
    for (size_t i = 0; i < config.phases.size(); ++i) {
      if (!config.phases[i].distill || !is_made_here(*config.phases[i].distill)) continue;
      const fs::path run = teacher_path(config, i, folder);
      if (fs::exists(run / "summary.json") && fs::exists(run / "best.safetensors") && is_finished(run)) continue;
      note({fmt::format("a teacher for phase \"{}\" comes first: {}", config.phases[i].name, config.phases[i].distill->teacher)});
      RunOptions own = options;
      own.out = run.string();
      std::erase_if(own.watches, [](Watch* w) { return dynamic_cast<StepRecorder*>(w); });  // there is one recording at a time
      const bool is_begun = fs::exists(run / "last.state");
      if (!is_begun) fs::remove_all(run);
      const Summary s = is_begun ? resume_run(run, own, stop) : start_run(teacher_config(config, i), own, stop);
      if (s.status != "finished") return false;
    }
    return true;
  }

  Score test(const char* file) {
    load_weights(read_tensors(folder / file), (folder / file).string(), trainer.model());
    const TrainSpec& train = trainer.phase().train;
    return data.test.size() > 0 ? evaluate(trainer.model(), *train.loss, data, data.test, train.eval_batch).score : Score{};
  }

  Summary summary(const std::string& status) {
    Summary s;
    s.name = config.name;
    s.status = status;
    s.run = folder.string();
    const Progress& p = trainer.progress();
    s.epochs = std::ssize(p.history);
    s.seconds = p.seconds;
    if (const EpochScores* e = p.ends_with()) s.train = e->train, s.validation = e->validation;
    s.phases = p.phases;
    for (const Param* param : trainer.model().params()) s.parameters += param->value.size();
    s.cost = counted(trainer.model());
    if (p.best.epoch > 0) s.best = {p.best.epoch, p.best.validation, {}};
    return s;
  }

  // A signal that comes during the last measurements ends the run like any other: resuming makes them.
  Summary finish(bool finished, const std::atomic<int>& stop) {
    Summary s = summary("finished");
    if (finished) measure(s);
    if (!finished || stop != 0) s.status = "interrupted";
    return close(std::move(s));
  }

  // A last phase without epochs has one model.
  void select_only(Summary& s) {
    s.best = {0, s.validation, s.test};
    save_as("best.safetensors");
  }

  void measure(Summary& s) {
    s.test = s.phases.back().test;
    s.validation = s.phases.back().validation;
    if (s.phases.back().epochs == 0) return select_only(s);
    const EpochScores* last = trainer.progress().ends_with();
    if (s.best) s.best->test = last && last->epoch == s.best->epoch ? s.test : test("best.safetensors");
    s.cost = counted(trainer.model());
  }

  Summary close(Summary s) {
    if (options.at_end && s.status != "interrupted") {
      const RunConfig found = config_so_far();
      RunEnd end{found, data, trainer.model(), folder, s};
      options.at_end(end);
    }
    write_file(folder / "summary.json", write(s).dump() + "\n");
    return s;
  }

  void note(const std::vector<std::string>& lines) {
    for (const std::string& line : lines)
      for (Watch* w : watches()) w->note(line);
  }

  Summary run(const std::atomic<int>& stop) {
    for (Watch* w : options.watches) w->note("run folder: " + folder.string());
    try {
      if (!fs::exists(folder / "last.state")) save(Trainer::Moment::start);
      if (!make_teachers(stop)) return finish(false, stop);
      return finish(trainer.run(stop, [this](Trainer::Moment m) { save(m); }), stop);
    } catch (const Error& e) {
      if (e.kind == ErrorKind::diverged) close(summary("diverged"));
      files.log(e.what());
      throw;
    }
  }
};

// What a kill in the middle of writing left (base/files.h).
void remove_temporaries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) left.push_back(entry.path());
  for (const fs::path& file : left) fs::remove(file, error);
}

// The config with its model inline, so that a run folder needs no other file. Builds the model before any folder is made: a
// config that cannot run leaves nothing behind.
RunConfig with_model(const RunConfig& config, const std::optional<Rewritten>& source, const Dataset& data) {
  RunConfig own = config;
  if (source) own.model = source->network.spec;
  Model model = made_model(own, own.phases.front(), data.shape, std::ssize(data.classes));
  if (own.compute == Compute::integer) require_integers(own, model);
  if (!source) initialize(config, model);
  own.model = model.spec();
  own.document.merge(Document::parse("{\"model\": " + write(own.model).dump() + "}", "model"));
  return own;
}

}  // namespace

fs::path weights_file(const fs::path& run_or_file, bool last) {
  if (!fs::is_directory(run_or_file)) return run_or_file;
  const fs::path best = run_or_file / "best.safetensors";
  return last || !fs::exists(best) ? run_or_file / "last.safetensors" : best;
}

std::vector<std::string> initialize(const RunConfig& config, Model& model) {
  if (config.init_from.empty()) return {};
  const fs::path file = weights_file(config.init_from, false);
  const Loaded loaded = load_matching(read_tensors(file), file.string(), model);
  std::vector<std::string> lines = loaded.differences();
  lines.insert(lines.begin(), fmt::format("{}: {} of {} tensors loaded{}", file.string(), loaded.taken, loaded.wanted,
                                          loaded.taken < loaded.wanted ? ", the others keep their initial values" : ""));
  return lines;
}

Summary start_run(const RunConfig& config, const RunOptions& options, const std::atomic<int>& stop) {
  Dataset data = load_dataset(config.dataset, data_folders(options.data));
  std::optional<Rewritten> source;
  if (config.begins_rewritten()) source = rewritten_source(config, data);
  check_teachers(config);
  const RunConfig own = with_model(config, source, data);
  const fs::path folder = new_folder(options.out, config.name);
  Meta meta;
  meta.seed = config.phases[0].train.seed;
  meta.dataset = data.name;
  meta.data_digest = data.digest;
  meta.host = host_name();
  meta.command = options.command;
  write_file(folder / "config.json", own.document.dump() + "\n");
  const auto save_meta = [&] { write_file(folder / "meta.json", write(meta).dump() + "\n"); };
  save_meta();
  StepRecorder recorder(0, 1, [&](const std::vector<Span>& spans, double) {
    for (const std::string& row : product_rows(spans))
      if (std::ranges::find(meta.kernels, row) == meta.kernels.end()) meta.kernels.push_back(row);
    save_meta();
  });
  RunOptions watched = options;
  watched.watches.push_back(&recorder);
  Session session(own, watched, folder, std::move(data), {});
  Model& model = session.trainer.model();
  session.note(source ? begin_with(own, *source, session.data, model) : initialize(own, model));
  return session.run(stop);
}

Summary resume_run(const fs::path& folder, const RunOptions& options, const std::atomic<int>& stop) {
  remove_temporaries(folder);
  if (!fs::exists(folder / "last.state"))
    fail(ErrorKind::data, "{}: no last.state; is it a run folder that was started?", folder.string());
  const RunConfig config = undamaged([&] { return load_config(folder / "config.json"); });
  const TensorFile state = read_tensors(folder / "last.state");
  const Progress progress = progress_in(state, folder / "last.state");
  Session session(config, options, folder, load_dataset(config.dataset, data_folders(options.data)), progress.history);
  load_state(folder / "last.state", session.trainer);
  session.files.log("resumed");
  return session.run(stop);
}

RunConfig config_in(const TensorFile& weights, const fs::path& file, std::span<const std::string> assignments) {
  const std::string* text = weights.note("config");
  if (!text) fail(ErrorKind::data, "{}: holds no config; it was not written by lptrain", file.string());
  return read_config(undamaged([&] { return Document::parse(*text, file.string() + " (config)"); }), assignments);
}

namespace {

std::unique_ptr<Model> model_with(const TensorFile& weights, const fs::path& file, const RunConfig& config, const Dataset& data) {
  const PhaseSpec& phase = config.phases.back();
  auto model = std::make_unique<Model>(config.model, data.shape, std::ssize(data.classes), phase.precision, config.dtype(),
                                       Key(phase.train.seed));
  load_weights(weights, file.string(), *model);
  return model;
}

}  // namespace

std::unique_ptr<Model> load_model(const fs::path& run_or_file, bool last, const Dataset& data) {
  const fs::path file = weights_file(run_or_file, last);
  const TensorFile weights = read_tensors(file);
  return model_with(weights, file, config_in(weights, file), data);
}

Trained load_trained(const fs::path& run_or_file, bool last, const std::string& data_folder,
                     std::span<const std::string> assignments) {
  const fs::path file = weights_file(run_or_file, last);
  const TensorFile weights = read_tensors(file);
  Trained t{config_in(weights, file, assignments), {}, nullptr, file};
  t.data = load_dataset(t.config.dataset, data_folders(data_folder));
  t.model = model_with(weights, file, t.config, t.data);
  return t;
}

}  // namespace lp
