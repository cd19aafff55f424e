// Text: lines by class and windows, and what is no text.
#include "lptrain/data/decode_text.h"

#include "data/fixtures.h"

using namespace lp;
using namespace lp::test;

namespace {

Inputs two_languages() { return {{input("t/B.txt", "ba\r\nab\n\ncé"), input("t/A.txt", "aaa\n")}, {}}; }

std::vector<float> row_of(const Examples& e, size_t i) {
  const size_t width = static_cast<size_t>(e.inputs.shape()[1]);
  const auto row = e.inputs.data<float>().subspan(i * width, width);
  return {row.begin(), row.end()};
}

std::string lines_error(Inputs inputs, int64_t length = 4) {
  return error_of(ErrorKind::data, [&] { decode_lines({length}, inputs); });
}

std::string windows_error(const std::string& text, const WindowsLayout& layout = {4, 0, 0.3}) {
  return error_of(ErrorKind::data, [&] { decode_windows(layout, {{input("text.txt", text)}, {}}); });
}

}  // namespace

TEST_CASE("lines: classes by file, tokens by character, short lines behind padding") {
  const Decoded d = decode_lines({4}, two_languages());
  CHECK(d.classes == std::vector<std::string>{"A", "B"});
  CHECK(d.alphabet == std::vector<std::string>{"", "a", "b", "c", "é"});
  CHECK(d.train.labels == std::vector<int32_t>{1, 1, 1, 0});
  CHECK(row_of(d.train, 0) == std::vector<float>{0, 0, 2, 1});
  CHECK(row_of(d.train, 2) == std::vector<float>{0, 0, 3, 4});
  CHECK(row_of(d.train, 3) == std::vector<float>{0, 1, 1, 1});
}

TEST_CASE("lines that do not fit are named") {
  CHECK(contains(lines_error({}), "no training files"));
  CHECK(contains(lines_error({{input("A.txt", "")}, {}}), "A.txt: holds no line of text"));
  CHECK(contains(lines_error({{input("A.txt", "\n\r\n")}, {}}), "A.txt: holds no line of text"));
  CHECK(contains(lines_error({{input("A.txt", "ab\nabcde\n")}, {}}),
                 "A.txt:2: 5 characters, wanted at most 4; a larger \"length\""));
  CHECK(contains(lines_error({{input("A.txt", "a\n\xffz")}, {}}), "A.txt:2: byte 0xff is no UTF-8"));
  CHECK(contains(lines_error({{input("A.txt", std::string("a\0b", 3))}, {}}), "A.txt:1: found the control character 0x00"));
  Inputs strange = two_languages();
  strange.test = {input("x/A.txt", "az")};
  CHECK(contains(lines_error(strange), "x/A.txt:1: the character \"z\" does not occur in the training text"));
  strange.test = {input("x/AA.txt", "a")};
  CHECK(contains(lines_error(strange), "x/AA.txt: class \"AA\" has no training file"));
}

TEST_CASE("UTF-8 is read as the standard has it: nothing overlong, no surrogates, nothing cut off") {
  CHECK(characters_of("\xef\xbb\xbf"
                      "aß€😀",
                      "t")
            .size() == 4);
  for (const char* bad :
       {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xfe"})
    CHECK(contains(error_of(ErrorKind::data, [&] { characters_of(bad, "t"); }), "t:1: byte 0x"));
}

TEST_CASE("windows: no character is in two examples, the end of the text is for testing") {
  const Decoded d = decode_windows({2, 0, 0.25}, {{input("text.txt", "abcabcab\nabc")}, {}});
  CHECK(d.classes == std::vector<std::string>{"newline", "a", "b", "c"});
  CHECK(d.alphabet == std::vector<std::string>{"\n", "a", "b", "c"});
  CHECK(d.train.inputs.shape() == Shape{3, 2});  // abc abc ab\n | abc
  CHECK(row_of(d.train, 1) == std::vector<float>{1, 2});
  CHECK(d.train.labels == std::vector<int32_t>{3, 3, 0});
  CHECK(d.test.labels == std::vector<int32_t>{3});
  const Decoded dense = decode_windows({2, 1, 0.25}, {{input("text.txt", "abcabcab\nabc")}, {}});
  CHECK(dense.train.labels == std::vector<int32_t>{3, 1, 2, 3, 1, 2, 0});
}

TEST_CASE("texts that give no windows are named") {
  CHECK(contains(windows_error(""),
                 "the training text has 0 characters; a window of 4 and the character behind it want at least 5"));
  CHECK(contains(windows_error("abcdefgh"), "the test text has 2 characters"));
  std::string many;
  for (int c = 0; c < 6000; ++c)
    for (const int byte : {0xe0 | (c + 0x4000) >> 12, 0x80 | ((c + 0x4000) >> 6 & 0x3f), 0x80 | ((c + 0x4000) & 0x3f)})
      many += static_cast<char>(byte);
  CHECK(contains(windows_error(many), "6000 different characters"));
  CHECK(contains(error_of(ErrorKind::data,
                          [] {
                            decode_windows({2, 0, 0.1}, {{input("a.txt", "abcabc")}, {input("b.txt", "abd")}});
                          }),
                 "b.txt: the character \"d\" does not occur"));
}
