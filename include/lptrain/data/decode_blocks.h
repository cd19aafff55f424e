// Sequences of vectors as blocks of rows of numbers.
#pragma once
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/data/examples.h"

namespace lp {

// A block is one sequence; a blank line, or a row of nothing but `end`, ends it. Labels are not in the files: the first train[0]
// blocks belong to class 0, the next train[1] to class 1, and so on.
struct BlocksLayout {
  int64_t columns = 1;  // numbers of a row
  int64_t length = 1;   // most rows of a block; shorter ones stand behind rows of zeros
  std::optional<double> end;
  std::vector<int64_t> train, test;  // blocks of each class
  void fields(Fields& f);
};

// f32 [N,length,columns]. Rows with more or fewer numbers, words, infinities, blocks that are too long or not ended, and files
// with more or fewer blocks than announced are Error(data) "FILE:LINE: ...".
Decoded decode_blocks(const BlocksLayout& layout, const Inputs& inputs);

}  // namespace lp
