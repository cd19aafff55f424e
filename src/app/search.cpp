// Searching: trials that are run folders, so that a search goes on where it stopped.
#include "lptrain/app/search.h"

#include <algorithm>
#include <limits>
#include <map>

#include "lptrain/app/child.h"
#include "lptrain/app/narrowing.h"
#include "lptrain/app/run_end.h"
#include "lptrain/app/run_record.h"
#include "lptrain/app/run_story.h"
#include "lptrain/app/scores.h"
#include "lptrain/app/sweep_folder.h"
#include "lptrain/base/files.h"
#include "lptrain/base/text.h"
#include "lptrain/base/trace.h"
#include "lptrain/base/undamaged.h"
#include "lptrain/nn/cost.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

std::string cost_text(double cost, Goal goal) {
  if (goal == Goal::bits) return fmt::format("{:.3g} bits a weight", cost);
  return goal == Goal::bytes ? human_bytes(static_cast<int64_t>(cost)) : human_count(cost) + " bit-operations";
}

double cost_in(const Summary::Cost& c, Goal goal) {
  if (goal == Goal::bits) return c.bits_per_weight;
  return static_cast<double>(goal == Goal::bytes ? c.packed_bytes.value_or(0) : c.bit_operations);
}
double cost_in(const ModelCost& c, Goal goal) {
  if (goal == Goal::bits) return c.bits_per_weight;
  return static_cast<double>(goal == Goal::bytes ? c.bytes : c.bit_operations);
}

// Stops a training after a few steps, of which the first is not counted.
struct StepTimer : Watch {
  std::atomic<int> stop = 0;
  int steps = 0;
  double first = 0, last = 0;
  void step_done(const StepDone&) override {
    last = steady_seconds();
    if (++steps == 1) first = last;
    if (steps == 6) stop = 1;
  }
  double seconds() const { return steps > 1 ? (last - first) / (steps - 1) : 0; }
};

// What training takes here, from a few of its steps.
double training_seconds(const RunConfig& config, const Dataset& data) {
  StepTimer timer;
  Trainer trainer(config, data, {&timer});
  trainer.run(timer.stop, [](Trainer::Moment) {});
  const TrainSpec& train = config.phases[0].train;
  const int64_t steps = (data.train.size() + train.batch - 1) / train.batch;
  return timer.seconds() * static_cast<double>(steps * train.epochs);
}

class Searcher {
 public:
  Searcher(const SearchSpec& spec, const fs::path& folder, const std::string& data, const Console& console,
           const std::atomic<int>& stop)
      : spec_(spec), folder_(folder), data_folder_(data), console_(console), stop_(stop), base_(read_config(spec.config)) {
    data_ = load_dataset(base_.dataset, data_folders(data));
    require(data_.validation.size() > 0, "search: {} has no validation examples, by which alone it may decide", data_.name);
    const Model model = made_model(base_, base_.phases.front(), data_.shape, std::ssize(data_.classes));
    std::vector<Format> formats;
    for (const std::string& name : spec.formats) formats.push_back(Format::parse(name));
    space_.emplace(base_, formats, model.layers());
    for (size_t rung = 0; rung < formats.size(); ++rung)  // every format must be possible before anything is trained
      read_config(space_->config(Rungs(space_->layers().size(), rung)));
  }

  void say_budget() const {
    const size_t layers = space_->layers().size(), most = most_questions(layers, spec_.formats.size());
    const int64_t jobs = std::min<int64_t>(spec_.budget, static_cast<int64_t>(most));
    const double each = training_seconds(config_of(Rungs(layers, 0)), data_);
    console_.say(
        "{}: {} formats ({}) in {} layers; at least {} of the validation examples right, then as few {} as can be\n"
        "at most {} trainings of about {}: {} in all",
        base_.name, spec_.formats.size(), join(spec_.formats, " "), layers, percent(spec_.min_accuracy), word_of(spec_.minimize),
        jobs, human_seconds(each), human_seconds(each * static_cast<double>(jobs)));
  }

  SearchResult run() {
    const auto asks = [this](const Rungs& rungs) { return meets(rungs); };
    const size_t count = spec_.formats.size();
    if (const auto start = narrowest_uniform(space_->layers().size(), count, asks))
      narrowest_by_layer(*start, count, asks, [this](const Rungs& rungs) { return harm(rungs); });
    return result();
  }

 private:
  struct Known {
    size_t trial;
    Rungs rungs;
  };

  RunConfig config_of(const Rungs& rungs) const { return read_config(space_->config(rungs)); }

  bool meets(const Rungs& rungs) {
    if (const auto found = known_.find(rungs); found != known_.end()) return trials_[found->second].meets;
    if (stop_ != 0 || std::ssize(trials_) >= spec_.budget) return false;
    const std::string key = sha256(space_->config(rungs).dump(0)).substr(0, 12);
    SearchTrial trial{space_->name(rungs), (folder_ / "runs" / key).string(), 0, 0, false};
    measure(rungs, trial);
    if (stop_ != 0) return false;
    known_[rungs] = trials_.size();
    console_.say("{:>3}  {}: validation {}, {}{}", trials_.size() + 1, trial.precision, percent(trial.validation),
                 cost_text(trial.cost, spec_.minimize), trial.meets ? "" : ", not enough");
    trials_.push_back(std::move(trial));
    return trials_.back().meets;
  }

  void measure(const Rungs& rungs, SearchTrial& trial) {
    try {
      const Summary s = trained(rungs, trial.run);
      trial.validation = s.best ? s.best->validation.accuracy : 0;
      trial.cost = cost_in(s.cost, spec_.minimize);
      trial.meets = s.status == "finished" && trial.validation >= spec_.min_accuracy;
    } catch (const Error& e) {
      if (e.kind != ErrorKind::diverged) throw;
    }
  }

  Summary trained(const Rungs& rungs, const fs::path& run) {
    const std::string status = status_of_run(run);
    if (status == "finished" || status == "diverged") return run_story(run).summary;
    const RunOptions options{run.string(), data_folder_, {"search"}, {}, run_end(false)};
    if (fs::exists(run / "last.state")) return resume_run(run, options, stop_);
    fs::remove_all(run);
    return start_run(config_of(rungs), options, stop_);
  }

  // What one rung less does to the trained network as it stands: lost accuracy, by what is saved.
  std::vector<double> harm(const Rungs& rungs) {
    std::vector<double> harm(rungs.size(), std::numeric_limits<double>::infinity());
    if (stop_ != 0) return harm;
    const auto model = load_model(trials_[known_.at(rungs)].run, false, data_);
    const LensMemory memory(*model);
    const double accuracy = accuracy_of(*model), cost = cost_in(cost_of(*model), spec_.minimize);
    for (size_t l = 0; l < rungs.size(); ++l) {
      if (rungs[l] + 1 >= spec_.formats.size()) continue;
      Rungs lower = rungs;
      ++lower[l];
      see_through(*model, config_of(lower).precision, memory);
      const double saved = cost - cost_in(cost_of(*model), spec_.minimize), lost = std::max(accuracy - accuracy_of(*model), 1e-6);
      if (saved > 0) harm[l] = lost / saved;
    }
    return harm;
  }

  double accuracy_of(Model& model) const {
    const TrainSpec& train = base_.phases[0].train;
    return evaluate(model, *train.loss, data_, data_.validation, train.eval_batch).score.accuracy;
  }

  // The cheapest that meets the requirement, the better one of two.
  const std::pair<const Rungs, size_t>* answer() const {
    const std::pair<const Rungs, size_t>* best = nullptr;
    const auto rank = [this](const auto& entry) {
      const SearchTrial& t = trials_[entry.second];
      return std::pair(t.cost, -t.validation);
    };
    for (const auto& entry : known_)
      if (trials_[entry.second].meets && (!best || rank(entry) < rank(*best))) best = &entry;
    return best;
  }

  SearchResult result() const {
    SearchResult r;
    r.status = stop_ != 0 ? "interrupted" : "unreachable";
    r.folder = folder_.string();
    r.minimize = word_of(spec_.minimize);
    r.trials = trials_;
    const auto* best = answer();
    if (stop_ != 0 || !best) return r;
    const SearchTrial& t = trials_[best->second];
    r.status = "finished";
    r.config = (folder_ / "best.json").string();
    r.precision = t.precision;
    r.validation = t.validation;
    const Summary s = run_story(t.run).summary;
    r.test = (s.best ? s.best->test : s.test).accuracy;
    r.cost = t.cost;
    write_file(r.config, space_->config(best->first).dump() + "\n");
    return r;
  }

  const SearchSpec& spec_;
  const fs::path& folder_;
  const std::string& data_folder_;
  const Console& console_;
  const std::atomic<int>& stop_;
  RunConfig base_;
  Dataset data_;
  std::optional<SearchSpace> space_;
  std::vector<SearchTrial> trials_;
  std::map<Rungs, size_t> known_;  // its trial
};

// The folder is new, or that of the same search.
void claim_folder(const SearchSpec& spec, const fs::path& folder) {
  const fs::path file = folder / "search.json";
  const Document wanted = write(spec);
  std::error_code error;
  if (fs::exists(file, error)) {
    require(read_left(file) == wanted, "{}: is another search; name another folder with --out, or ask the same as before",
            folder.string());
    return;
  }
  require(!fs::exists(folder, error) || fs::is_empty(folder, error), "--out {}: is not an empty folder", folder.string());
  make_folder(folder);
  write_file(file, wanted.dump() + "\n");
}

}  // namespace

void SearchSpec::fields(Fields& f) {
  f("config", config, "the base");
  f("min_accuracy", min_accuracy, "of the validation examples", {0, 1});
  f("minimize", minimize, "what");
  f("formats", formats, "from wide to narrow");
  f("budget", budget, "trainings", {1, 10000});
}

void SearchTrial::fields(Fields& f) {
  f("precision", precision, "formats of the weights");
  f("run", run, "folder");
  f("validation", validation, "accuracy in the epoch that validation selects");
  f("cost", cost, "in the unit of the goal");
  f("meets", meets, "the requirement");
}

void SearchResult::fields(Fields& f) {
  f("status", status, "finished, unreachable or interrupted");
  f("folder", folder, "of the search");
  f("config", config, "the answer: runs as it is");
  f("precision", precision, "its formats of the weights");
  f("validation", validation, "its accuracy");
  f("test", test, "its accuracy; nothing was decided by it");
  f("cost", cost, "in the unit of the goal");
  f("minimize", minimize, "the goal");
  f("trials", trials, "the path");
}

SearchResult run_search(const SearchSpec& spec, const fs::path& folder, const std::string& data, const Console& console,
                        const std::atomic<int>& stop) {
  Searcher searcher(spec, folder, data, console, stop);
  claim_folder(spec, folder);
  const FolderLock lock(folder);
  searcher.say_budget();
  return searcher.run();
}

}  // namespace lp
