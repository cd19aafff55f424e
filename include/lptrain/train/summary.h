// What a run comes to, as summary.json says it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "lptrain/train/events.h"

namespace lp {

// Seconds a batch takes.
struct Latency {
  double batch_1 = 0, batch_64 = 0;
  void fields(Fields& f);
};

struct SelectedEpoch {
  int64_t epoch = 0;
  Score validation, test;
  void fields(Fields& f);
};

// summary.json: what a table cell needs.
struct Summary {
  std::string name, status;  // "finished", "interrupted", "diverged"
  std::string run;           // the folder
  int64_t epochs = 0;
  double seconds = 0;
  // Of the model that the run ends with: the last epoch's, or the one that a search for bits kept. train: of its epoch, while
  // the weights were moving; none if the last phase has no epochs.
  std::optional<Score> train;
  Score validation, test;
  std::vector<PhaseScores> phases;  // that are done
  // Epoch of the last phase selected by validation, never by test; of one without epochs its one model, as epoch 0; else none.
  std::optional<SelectedEpoch> best;
  int64_t parameters = 0;
  // What inference takes, for one example if nothing else is said (nn/cost.h): of the model that validation selects.
  struct Cost {
    double bits_per_weight = 0;
    std::optional<int64_t> packed_bytes;  // of packed.safetensors, measured at the end of the run
    // Of its tensors by how far they are coded (deploy/coding.h), likewise; the ratio is that of f32 to the smallest.
    std::optional<int64_t> dense_bytes, sparse_bytes, huffman_bytes;
    std::optional<double> compression;
    int64_t macs = 0, bit_operations = 0;
    double energy_joules = 0, sparsity = 0;
    std::optional<Latency> latency;  // measured at the end of the run
    void fields(Fields& f);
  };
  Cost cost;
  bool is_found() const;  // a search for bits found the model that it ends with: that of best
  void fields(Fields& f);
};

}  // namespace lp
