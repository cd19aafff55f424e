// Exported data sets are data sets: what is written reads back the same.
#include "lptrain/data/export.h"

#include <algorithm>
#include <set>
#include <utility>

#include "data/fixtures.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

DataFolders shipped() {
  const std::filesystem::path folder = std::filesystem::path(source_dir()) / "datasets";
  return {{folder}, folder};
}

Dataset load(const std::string& name, int64_t limit) {
  DatasetSpec spec;
  spec.name = name;
  spec.limit = limit;
  return load_dataset(spec, shipped());
}

}  // namespace

TEST_CASE("pictures come back byte for byte") {
  const Folder folder;
  for (const std::string name : {"shapes", "digits"}) {
    const Dataset set = load(name, 30);
    export_dataset(set, folder.path / name);
    DatasetSpec spec;
    spec.image_folder.emplace();
    spec.image_folder->path = (folder.path / name).string();
    spec.image_folder->channels = static_cast<int>(set.shape[2]);
    const Dataset back = load_dataset(spec, shipped());
    CHECK(back.train.size() + back.validation.size() == set.train.size() + set.validation.size());
    CHECK(back.test.size() == 30);
    CHECK(back.shape == set.shape);
    std::multiset<std::string> wanted, found;
    const auto collect = [](const Dataset& s, std::multiset<std::string>& into) {
      const size_t width = static_cast<size_t>(s.shape.size());
      for (int64_t i = 0; i < s.test.size(); ++i)
        into.insert(s.classes[static_cast<size_t>(s.test.label(i))] +
                    std::string(static_cast<const char*>(s.test.examples->inputs.raw()) +
                                    static_cast<size_t>(s.test.rows[static_cast<size_t>(i)]) * width,
                                width));
    };
    collect(set, wanted);
    collect(back, found);
    CHECK(wanted == found);
  }
}

TEST_CASE("tables come back number for number") {
  const Folder folder;
  const Dataset set = load("machine", 50);
  export_dataset(set, folder.path / "out");
  DatasetSpec spec;
  spec.csv.emplace();
  spec.csv->path = (folder.path / "out" / "train.csv").string();
  spec.csv->test = (folder.path / "out" / "test.csv").string();
  spec.csv->header = true;
  const Dataset back = load_dataset(spec, shipped());
  CHECK(back.columns == set.columns);
  CHECK(back.test.size() == 50);
  for (int64_t i = 0; i < 50; ++i) {
    const auto a =
        set.test.examples->inputs.rows(set.test.rows[static_cast<size_t>(i)], set.test.rows[static_cast<size_t>(i)] + 1);
    const auto b = back.test.examples->inputs.rows(i, i + 1);
    CHECK(std::ranges::equal(std::as_const(a).data<float>(), std::as_const(b).data<float>()));
    CHECK(set.classes[static_cast<size_t>(set.test.label(i))] == back.classes[static_cast<size_t>(back.test.label(i))]);
  }
}

TEST_CASE("texts come back as they were read") {
  const Folder folder;
  const Dataset set = load("babble", 50);
  export_dataset(set, folder.path / "out");
  const std::string csv = read_file(folder.path / "out" / "test.csv");
  CHECK(csv.starts_with("text,class\n"));
  CHECK(std::ranges::count(csv, '\n') == 51);
  for (int64_t row : set.test.rows) CHECK(contains(csv, set.text(*set.test.examples, row)));
}

TEST_CASE("a folder that holds something is left alone") {
  const Folder folder;
  write_file(folder.path / "mine.txt", "x");
  CHECK(contains(error_of(ErrorKind::usage, [&] { export_dataset(load("rings", 10), folder.path); }), "exists and is not empty"));
  CHECK(read_file(folder.path / "mine.txt") == "x");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("contact sheets: one row a class; points; no picture of a wide table") {
  const Dataset digits = load("digits", 100);
  const Image sheet = contact_sheet(digits, 4);
  CHECK(sheet.channels == 1);
  CHECK(sheet.height == 10 * 57 + 1);
  CHECK(sheet.width == 4 * 57 + 1);
  CHECK(std::ranges::max(sheet.pixels) > 200);
  CHECK(contact_sheet(load("shapes", 20), 3).channels == 3);
  const Image plot = contact_sheet(load("spirals", 100));
  CHECK(std::ranges::count(plot.pixels, 255) > 100);
  CHECK(contains(error_of(ErrorKind::usage, [&] { contact_sheet(load("machine", 10)); }), "8 columns has no picture"));
  CHECK(contains(error_of(ErrorKind::usage, [&] { contact_sheet(load("tongues", 10)); }), "tongues: text has no picture"));
}
