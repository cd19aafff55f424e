// Lines that people watch: what they say, and that they fit.
#include "lptrain/app/progress.h"

#include <doctest/doctest.h>

using namespace lp;

namespace {
const ProgressFacts kFacts{3, 20, 220, 469, 0.3124, 0.906, 1834, 42};
}

TEST_CASE("the progress line says where, how well, how fast and how long") {
  CHECK(progress_line(kFacts, 80) == "epoch 3/20  47% [======>      ] 220/469  loss 0.312  acc 90.6%  1.8k/s  ETA 0:42");
}

TEST_CASE("the progress line never exceeds the terminal, from none to full") {
  for (int width = 1; width <= 200; ++width)
    for (int64_t batch : {0, 1, 468, 469}) {
      ProgressFacts f = kFacts;
      f.batch = batch;
      CHECK(static_cast<int>(progress_line(f, width).size()) <= width);
    }
  ProgressFacts full = kFacts;
  full.batch = full.batches;
  CHECK(progress_line(full, 200).find('>') == std::string::npos);
  CHECK(progress_line(full, 200).find("100%") != std::string::npos);
  CHECK_NOTHROW(progress_line({}, 80));
}

TEST_CASE("an epoch's line tells both splits and marks the best") {
  EpochScores e;
  e.epoch = 3;
  e.seconds = 12;
  e.train = {0.312, 0.906, 100};
  e.validation = {0.2911, 0.9123, 50};
  CHECK(epoch_line(e, 20, true) ==
        "epoch  3/20  train loss 0.3120 acc 90.60%  validation loss 0.2911 acc 91.23%  0:12  best so far");
  e.validation = {};
  e.skipped = 2;
  CHECK(epoch_line(e, 5, false) == "epoch 3/5  train loss 0.3120 acc 90.60%  0:12  2 steps skipped");
}

TEST_CASE("a phase's line tells its splits, bits and bytes") {
  PhaseScores p{"int4", 3, {0.1, 0.971, 50}, {0.1, 0.9692, 100}, 4, 12300};
  CHECK(phase_line(p, {1, 3, 0, 0, 0}, 3) == "phase 2/3 is done: int4, validation 97.10%, test 96.92%, 4 bits a weight, 12.3 kB");
  p.sparsity = 0.918;
  CHECK(phase_line(p, {1, 3, 0, 0, 0}, 3).ends_with("12.3 kB with the 91.8% of weights that are zero"));
  p.met = false;
  CHECK(phase_line(p, {1, 3, 0, 0, 0}, 3).ends_with("zero; the target accuracy was never reached"));
}
