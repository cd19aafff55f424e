// What a config says about data, and the card it amounts to.
#include <algorithm>

#include "lptrain/base/text.h"
#include "lptrain/data/dataset.h"
#include "lptrain/data/image.h"

namespace lp {
namespace {

namespace fs = std::filesystem;

// A card for files that have none; its name is the path's last part.
Card nameless_card(const std::string& path, double test_fraction) {
  Card card;
  fs::path clean = fs::path(path).lexically_normal();
  if (clean.filename().empty()) clean = clean.parent_path();
  card.name = clean.stem().string();
  card.title = path;
  card.test_fraction = test_fraction;
  return card;
}

Card card_of_folder(const FolderSource& source) {
  Card card = nameless_card(source.path, source.test_fraction);
  card.decoder.select("image_folder");
  static_cast<FolderDecoder&>(*card.decoder).layout = source;
  card.folder = fs::absolute(source.path);
  return card;
}

Card card_of_csv(const CsvSource& source) {
  Card card = nameless_card(source.path, source.test_fraction);
  card.decoder.select("csv");
  static_cast<CsvDecoder&>(*card.decoder).layout = source;
  card.normalize = source.image.empty() ? Normalize::measured : Normalize::unit;
  card.folder = fs::current_path();
  card.files.push_back({source.path, Part::train, 0, {}, {}, {}});
  if (!source.test.empty()) card.files.push_back({source.test, Part::test, 0, {}, {}, {}});
  return card;
}

}  // namespace

void FolderSource::fields(Fields& f) {
  f("path", path, "folder with <split>/<class>/* or <class>/*");
  ImageLayout::fields(f);
  f("test_fraction", test_fraction, "share of the pictures drawn as the test split, if there is no test folder", {0.01, 0.9});
  f.claim(!path.empty(), "\"path\" is missing");
}

void CsvSource::fields(Fields& f) {
  f("path", path, "file with the training rows");
  f("test", test, "file with the test rows");
  CsvLayout::fields(f);
  f("test_fraction", test_fraction, "share of the rows drawn as the test split, if there is no test file", {0.01, 0.9});
  f.claim(!path.empty(), "\"path\" is missing");
}

void DatasetSpec::fields(Fields& f) {
  f("name", name, "a card: datasets/NAME.json");
  f("image_folder", image_folder, "pictures without a card");
  f("csv", csv, "a table without a card");
  f("resize", resize, "[height, width] that pictures are resized to", {0, 2});
  f("augment", augment, "random changes to training pictures, in order");
  f("normalize", normalize, "how raw values become network inputs");
  f("validation", validation, "share of the training examples held out for validation", {0, 0.9});
  f("split_seed", split_seed, "draws the validation split; apart from \"seed\", so that runs can be compared", {0, 1e15});
  f("limit", limit, "at most so many examples per split", {1, 1e12});
  f.claim(!name.empty() + image_folder.has_value() + csv.has_value() <= 1,
          "wants only one of \"name\", \"image_folder\", \"csv\"");
  f.claim(
      resize.empty() || (resize.size() == 2 && std::ranges::all_of(resize, [](int64_t n) { return n >= 1 && n <= kMostPixels; })),
      fmt::format("\"resize\" wants [height, width], each 1 to {}", kMostPixels));
}

Card card_of(const DatasetSpec& spec, const DataFolders& folders) {
  if (spec.image_folder) return card_of_folder(*spec.image_folder);
  if (spec.csv) return card_of_csv(*spec.csv);
  require(!spec.name.empty(), "the dataset has no name; known: {}", join(card_names(folders)));
  return load_card(spec.name, folders);
}

}  // namespace lp
