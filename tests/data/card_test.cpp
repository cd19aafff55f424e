// Cards: every shipped one is complete, folders are searched in order.
#include "lptrain/data/card.h"

#include <stdlib.h>

#include <algorithm>

#include "data/fixtures.h"
#include "lptrain/base/document.h"
#include "lptrain/data/card_files.h"
#include "lptrain/data/dataset.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

DataFolders shipped() {
  const std::filesystem::path folder = std::filesystem::path(source_dir()) / "datasets";
  return {{folder}, folder};
}

}  // namespace

TEST_CASE("every shipped card parses, says who made it, and lists sums and sizes") {
  const std::vector<std::string> names = card_names(shipped());
  CHECK(names.size() >= 15);
  for (const std::string& name : names) {
    CAPTURE(name);
    const Card card = load_card(name, shipped());
    CHECK_FALSE(card.title.empty());
    CHECK_FALSE(card.source.empty());
    CHECK_FALSE(card.licence.empty());
    CHECK_FALSE(card.classes.empty());
    for (const CardFile& file : card.files) {
      CHECK(file.bytes > 0);
      CHECK_FALSE(file.urls.empty());
      CHECK_FALSE(file.sums.empty());
      for (const Sum& sum : file.sums) CHECK_FALSE(sum.what.empty());
    }
    Card again;
    again.name = name;
    read(write(card, true), again);
    CHECK(write(again) == write(card));
  }
}

TEST_CASE("every generated set loads and has the shape of its card") {
  for (const std::string& name : card_names(shipped())) {
    const Card card = load_card(name, shipped());
    if (!card.decoder->is_generator()) continue;
    CAPTURE(name);
    DatasetSpec spec;
    spec.name = name;
    spec.limit = 200;
    const Dataset set = load_dataset(spec, shipped());
    CHECK(set.train.size() == 200);
    CHECK(set.shape == Shape(card.shape));
    for (size_t label = 0; label < set.classes.size(); ++label)
      CHECK(std::ranges::any_of(set.test.rows, [&](int64_t row) {
        return set.test.examples->labels[static_cast<size_t>(row)] == static_cast<int32_t>(label);
      }));
  }
}

TEST_CASE("a name must stay inside the data set's folder, sums must be sums") {
  Card card;
  const auto bad = [&](const std::string& file) {
    CHECK_THROWS_AS(read(Document::parse(R"({"decoder": "csv", "files": [)" + file + "]}", "t"), card), DocumentError);
  };
  bad(R"({"name": "../x"})");
  bad(R"({"name": "/etc/passwd"})");
  bad(R"({"name": ""})");
  bad(R"({"name": "x", "sums": [{"sha256": "abc"}]})");
  CHECK_THROWS_AS(read(Document::parse(R"({"decoder": "csw"})", "t"), card), DocumentError);
  CHECK_THROWS_AS(read(Document::parse("{}", "t"), card = Card{}), DocumentError);
}

TEST_CASE("folders are searched in their order") {
  const Folder a, b;
  write_file(b.path / "one.json", R"({"title": "from b", "decoder": "digits"})");
  const DataFolders folders{{a.path, b.path}, a.path};
  CHECK(load_card("one", folders).title == "from b");
  write_file(a.path / "one.json", R"({"title": "from a", "decoder": "digits"})");
  CHECK(load_card("one", folders).title == "from a");
  CHECK(load_card("one", folders).name == "one");
  setenv("LPTRAIN_DATA", b.path.c_str(), 1);
  CHECK(data_folders().search[0] == b.path);
  CHECK(data_folders().download == b.path);
  CHECK(data_folders(a.path.string()).download == a.path);
  unsetenv("LPTRAIN_DATA");
}

TEST_CASE("verify tells missing, right, quoted, unlisted and wrong apart") {
  const Folder folder;
  std::filesystem::create_directories(folder.path / "c");
  Card card;
  card.name = "c";
  card.decoder.select("csv");
  for (const char* name : {"missing", "right", "quoted", "unlisted", "wrong"})
    card.files.push_back({name, Part::train, 4, {}, {}, {{sha256("good"), "w", true}}});
  card.files[2].sums[0].verified = false;
  card.files[3].sums.clear();
  for (const char* name : {"right", "quoted", "unlisted"}) write_file(folder.path / "c" / name, "good");
  write_file(folder.path / "c" / "wrong.gz", gzip("wrong"));
  const std::vector<FileReport> reports = verify_files(card, {{folder.path}, folder.path});
  std::vector<FileState> states;
  for (const FileReport& report : reports) states.push_back(report.state);
  CHECK(states == std::vector<FileState>{FileState::missing, FileState::verified, FileState::quoted, FileState::unlisted,
                                         FileState::wrong});
  CHECK(reports[4].bytes == 5);
}
