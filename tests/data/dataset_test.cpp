// Data sets: specs, splits, missing files, and what is shared.
#include "lptrain/data/dataset.h"

#include <algorithm>
#include <set>

#include "data/fixtures.h"
#include "lptrain/base/document.h"
#include "lptrain/data/image.h"
#include "lptrain/data/loader.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

DatasetSpec parse(const std::string& json) {
  DatasetSpec spec;
  read(Document::parse(json, "test"), spec);
  return spec;
}

DataFolders only(const std::filesystem::path& folder) { return {{folder}, folder}; }

// A card "tiny" of IDX files with 50 + 10 images.
Folder& tiny() {
  static Folder folder;
  static const bool made = [] {
    std::filesystem::create_directories(folder.path / "tiny");
    write_file(folder.path / "tiny.json", R"({"title": "t", "decoder": "idx", "files": [
        {"name": "ti"}, {"name": "tl"}, {"name": "ei", "split": "test"}, {"name": "el", "split": "test"}]})");
    write_file(folder.path / "tiny" / "ti", idx({50, 4, 3}));
    write_file(folder.path / "tiny" / "tl.gz", gzip(idx({50})));
    write_file(folder.path / "tiny" / "ei", idx({10, 4, 3}));
    write_file(folder.path / "tiny" / "el", idx({10}));
    return true;
  }();
  (void)made;
  return folder;
}

Dataset load(const std::string& json) { return load_dataset(parse(json), only(tiny().path)); }

}  // namespace

TEST_CASE("a card's files become splits that share bytes") {
  const Dataset set = load(R"({"name": "tiny"})");
  CHECK(set.shape == Shape{4, 3, 1});
  CHECK(set.train.size() == 45);
  CHECK(set.validation.size() == 5);
  CHECK(set.test.size() == 10);
  CHECK(set.classes.size() == 50);
  CHECK(set.train.examples.get() == set.validation.examples.get());
  CHECK(set.train.label(3) == set.train.rows[3]);
  CHECK(set.digest.size() == 64);
}

TEST_CASE("a set is in memory once: while it is read, split and loaded from, tensors hold its bytes and no second copy") {
  const Folder folder;
  std::filesystem::create_directories(folder.path / "s");
  write_file(folder.path / "s.json", R"({"decoder": "idx", "files": [{"name": "i"}, {"name": "l"}]})");
  write_file(folder.path / "s" / "i.gz", gzip(idx({2000, 28, 28})));
  write_file(folder.path / "s" / "l", idx({2000}));
  const int64_t before = memory_use().live_bytes, data = 2000 * 28 * 28, room = data / 8;  // size classes waste up to an eighth
  reset_peak();
  const Dataset set = load_dataset(parse(R"({"name": "s"})"), only(folder.path));
  CHECK(memory_use().peak_bytes - before <= data + room);
  const Loader loader(set, set.train, {.batch = 1, .shuffle = true, .ahead = 0});
  const Loader validation(set, set.validation, {.batch = 1});
  loader.batch(0, 0);
  CHECK(memory_use().peak_bytes - before <= data + room);
  CHECK(memory_use().live_bytes - before >= data);
  for (const Subset* subset : {&set.train, &set.validation, &set.test})
    CHECK(subset->examples->inputs.raw() == set.train.examples->inputs.raw());
}

TEST_CASE("validation is drawn by split_seed alone; no row is in two splits") {
  const Dataset a = load(R"({"name": "tiny"})"), b = load(R"({"name": "tiny", "normalize": "none"})"),
                c = load(R"({"name": "tiny", "split_seed": 2})");
  CHECK(a.validation.rows == b.validation.rows);
  CHECK(a.validation.rows != c.validation.rows);
  std::set<int64_t> all(a.train.rows.begin(), a.train.rows.end());
  all.insert(a.validation.rows.begin(), a.validation.rows.end());
  CHECK(all.size() == 50);
  CHECK(load(R"({"name": "tiny", "validation": 0})").train.size() == 50);
  const Dataset limited = load(R"({"name": "tiny", "limit": 7})");
  CHECK(limited.train.size() == 7);
  CHECK(limited.validation.size() == 5);
  CHECK(limited.test.size() == 7);
}

TEST_CASE("specs: shorthand, resize, and what contradicts itself") {
  CHECK(load(R"({"name": "tiny", "resize": [8, 6]})").shape == Shape{8, 6, 1});
  CHECK_THROWS_AS(parse(R"({"name": "x", "csv": {"path": "y"}})"), DocumentError);
  CHECK_THROWS_AS(parse(R"({"name": "x", "resize": [8]})"), DocumentError);
  CHECK_THROWS_AS(parse(R"({"name": "x", "normalise": "unit"})"), DocumentError);
  CHECK_THROWS_AS(parse(R"({"csv": {"path": "y", "delimiter": ""}})"), DocumentError);
  CHECK_THROWS_AS(parse(R"({"image_folder": {"path": "y", "channels": 2}})"), DocumentError);
  const DatasetSpec spec = parse(R"({"name": "tiny", "augment": ["flip", {"crop": {"pad": 2}}], "limit": 5})");
  CHECK(write(spec, true) == write(parse(write(spec, true).dump()), true));
}

TEST_CASE("a missing set says what to type or where to put it") {
  const Folder empty;
  std::filesystem::copy(std::filesystem::path(source_dir()) / "datasets" / "mnist.json", empty.path / "mnist.json");
  std::filesystem::copy(std::filesystem::path(source_dir()) / "datasets" / "sign_digits_2class.json",
                        empty.path / "sign_digits_2class.json");
  const auto message = [&](ErrorKind kind, const std::string& name) {
    return error_of(kind, [&] { load_dataset(parse("{\"name\": \"" + name + "\"}"), only(empty.path)); });
  };
  CHECK(contains(message(ErrorKind::data, "mnist"), "lptrain data mnist --download"));
  CHECK(contains(message(ErrorKind::data, "mnist"), (empty.path / "mnist").string()));
  CHECK(contains(message(ErrorKind::data, "sign_digits_2class"), "put it into one of them; it comes from A. Mavi"));
  CHECK(contains(message(ErrorKind::usage, "mnits"), "did you mean \"mnist\"?"));
  CHECK(contains(message(ErrorKind::usage, "../mnist"), "no data set is called"));
}

TEST_CASE("wrong content is refused with both sums") {
  const Folder folder;
  std::filesystem::create_directories(folder.path / "s");
  write_file(folder.path / "s.json", R"({"decoder": "csv", "files": [{"name": "a.csv", "bytes": 8, "sums": [{"sha256": ")" +
                                         sha256("1,a\n2,b\n") + R"("}]}]})");
  write_file(folder.path / "s" / "a.csv", "1,a\n2,b\n");
  CHECK(load_dataset(parse(R"({"name": "s", "validation": 0})"), only(folder.path)).train.size() == 1);
  write_file(folder.path / "s" / "a.csv", "1,a\n2,c\n");
  const auto message = [&] {
    return error_of(ErrorKind::data, [&] { load_dataset(parse(R"({"name": "s"})"), only(folder.path)); });
  };
  CHECK(contains(message(), "sha256 is " + sha256("1,a\n2,c\n") + ", wanted " + sha256("1,a\n2,b\n")));
  write_file(folder.path / "s" / "a.csv", "1,a\n2,\n");
  CHECK(contains(message(), "7 bytes, wanted 8"));
}

TEST_CASE("labels and shapes are held against the card") {
  const Folder folder;
  std::filesystem::create_directories(folder.path / "s");
  const auto card = [&](const std::string& more) {
    write_file(folder.path / "s.json", R"({"decoder": "idx", "files": [{"name": "i"}, {"name": "l"}])" + more + "}");
    return error_of(ErrorKind::data, [&] { load_dataset(parse(R"({"name": "s"})"), only(folder.path)); });
  };
  write_file(folder.path / "s" / "i", idx({5, 2, 2}));
  write_file(folder.path / "s" / "l", idx({5}));
  CHECK(contains(card(R"(, "classes": ["a", "b", "c"])"), "example 3 of the train split has label 3, but there are 3 classes"));
  write_file(folder.path / "s" / "i", idx({5, 0, 2}));
  CHECK(contains(card(""), "examples of the train split are [0,2,1]: nothing in them"));
  write_file(folder.path / "s" / "i", idx({5, 2, 2}));
  CHECK(contains(card(R"(, "shape": [2, 3, 1])"), "examples of the train split are [2,2,1], but the card says [2,3,1]"));
}

TEST_CASE("data without a card: CSV and image folders, test split drawn") {
  const Folder folder;
  std::string rows = "x,y,kind\n";
  for (int i = 0; i < 40; ++i) rows += fmt::format("{},{},{}\n", i, i == 7 ? "?" : "2", i % 2 ? "odd" : "even");
  write_file(folder.path / "t.csv", rows);
  const std::string path = (folder.path / "t.csv").string();
  const Dataset set =
      load_dataset(parse(R"({"csv": {"path": ")" + path + R"(", "header": true, "label": "kind"}})"), only(folder.path));
  CHECK(set.name == "t");
  CHECK(set.test.size() == 8);
  CHECK(set.train.size() + set.validation.size() == 32);
  CHECK(set.classes == std::vector<std::string>{"even", "odd"});
  for (float v : std::as_const(*set.train.examples).inputs.data<float>()) CHECK(v == v);  // the missing value is filled
  const auto missing =
      error_of(ErrorKind::data, [&] { load_dataset(parse(R"({"csv": {"path": "none.csv"}})"), only(folder.path)); });
  CHECK(contains(missing, "none.csv is missing"));
}

TEST_CASE("one class, a class that is not tested, and a test without training are refused") {
  const Folder folder;
  const auto table = [&](const std::string& name, const std::string& rows) {
    write_file(folder.path / name, rows);
    return (folder.path / name).string();
  };
  const auto error = [&](const std::string& spec) {
    return error_of(ErrorKind::data, [&] { load_dataset(parse(spec), only(folder.path)); });
  };
  const std::string ones = table("ones.csv", "1,a\n2,a\n3,a\n"), both = table("both.csv", "1,a\n2,b\n3,a\n");
  CHECK(contains(error(fmt::format(R"({{"csv": {{"path": "{}"}}}})", ones)),
                 R"(ones: all 3 training examples are of one class, "a")"));
  CHECK(contains(error(fmt::format(R"({{"csv": {{"path": "{}", "test": "{}"}}}})", both, ones)),
                 R"(both: the test split has no example of class "b")"));
  const std::string named = table("named.csv", "length,kind\n2,b\n3,a\n4,a\n");
  CHECK(contains(error(fmt::format(R"({{"csv": {{"path": "{}"}}}})", named)),
                 R"(that the first line names the columns ("header"))"));
  const auto pictures = [&](const std::string& root, std::initializer_list<const char*> folders) {
    for (const char* below : folders) {
      std::filesystem::create_directories(folder.path / root / below);
      write_file(folder.path / root / below / "1.png", encode_png({2, 2, 1, {1, 2, 3, 4}}));
    }
    return error(fmt::format(R"({{"image_folder": {{"path": "{}"}}}})", (folder.path / root).string()));
  };
  CHECK(contains(pictures("lonely", {"train/cat", "test/cat"}), "of one class, \"cat\""));
  CHECK(contains(pictures("untested", {"train/cat", "train/dog", "train/eel", "test/cat"}),
                 R"(the test split has no example of classes "dog", "eel")"));
  CHECK(contains(pictures("testing", {"test/cat", "test/dog"}), "there is a folder \"test\", but none called \"train\""));
}
