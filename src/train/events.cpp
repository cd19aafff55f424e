// How events are written down.
#include "lptrain/train/events.h"

namespace lp {

void Position::fields(Fields& f) {
  f("phase", phase, "index of the phase", {0, 1e6});
  f("epoch", epoch, "epochs done in it", {0, 1e9});
  f("batch", batch, "batches done in the epoch under way", {0, 1e12});
  f("step", step, "batches done in all", {0, 1e15});
  f("updates", updates, "made by this phase's optimizer", {0, 1e15});
}

void Score::fields(Fields& f) {
  f("loss", loss, "mean over examples");
  f("accuracy", accuracy, "share of examples that are right", {0, 1});
  f("examples", examples, "how many were looked at");
}

void EpochScores::fields(Fields& f) {
  f("phase", phase, "index of the phase");
  f("epoch", epoch, "from 1, in the phase");
  f("step", step, "batches done in all");
  f("skipped", skipped, "steps that loss scaling skipped");
  f("lr", lr, "learning rate of the last step");
  f("seconds", seconds, "since the start of the run");
  f("train", train, "while the weights were moving");
  f("validation", validation, "after the epoch");
  f("numerics", numerics, "what happened to its numbers; null unless the config asks for it");
  f("sparsity", sparsity, "share of weights that are zero; null unless something is pruned");
  f("bits", bits, "of each layer's weights, while their bits are lowered");
  f("met", met, "validation reached the target with them");
  f("complete", complete, "all is pruned that is to be: before that no epoch is selected");
}

void PhaseScores::fields(Fields& f) {
  f("name", name, "of the phase");
  f("epochs", epochs, "done in it");
  f("validation", validation, "of the model that it ends with");
  f("test", test, "of that model; nothing is chosen by it");
  f("bits_per_weight", bits_per_weight, "mean over the weights");
  f("bytes", bytes, "of all parameters at their widths, zeros included");
  f("bits", bits, "of each layer's weights, if the phase looked for them");
  f("sparsity", sparsity, "share of weights that are zero; null unless something is pruned");
  f("met", met, "the target of its search for bits was reached; null without one");
}

}  // namespace lp
