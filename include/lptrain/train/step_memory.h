// How much memory training will take, found out with less of it.
#pragma once
#include <cstdint>

#include "lptrain/data/dataset.h"
#include "lptrain/train/config.h"

namespace lp {

// Bytes of tensors that steps of the last phase hold at most: parameters, optimizer state, what the tape keeps, gradients. They
// grow with the batch in a straight line, which is drawn through two small batches that the trainer's own step runs on. Nothing
// is trained: the learning rate is 0. Data sets and the program come on top.
int64_t predicted_step_bytes(const RunConfig& config, const Dataset& data);

// Largest resident set of this process so far, and what it will be if the config is trained here, with data that are loaded.
int64_t peak_resident_bytes();
int64_t predicted_resident_bytes(const RunConfig& config, const Dataset& data);

}  // namespace lp
