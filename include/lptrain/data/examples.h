// What a decoder makes of files: examples with labels, by split.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lptrain/tensor/tensor.h"

namespace lp {

// One split. Images are bytes u8 [N,H,W,C] (kept as bytes, never copied again); tables are f32 [N,F], sequences f32 [N,T,C],
// texts f32 [N,T] of tokens: whole numbers that count an alphabet.
struct Examples {
  Tensor inputs;
  std::vector<int32_t> labels;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  bool are_images() const { return inputs && inputs.dtype() == DType::u8; }
};

// A file that is read, unpacked and checked when asked for; the name is relative to the data set's folder ("train/zero/a.png").
struct Input {
  std::string name;
  std::function<std::string()> read;
};
struct Inputs {
  std::vector<Input> train, test;  // an empty test list: the test split is drawn from train
};

struct Decoded {
  Examples train, test;
  std::vector<std::string> classes;        // if the files name them
  std::vector<std::string> columns;        // of a table, one a feature
  std::vector<std::string> alphabet = {};  // of a text: what each token stands for; "": padding
};

}  // namespace lp
