// Blocks of rows: padded in front, and refused where they do not fit.
#include "lptrain/data/decode_blocks.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

BlocksLayout layout() {
  BlocksLayout l;
  l.columns = 2, l.length = 3, l.end = 1, l.train = {1, 1};
  return l;
}

std::string error(const std::string& text) {
  return error_of(ErrorKind::data, [&] { decode_blocks(layout(), {{input("f", text)}, {}}); });
}

}  // namespace

TEST_CASE("blocks end with a blank line or a row of the end's number, and stand behind zeros") {
  for (const char* text : {"1 2\n3 4 \n\n5 6\n\n", "1 2\r\n3 4\r\n1.0 1.0\r\n\r\n5 6\r\n1.0 1.0\r\n"}) {
    const Decoded d = decode_blocks(layout(), {{input("f", text)}, {}});
    CHECK(d.train.inputs.shape() == Shape{2, 3, 2});
    const auto x = d.train.inputs.data<float>();
    CHECK(std::vector<float>(x.begin(), x.end()) == std::vector<float>{0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 5, 6});
    CHECK(d.train.labels == std::vector<int32_t>{0, 1});
    CHECK(d.test.size() == 0);
  }
}

TEST_CASE("what does not fit is named with its line") {
  CHECK(contains(error(""), "f: 0 blocks, but the card's classes have 2 in the train split"));
  CHECK(contains(error("1 2\n\n"), "f: 1 blocks"));
  CHECK(contains(error("1 2\n\n3 4\n"), "f:4: the last block has 1 rows and no end; the file is cut off"));
  CHECK(contains(error("1 2\n3 4 5\n"), "f:2: 3 numbers, wanted 2"));
  CHECK(contains(error("1 2\n3\n"), "f:2: 1 numbers, wanted 2"));
  CHECK(contains(error("1 2\n3 x\n"), "f:2: found \"x\", wanted a finite number"));
  CHECK(contains(error("1 nan\n\n"), "f:1: found \"nan\""));
  CHECK(contains(error("1 1e99\n\n"), "f:1: found \"1e99\""));
  CHECK(contains(error("0 1\n0 2\n0 3\n0 4\n\n"), "f:4: the block has more than 3 rows"));
}
