// Image folders: classes by name, sizes made equal.
#include "lptrain/data/decode_folder.h"

#include "data/fixtures.h"
#include "lptrain/data/image.h"

using namespace lp;
using namespace lp::test;

namespace {

Input picture(const std::string& name, int side, uint8_t value) {
  return input(name, encode_png({side, side, 1, std::vector<uint8_t>(static_cast<size_t>(side * side), value)}));
}

}  // namespace

TEST_CASE("classes are sorted, pictures keep their order, sizes are made equal") {
  const Inputs inputs{
      {picture("train/zebra/a.png", 4, 10), picture("train/ape/b.png", 6, 20), picture("train/zebra/c.png", 3, 30)},
      {picture("test/ape/x.png", 4, 40)}};
  Decoded d = decode_folder({}, inputs);
  CHECK(d.classes == std::vector<std::string>{"ape", "zebra"});
  CHECK(d.train.labels == std::vector<int32_t>{1, 0, 1});
  CHECK(d.train.inputs.shape() == Shape{3, 4, 4, 1});
  CHECK(d.train.inputs.data<uint8_t>()[16] == 20);
  CHECK(d.test.labels == std::vector<int32_t>{0});
  d = decode_folder({{2, 5}, 3}, inputs);
  CHECK(d.train.inputs.shape() == Shape{3, 2, 5, 3});
}

TEST_CASE("what does not fit is named") {
  CHECK(contains(error_of(ErrorKind::data, [] { decode_folder({}, {}); }), "no training pictures"));
  CHECK(contains(error_of(ErrorKind::data,
                          [] {
                            decode_folder({}, {{picture("a.png", 2, 1)}, {}});
                          }),
                 "a.png: lies in no folder"));
  const Inputs strange{{picture("train/cat/a.png", 2, 1)}, {picture("test/cta/b.png", 2, 1)}};
  CHECK(contains(error_of(ErrorKind::data, [&] { decode_folder({}, strange); }),
                 "test/cta/b.png: class \"cta\" has no training pictures; did you mean \"cat\"?"));
  CHECK(contains(error_of(ErrorKind::data,
                          [] {
                            decode_folder({}, {{input("train/cat/a.png", "no picture")}, {}});
                          }),
                 "train/cat/a.png"));
}

TEST_CASE("pictures are found sorted, other files are passed over") {
  const Folder folder;
  for (const char* name : {"b/2.png", "b/10.JPG", "a/x.jpeg", "a/notes.txt", "a/.hidden.png"}) {
    std::filesystem::create_directories((folder.path / name).parent_path());
    write_file(folder.path / name, "x");
  }
  CHECK(pictures_in(folder.path.string()) == std::vector<std::string>{"a/x.jpeg", "b/10.JPG", "b/2.png"});
  CHECK(contains(error_of(ErrorKind::data, [&] { pictures_in((folder.path / "none").string()); }), "none: "));
}
