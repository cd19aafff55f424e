// The training loop.
#include "lptrain/train/trainer.h"

#include <algorithm>

#include "lptrain/base/trace.h"
#include "lptrain/train/integer.h"

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

void Best::fields(Fields& f) {
  f("epoch", epoch, "0: none yet");
  f("validation", validation, "of that epoch");
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

Trainer::Trainer(const RunConfig& config, const Dataset& data, std::vector<Watch*> watches)
    : config_(config),
      data_(data),
      watches_(std::move(watches)),
      model_(made_model(config, config.phases[0], data.shape, std::ssize(data.classes))),
      loss_scale_(config.phases[0].train.loss_scale),
      pruning_(config, std::ssize(data.classes)) {
  if (config.compute == Compute::integer) require_integers(config, model_);
}

const PhaseSpec& Trainer::phase() const {
  return config_.phases[static_cast<size_t>(std::min<int64_t>(progress_.position.phase, std::ssize(config_.phases) - 1))];
}

// Puts the trainer into the phase that progress() names: its lenses, and the loss scale as it stood.
void Trainer::enter_phase() {
  model_.set_precision(phase().precision);
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
    enter_phase();
    if (at.epoch == 0 && at.batch == 0) store_masters(model_, phase(), at.step);
    if (at.epoch == 0 && at.batch == 0) pruning_.begin(at.step, progress_.prunings);
    if (at.step == 0 || phase().train.epochs == 0) save(Moment::start);
    while (at.epoch < phase().train.epochs)
      if (!run_epoch(stop, save)) return false;
    if (at.phase + 1 == std::ssize(config_.phases)) break;
    at = {at.phase + 1, 0, 0, at.step, phase().keep ? at.updates : 0};
    if (!phase().keep) state_.clear();
    progress_.loss_scale.clear();
    progress_.prunings = 0;
    progress_.best = {};
  }
  progress_.seconds = steady_seconds() - started_;
  return true;
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
  const StepOutcome outcome =
      train_step(model_, phase(), batch.x, batch.labels, place, *loss_scale_, state_, numerics, pruning_.hooks());
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
  const bool is_best = e.validation.examples > 0 && pruning_.is_complete(progress_.prunings) &&
                       (progress_.best.epoch == 0 || is_better(e.validation, progress_.best.validation));
  if (is_best) progress_.best = {e.epoch, e.validation};
  progress_.history.push_back(e);
  progress_.running = {};
  progress_.skipped = 0;
  ++at.epoch;
  at.batch = 0;
  if (is_best) checkpoint(save, Moment::new_best);
  checkpoint(save, Moment::epoch_end);
  for (Watch* w : watches_) w->epoch_done(e, is_best);
}

void Trainer::checkpoint(const Save& save, Moment moment) {
  progress_.seconds = steady_seconds() - started_;
  progress_.loss_scale = loss_scale_->state();
  save(moment);
  saved_ = steady_seconds();
}

}  // namespace lp
