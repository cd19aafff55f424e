// CSV text: quoting, blanks, line ends, and errors with their line.
#include "lptrain/data/csv.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("fields, quotes, blanks and line ends") {
  const auto rows = parse_csv("a, b ,\"c, \"\"d\"\"\"\r\n\r\n1,,\"x\ny\"\n\n3,4,5", "t");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b", "c, \"d\""});
  CHECK(rows[1].fields == std::vector<std::string>{"1", "", "x\ny"});
  CHECK(rows[1].line == 3);
  CHECK(rows[2].line == 6);
  CHECK(parse_csv("\xef\xbb\xbfq;w\n", "t", ';')[0].fields == std::vector<std::string>{"q", "w"});
  CHECK(parse_csv("", "t").empty());
  CHECK(parse_csv("1\t2\n", "t", '\t')[0].fields.size() == 2);
  CHECK(parse_csv("a,\n", "t")[0].fields.size() == 2);
}

TEST_CASE("a field survives being written and read") {
  for (const std::string text : {"plain", "with, comma", "with \"quotes\"", "two\nlines", " blanks ", ""})
    CHECK(parse_csv("x," + csv_field(text) + "\n", "t")[0].fields[1] == text);
}

TEST_CASE("errors name file and line") {
  const auto message = [](const std::string& text) { return error_of(ErrorKind::data, [&] { parse_csv(text, "t.csv"); }); };
  CHECK(contains(message("1,2\n3\n"), "t.csv:2: 1 fields, but the first row has 2"));
  CHECK(contains(message("1,2\n3,\"4\n"), "t.csv:2: a quote is opened"));
  CHECK(contains(message("1,\"2\"x\n"), "t.csv:1: found byte 0x78"));
  CHECK(contains(message(std::string("1,2\n3,\0004\n", 9)), "t.csv:2: found byte 0x00"));
  fuzz("a,\"b\",c\n1,2,3\r\n4,\"5\n6\",7\n", 5000, [](const std::string& text) { parse_csv(text, "fuzz"); });
}
