// Batches of network inputs, made ahead of time by a thread of their own.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "lptrain/data/dataset.h"

namespace lp {

struct Batch {
  Tensor x;                      // f32 [B,H,W,C] or [B,columns], normalized
  std::vector<int32_t> labels;   // B
  int64_t first = 0;             // place of x[0] in the epoch's order: x[i] is logical example first + i
  int64_t epoch = 0, index = 0;  // index: number of the batch in its epoch
  int64_t global_size = 0;       // examples in this batch over all shards

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct LoaderOptions {
  int64_t batch = 64;      // over all shards
  bool shuffle = false;    // an order that follows from (seed, epoch); else the data's order
  bool drop_last = false;  // leave out a last batch that is not full
  int64_t seed = 1;
  int64_t ahead = 3;              // batches kept ready; 0: made when asked for, on the caller's thread
  int64_t shard = 0, shards = 1;  // this process takes its even part of every batch
  bool augment = false;
};

// The batches of an epoch, in order. What a batch holds follows from (data, options, epoch, index): never from threads, `ahead`,
// or where one began.
class BatchStream {
 public:
  std::optional<Batch> next();  // none at the end; rethrows what went wrong while making the batch
  BatchStream(BatchStream&&) noexcept;
  BatchStream& operator=(BatchStream&&) noexcept;
  ~BatchStream();  // may come at any time; waits for at most one batch

 private:
  friend class Loader;
  struct State;
  explicit BatchStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Holds handles on the data only; cheap to make and to copy.
class Loader {
 public:
  // Augments only if options.augment says so. Error(usage): batch < 1, shard outside 0..shards-1, an empty subset.
  Loader(const Dataset& dataset, const Subset& subset, const LoaderOptions& options);

  int64_t batches() const;  // per epoch
  int64_t examples() const { return plan_->subset.size(); }
  BatchStream epoch(int64_t number, int64_t first_batch = 0) const;  // resume: begin anywhere
  Batch batch(int64_t epoch, int64_t index) const;                   // one batch alone, made now

 private:
  struct Plan {
    Subset subset;
    Normalization normalization;
    std::vector<Choice<Augmentation>> augment;
    LoaderOptions options;
    Shape shape;
    std::vector<float> table;  // [256, channels]: input of each byte, if nothing is augmented
  };
  friend class BatchStream;
  friend struct BatchMaker;
  std::shared_ptr<const Plan> plan_;
};

// Sample `row` of raw examples as network input, as a loader would give it: what `predict` feeds.
void normalized_example(const Tensor& inputs, int64_t row, const Normalization& normalization, std::span<float> into);

}  // namespace lp
