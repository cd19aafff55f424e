// The training loop.
#include "lptrain/train/trainer.h"

#include <algorithm>

#include "lptrain/base/trace.h"
#include "lptrain/nn/cost.h"
#include "lptrain/train/checkpoint.h"
#include "lptrain/train/incremental.h"
#include "lptrain/train/integer.h"
#include "lptrain/train/teacher.h"

namespace lp {
namespace {

constexpr double kSaveSeconds = 30;

Loader training_loader(const Dataset& data, const TrainSpec& train) {
  LoaderOptions o;
  o.batch = train.batch;
  o.shuffle = o.augment = true;
  o.seed = static_cast<int64_t>(train.seed);
  return Loader(data, data.train, o);
}

std::optional<Batch> next_of(BatchStream& stream) {
  const Timed timed("data", "wait");
  return stream.next();
}

}  // namespace

bool is_better(const Score& a, const Score& b) { return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss; }

bool selects(const EpochScores& e, const Best& best) {
  if (e.met || best.met) return e.met;
  return e.complete && e.validation.examples > 0 && (best.epoch == 0 || is_better(e.validation, best.validation));
}

void Best::fields(Fields& f) {
  f("epoch", epoch, "0: none yet");
  f("validation", validation, "of that epoch");
  f("met", met, "it reached the target of a search for bits");
}

const EpochScores* Progress::ends_with() const {
  const bool went_back = search && search->is_done && best.met;
  const auto is_it = [&](const EpochScores& e) { return e.phase == position.phase && (!went_back || e.epoch == best.epoch); };
  const auto found = std::find_if(history.rbegin(), history.rend(), is_it);
  return found == history.rend() ? nullptr : &*found;
}

void Progress::fields(Fields& f) {
  f("position", position, "where the run stands");
  f("loss_sum", running.loss_sum, "over the examples of the epoch under way");
  f("correct", running.right, "of them");
  f("seen", running.count, "of them");
  f("skipped", skipped, "steps in the epoch under way");
  f("numerics", numerics, "of the epoch under way");
  f("best", best, "of the phase under way");
  f("history", history, "epochs done");
  f("seconds", seconds, "spent so far");
  f("loss_scale", loss_scale, "state of the loss scale");
  f("prunings", prunings, "made in the phase under way", {0, 1e9});
  f("search", search, "for bits, where it stands");
  f("phases", phases, "done");
}

Evaluation evaluate(Model& model, const Loss& loss, const Dataset& data, const Subset& split, int64_t batch) {
  LoaderOptions o;
  o.batch = batch;
  const Loader loader(data, split, o);
  Context context(nullptr, Mode::eval);
  Evaluation e;
  Running running;
  BatchStream stream = loader.epoch(0);
  while (auto b = stream.next()) {
    const Var logits = model.forward(context, b->x);
    const std::vector<int32_t> predicted = classes_of(loss, logits.tensor());
    running.add(loss(logits, b->labels).tensor().item(), predicted, b->labels);
    e.predicted.insert(e.predicted.end(), predicted.begin(), predicted.end());
  }
  e.score = {running.loss(), running.accuracy(), split.size()};
  return e;
}

Trainer::Trainer(const RunConfig& config, const Dataset& data, std::vector<Watch*> watches, Teachers teachers)
    : config_(config),
      data_(data),
      watches_(std::move(watches)),
      model_(made_model(config, config.phases[0], data.shape, std::ssize(data.classes))),
      teachers_(std::move(teachers)),
      loss_scale_(config.phases[0].train.loss_scale),
      pruning_(config, std::ssize(data.classes)) {
  if (!teachers_) teachers_ = [this](size_t i) { return load_teacher(config_.phases[i].distill->teacher, config_, i, data_); };
  if (config.compute == Compute::integer) require_integers(config, model_);
}

const PhaseSpec& Trainer::phase() const {
  return config_.phases[static_cast<size_t>(std::min<int64_t>(progress_.position.phase, std::ssize(config_.phases) - 1))];
}

Precision Trainer::precision() const {
  return progress_.search ? with_bits(phase().precision, progress_.search->bits) : phase().precision;
}

// Puts the trainer into the phase that progress() names: its lenses, what moves, who teaches, and the loss scale as it stood.
void Trainer::enter_phase() {
  model_.set_precision(precision());
  model_.set_trainable(phase().trainable);
  keep_held(model_, phase());
  pruning_.enter(model_, phase());
  loss_scale_ = phase().train.loss_scale;
  if (!progress_.loss_scale.empty()) loss_scale_->restore(progress_.loss_scale);
  for (Watch* w : watches_) w->phase_started(phase().name, progress_.position, std::ssize(config_.phases), phase().train.epochs);
}

bool Trainer::run(const std::atomic<int>& stop, const Save& save) {
  saved_ = steady_seconds();
  started_ = saved_ - progress_.seconds;
  Position& at = progress_.position;
  while (at.phase < std::ssize(config_.phases)) {
    begin_phase(save);
    while (!is_over())
      if (!run_epoch(stop, save)) return false;
    finish_phase(save);
    if (at.phase + 1 == std::ssize(config_.phases)) break;
    at = {at.phase + 1, 0, 0, at.step, phase().keep ? at.updates : 0};
    if (!phase().keep) state_.clear();
    progress_.loss_scale.clear();
    progress_.prunings = 0;
    progress_.best = {};
    progress_.search.reset();
    kept_ = {};
  }
  progress_.seconds = steady_seconds() - started_;
  return true;
}

bool Trainer::is_over() const {
  return progress_.position.epoch >= phase().train.epochs || (progress_.search && progress_.search->is_done);
}

void Trainer::begin_phase(const Save& save) {
  const Position& at = progress_.position;
  const bool is_new = at.epoch == 0 && at.batch == 0;
  if (is_new && phase().adaptive) progress_.search = begun_search(*phase().adaptive, phase().precision, model_.layers());
  enter_phase();
  teacher_ = phase().distill && !is_over() ? teachers_(static_cast<size_t>(at.phase)) : nullptr;
  if (is_new) {
    store_masters(model_, phase(), at.step);
    hold_share(model_, phase(), Key(phase().train.seed).with("hold"));
    pruning_.begin(at.step, progress_.prunings);
  }
  if (at.step == 0 || phase().train.epochs == 0) save(Moment::start);
}

// Done once: a run that is over and goes on has it from its checkpoint, or makes it again.
void Trainer::finish_phase(const Save& save) {
  const Position& at = progress_.position;
  if (std::ssize(progress_.phases) > at.phase) return;
  PhaseScores p{phase().name, at.epoch, {}, {}, 0, 0};
  const auto score = [&](const Subset& split) {
    return split.size() > 0 ? evaluate(model_, *phase().train.loss, data_, split, phase().train.eval_batch).score : Score{};
  };
  const bool is_known = !progress_.search && at.epoch > 0;  // a search may have gone back to an earlier network
  p.validation = is_known ? progress_.history.back().validation : score(data_.validation);
  p.test = score(data_.test);
  const ModelCost cost = cost_of(model_);
  p.bits_per_weight = cost.bits_per_weight;
  p.bytes = cost.bytes;
  p.sparsity = pruning_.sparsity();
  if (progress_.search) p.bits = progress_.search->bits, p.met = !progress_.search->kept.empty();
  progress_.phases.push_back(p);
  save(Moment::phase_end);
  for (Watch* w : watches_) w->phase_done(p, at, std::ssize(config_.phases));
}

// After an epoch of a phase that lowers bits: validation decides what comes next.
std::string Trainer::lower_bits(const EpochScores& e) {
  BitSearch& search = *progress_.search;
  Dictionary<int64_t> weights;
  for (const LayerCost& layer : cost_of(model_).layers) weights.emplace_back(layer.name, layer.weight_count);
  const BitMove move = advance(search, *phase().adaptive, weights, e.met, progress_.position.epoch >= phase().train.epochs);
  if (move == BitMove::keep) kept_ = snapshot_of(model_);
  if (move == BitMove::back) {
    model_.set_precision(with_bits(phase().precision, search.kept));
    load_weights(kept_, "the network that was kept", model_);
    state_.clear();
    progress_.position.updates = 0;
  }
  model_.set_precision(precision());
  return fmt::format("{}: {:.2f}% {}; {} {}", bits_text(e.bits), 100 * e.validation.accuracy,
                     e.met ? "reaches the target" : "is below the target", search.is_done ? "it ends with" : "next",
                     bits_text(search.bits));
}

bool Trainer::run_epoch(const std::atomic<int>& stop, const Save& save) {
  const Loader loader = training_loader(data_, phase().train);
  Position& at = progress_.position;
  BatchStream stream = loader.epoch(first_epoch() + at.epoch, at.batch);
  while (auto batch = next_of(stream)) {
    run_batch(*batch, loader.batches());
    if (stop != 0) {
      checkpoint(save, Moment::stop);
      return false;
    }
    if (steady_seconds() - saved_ > kSaveSeconds) checkpoint(save, Moment::interval);
  }
  finish_epoch(save, loader.batches());
  return stop == 0;
}

// Epochs of the phases before: every epoch of a run has an order of its own.
int64_t Trainer::first_epoch() const {
  int64_t epochs = 0;
  for (int64_t i = 0; i < progress_.position.phase; ++i) epochs += config_.phases[static_cast<size_t>(i)].train.epochs;
  return epochs;
}

double Trainer::lr_factor(int64_t batches) const {
  const TrainSpec& train = phase().train;
  const Position& at = progress_.position;
  const double epochs = static_cast<double>(at.epoch) + static_cast<double>(at.batch) / static_cast<double>(batches);
  return train.schedule->factor(epochs / static_cast<double>(train.epochs), at.epoch) *
         warmup(epochs + 1.0 / static_cast<double>(batches), train.warmup);
}

PruneTime Trainer::prune_time(int64_t batches) const {
  const Position& at = progress_.position;
  const int64_t steps = phase().train.epochs * batches, before = at.epoch * batches + at.batch;
  return {at.step, steps > 1 ? static_cast<double>(before) / static_cast<double>(steps - 1) : 1.0};
}

void Trainer::run_batch(const Batch& batch, int64_t batches) {
  Position& at = progress_.position;
  const PruneTime now = prune_time(batches);
  if (pruning_.before_step(now, progress_.prunings)) state_.clear(), at.updates = 0;
  const StepPlace place{at.step, at.updates, lr_factor(batches)};
  if (config_.numerics && !progress_.numerics) progress_.numerics.emplace();
  Numerics* numerics = progress_.numerics ? &*progress_.numerics : nullptr;
  StepHooks hooks = pruning_.hooks();
  if (teacher_) hooks.lesson = lesson(*teacher_, *phase().distill, batch.x);
  const StepOutcome outcome = train_step(model_, phase(), batch.x, batch.labels, place, *loss_scale_, state_, numerics, hooks);
  pruning_.after_step(now);
  progress_.running.add(outcome.loss, outcome.predicted, batch.labels);
  progress_.skipped += outcome.skipped;
  ++at.step;
  ++at.batch;
  at.updates += !outcome.skipped;
  const StepDone done{
      at, batches, batch.size(), outcome.loss, phase().train.optimizer->lr * place.lr_factor, outcome.skipped, progress_.running};
  for (Watch* w : watches_) w->step_done(done);
}

void Trainer::finish_epoch(const Save& save, int64_t batches) {
  Position& at = progress_.position;
  const double lr = phase().train.optimizer->lr * lr_factor(batches);
  EpochScores e{at.phase,
                at.epoch + 1,
                at.step,
                progress_.skipped,
                lr,
                steady_seconds() - started_,
                {progress_.running.loss(), progress_.running.accuracy(), progress_.running.count},
                {},
                std::exchange(progress_.numerics, {}),
                pruning_.sparsity()};
  if (data_.validation.size() > 0)
    e.validation = evaluate(model_, *phase().train.loss, data_, data_.validation, phase().train.eval_batch).score;
  if (progress_.search) e.bits = progress_.search->bits;
  e.met = phase().adaptive && e.validation.examples > 0 && e.validation.accuracy >= phase().adaptive->target_accuracy;
  e.complete = pruning_.is_complete(progress_.prunings);
  const bool is_best = selects(e, progress_.best);
  if (is_best) progress_.best = {e.epoch, e.validation, e.met};
  progress_.history.push_back(e);
  progress_.running = {};
  progress_.skipped = 0;
  ++at.epoch;
  at.batch = 0;
  if (is_best) checkpoint(save, Moment::new_best);
  const std::string found = progress_.search ? lower_bits(e) : "";
  checkpoint(save, Moment::epoch_end);
  for (Watch* w : watches_) {
    w->epoch_done(e, is_best);
    if (!found.empty()) w->note(found);
  }
}

void Trainer::checkpoint(const Save& save, Moment moment) {
  progress_.seconds = steady_seconds() - started_;
  progress_.loss_scale = loss_scale_->state();
  save(moment);
  saved_ = steady_seconds();
}

}  // namespace lp
