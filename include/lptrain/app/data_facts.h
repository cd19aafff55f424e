// What is in a data set, as `lptrain data NAME` tells it.
#pragma once
#include <string>
#include <vector>

#include "lptrain/data/dataset.h"

namespace lp {

struct SplitFacts {
  int64_t examples = 0;
  std::vector<int64_t> per_class;  // in the order of the classes
  void fields(Fields& f);
};

struct DataFacts {
  std::string status = "finished", name, title, source, licence, files, shape, digest;  // files: generated, here, missing ...
  std::vector<std::string> classes;
  int64_t alphabet = 0;              // tokens of a text; what an embedding wants as "vocabulary"
  std::vector<std::string> samples;  // of a text: a training example of each class
  SplitFacts train, validation, test;
  int64_t bytes = 0;  // in memory
  void fields(Fields& f);
  std::string text() const;
};

std::string shown_text(std::string text);  // of an example, in quotes, on one line

// Are the files of a card there (they are not read)? "generated", "here", "missing", "2 of 4 files".
std::string where(const Card& card, const DataFolders& folders);

DataFacts facts_of(const Card& card, const DataFolders& folders);  // what is known without reading the files: no splits
DataFacts facts_of(const Dataset& data, const DataFolders& folders);

}  // namespace lp
