// A data set ready for training: three splits over shared bytes, classes, and how raw values become inputs.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/data/augment.h"
#include "lptrain/data/card.h"
#include "lptrain/data/decode_csv.h"
#include "lptrain/data/decode_folder.h"
#include "lptrain/data/normalize.h"

namespace lp {

// Pictures without a card: <path>/<split>/<class>/*, or <path>/<class>/* (the test split is then drawn).
struct FolderSource : ImageLayout {
  std::string path;
  double test_fraction = 0.2;
  void fields(Fields& f);
};
// A table without a card.
struct CsvSource : CsvLayout {
  std::string path, test;  // without a test file the test split is drawn
  double test_fraction = 0.2;
  void fields(Fields& f);
};

// The "dataset" of a config: a card's name, or an object.
struct DatasetSpec {
  static constexpr std::string_view kShorthand = "name";
  std::string name;
  std::optional<FolderSource> image_folder;
  std::optional<CsvSource> csv;
  std::vector<int64_t> resize;                // [H, W]; empty: as stored
  std::vector<Choice<Augmentation>> augment;  // of training examples, in order
  Normalize normalize = Normalize::card;
  double validation = 0.1;
  int64_t split_seed = 1;
  std::optional<int64_t> limit;  // examples per split

  void fields(Fields& f);
};

// Some examples of a split, in a fixed order. Copies share the bytes.
struct Subset {
  std::shared_ptr<const Examples> examples;
  std::vector<int64_t> rows;

  int64_t size() const { return static_cast<int64_t>(rows.size()); }
  int32_t label(int64_t i) const { return examples->labels[static_cast<size_t>(rows[static_cast<size_t>(i)])]; }
};

struct Dataset {
  std::string name;
  Card card;
  Shape shape;  // of one example: [H,W,C], [columns], [T,C] or [T]
  std::vector<std::string> classes;
  std::vector<std::string> columns;   // of a table
  std::vector<std::string> alphabet;  // of a text, by token
  Subset train, validation, test;
  Normalization normalization;
  std::vector<Choice<Augmentation>> augment;
  std::string digest;  // sha256 over what was read (files) or drawn (generated): tells data sets apart in a run's record

  bool are_images() const { return train.examples->are_images(); }
  bool are_texts() const { return !alphabet.empty(); }
  std::string text(const Examples& examples, int64_t row) const;  // of a text, as it was read
};

// The card that a spec means: looked up by name, or made of its folder or CSV part.
Card card_of(const DatasetSpec& spec, const DataFolders& folders);

// Reads, checks, splits and measures. The validation split is drawn from train by split_seed alone. Error(usage): impossible
// specs; Error(data): files.
Dataset load_dataset(const DatasetSpec& spec, const DataFolders& folders);

}  // namespace lp
