// The fields of summary.json.
#include "lptrain/train/summary.h"

namespace lp {

void SelectedEpoch::fields(Fields& f) {
  f("epoch", epoch, "chosen by validation");
  f("validation", validation, "of that epoch");
  f("test", test, "of that epoch's model");
}

bool Summary::is_found() const { return best && !phases.empty() && phases.back().met.value_or(false); }

void Summary::fields(Fields& f) {
  f("name", name, "of the run");
  f("status", status, "finished, interrupted or diverged");
  f("run", run, "its folder");
  f("epochs", epochs, "done");
  f("seconds", seconds, "of training and validation");
  f("train", train, "while the weights were moving, in the epoch of the model that it ends with; null without epochs");
  f("validation", validation, "of that model: the last epoch's, or the one that a search for bits kept");
  f("test", test, "of that model");
  f("phases", phases, "what each ended with, in order");
  f("best", best,
    "the epoch that validation selects, in the last phase; 0 if that has none: its one model; null: nothing selected");
  f("parameters", parameters, "trained numbers");
  f("cost", cost, "of inference, with the weights that validation selects");
}

void Latency::fields(Fields& f) {
  f("batch_1", batch_1, "seconds for one example");
  f("batch_64", batch_64, "seconds for 64 examples at once");
}

void Summary::Cost::fields(Fields& f) {
  f("bits_per_weight", bits_per_weight, "mean over the weights");
  f("packed_bytes", packed_bytes, "of packed.safetensors, measured");
  f("dense_bytes", dense_bytes, "of its tensors, every code at its own width");
  f("sparse_bytes", sparse_bytes, "with zeros left out where that is smaller");
  f("huffman_bytes", huffman_bytes, "with words of varying length besides");
  f("compression", compression, "bytes of all parameters in f32, over huffman_bytes");
  f("macs", macs, "multiplications for one example");
  f("bit_operations", bit_operations, "macs times the bits of both operands, for one example");
  f("energy_joules", energy_joules, "of the arithmetic for one example: an estimate (Horowitz 2014, 45 nm)");
  f("sparsity", sparsity, "share of weights that are zero");
  f("latency", latency, "measured: median of a short loop on the machine of the run");
}

}  // namespace lp
