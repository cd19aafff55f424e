// A data set's card, datasets/NAME.json: what it is, where its files come from, how they are read and known to be right.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lptrain/base/fields.h"
#include "lptrain/data/decoder.h"

namespace lp {

// sha256 of uncompressed content that is accepted, and what that content is. Sums nobody could compute from the file itself are
// not `verified`.
struct Sum {
  std::string sha256, what;
  bool verified = true;
  void fields(Fields& f);
};

enum class Part { train, test };
template <>
struct Words<Part> {
  static constexpr std::string_view list[] = {"train", "test"};
};

// One file, found as <folder>/<card>/<name> or with ".gz" appended.
struct CardFile {
  std::string name;
  Part split = Part::train;
  int64_t bytes = 0;              // uncompressed; 0: not known
  std::vector<std::string> urls;  // plain, .gz, or a .tar.gz that holds it
  std::string member;             // its path in the .tar.gz
  std::vector<Sum> sums;          // empty: not checked
  void fields(Fields& f);
};

// How raw values become network inputs; one scale and shift per channel or column.
//   card: as the card says   unit: to [0, 1] (bytes / 255; columns by their training range)   standard: by the card's mean and
//   std measured: by mean and std of the training examples   none: as they are (bytes 0..255)
enum class Normalize { card, unit, standard, measured, none };
template <>
struct Words<Normalize> {
  static constexpr std::string_view list[] = {"card", "unit", "standard", "measured", "none"};
};

struct Card {
  std::string name;  // the file's name without .json
  std::string title, source, licence;
  std::vector<std::string> notes;  // measured values, known defects
  Choice<Decoder> decoder;
  std::vector<CardFile> files;
  std::string pictures;              // image folders: subfolder that holds <split>/<class>/*
  std::vector<int64_t> shape;        // of one example: [H,W,C] or [columns]; empty: as found
  std::vector<std::string> classes;  // in the order of the labels; empty: as the files name them
  std::vector<double> mean, std;     // per channel, of inputs in [0, 1]
  Normalize normalize = Normalize::unit;
  double test_fraction = 0.2;    // drawn from train if no file is of the test split
  std::filesystem::path folder;  // where the files are, for data without a card; empty: looked for (not a field)

  void fields(Fields& f);
};

// Where cards and files are looked for, in order: `option` (--data), $LPTRAIN_DATA, ./datasets, the user's cache
// ($XDG_CACHE_HOME or ~/.cache)/lptrain, and the datasets/ that came with the program. Downloads go to the first of option,
// $LPTRAIN_DATA, the cache.
struct DataFolders {
  std::vector<std::filesystem::path> search;
  std::filesystem::path download;
};
DataFolders data_folders(const std::string& option = "");

// NAME.json from the first folder that has it. Unknown: Error(usage) with a suggestion and the folders.
Card load_card(const std::string& name, const DataFolders& folders);
Card read_card(const std::filesystem::path& file);
std::vector<std::string> card_names(const DataFolders& folders);  // sorted

}  // namespace lp
