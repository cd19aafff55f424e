// Tables of numbers and words to f32 features: numeric columns as they are, every other column one-hot.
#pragma once
#include <string>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/data/examples.h"

namespace lp {

// How a CSV file is to be read.
struct CsvLayout {
  std::string label;  // column name or number from 0; "" is the last column
  bool header = false;
  std::string delimiter = ",";
  std::string missing = "?";
  std::vector<std::string> columns;      // names, if there is no header
  std::vector<std::string> drop;         // columns left out
  std::vector<std::string> categorical;  // columns of numbers that are names
  std::string label_suffix;              // cut off the end of labels (adult's test file ends them with a full stop)
  std::vector<int64_t> image;            // [H,W,C] if the columns are pixels
  double white = 255;                    // pixel value of white

  void fields(Fields& f);
};

// A column is numeric if every value of the training files is a finite number or missing; missing numbers become NaN (filled with
// the training mean by the data set). Words among mostly numbers are an error. A word column with k words gives k features; a
// missing or unknown word gives zeros. At most kMostWords words a column. Classes are the training labels, ascending if all are
// numbers, else sorted. Errors are Error(data) "FILE:LINE: ...".
inline constexpr size_t kMostWords = 1000;
Decoded decode_csv(const CsvLayout& layout, const Inputs& inputs);

}  // namespace lp
