// Suggestions, globs and quantities, against tables and against slower definitions.
#include "lptrain/base/text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "lptrain/base/random.h"

namespace {

const std::vector<std::string> kWords{"epochs", "batch", "optimizer", "loss", "seed", "cross_entropy", "x"};

// The definition of a glob, word by word.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && matches(pattern.substr(1), text.substr(1));
}

// The i-th text over a small alphabet.
std::string nth_text(uint64_t i, std::string_view alphabet) {
  std::string text;
  for (; i > 0; i /= alphabet.size() + 1) text += alphabet[i % (alphabet.size() + 1) == 0 ? 0 : i % (alphabet.size() + 1) - 1];
  return text;
}

}  // namespace

TEST_CASE("the nearest word") {
  const std::pair<const char*, const char*> cases[] = {
      {"epoch", "epochs"},
      {"peochs", "epochs"},
      {"optimiser", "optimizer"},
      {"Loss", "loss"},
      {"crossentropy", "cross_entropy"},
      {"epochs", "epochs"},
      {"momentum", ""},
      {"", ""},
      {"y", ""},
      {"bacth", "batch"},
      {"CROSS-ENTROPY", "cross_entropy"},
      {"lo", ""},
      {"cross", "cross_entropy"},  // begins so
  };
  for (const auto& [word, nearest] : cases) CHECK(lp::nearest_word(word, kWords) == nearest);
  CHECK(lp::nearest_word(std::string(1 << 20, 'e'), kWords).empty());
  CHECK(lp::nearest_word("sgdx", std::vector<std::string>{"sgd_", "sgdxy", "sgdx"}) == "sgdx");
}

TEST_CASE("suggestions") {
  CHECK(lp::suggestion("epoch", kWords) == "; did you mean \"epochs\"?");
  CHECK(lp::suggestion("zzz", std::vector<std::string>{"a", "b"}) == "; known: a, b");
  CHECK(lp::suggestion("zzz", {}).empty());
}

TEST_CASE("split undoes join") {
  CHECK(lp::split("a,b,,c,", ',') == std::vector<std::string>{"a", "b", "", "c", ""});
  CHECK(lp::split("", ',') == std::vector<std::string>{""});
  for (uint64_t i = 0; i < 500; ++i) {
    const std::string text = nth_text(i, "a,b");
    CHECK(lp::join(lp::split(text, ','), ",") == text);
  }
  CHECK(lp::join({}).empty());
}

TEST_CASE("globs equal their definition for all short patterns and texts") {
  for (uint64_t p = 0; p < 1000; ++p)
    for (uint64_t t = 0; t < 200; ++t) {
      const std::string pattern = nth_text(p, "*?ab"), text = nth_text(t, "ab");
      if (lp::glob_match(pattern, text) != matches(pattern, text)) FAIL(pattern << " on " << text);
    }
  CHECK(lp::glob_match("conv*.weight", "conv1.weight"));
  CHECK_FALSE(lp::glob_match("conv*.weight", "conv1.weights"));
  CHECK_FALSE(lp::glob_match(std::string(2000, '*') + "b", std::string(2000, 'a')));  // not exponential
}

TEST_CASE("base64 as RFC 4648 tests it") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) CHECK(lp::base64(bytes) == text);
  CHECK(lp::base64(std::string("\xFB\xFF\x00", 3)) == "+/8A");
}

TEST_CASE("quantities") {
  const std::pair<int64_t, const char*> bytes[] = {
      {0, "0 B"},         {999, "999 B"},
      {1000, "1.0 kB"},   {1449999, "1.4 MB"},
      {99940, "99.9 kB"}, {99960, "100 kB"},
      {999499, "999 kB"}, {999500, "1.0 MB"},
      {-1500, "-1.5 kB"}, {std::numeric_limits<int64_t>::max(), "9.2 EB"},
  };
  for (const auto& [value, text] : bytes) CHECK(lp::human_bytes(value) == text);
  const std::pair<double, const char*> counts[] = {{0, "0"},        {7, "7"},        {3.14, "3.1"},     {431080, "431k"},
                                                   {1.2e6, "1.2M"}, {999.6, "1.0k"}, {1e21, "1000000P"}};
  for (const auto& [value, text] : counts) CHECK(lp::human_count(value) == text);
  const std::pair<int64_t, const char*> groups[] = {{0, "0"},       {999, "999"},        {1000, "1,000"},
                                                    {-999, "-999"}, {-12345, "-12,345"}, {1234567890, "1,234,567,890"}};
  for (const auto& [value, text] : groups) CHECK(lp::grouped(value) == text);
  const std::pair<double, const char*> joules[] = {{0, "0 J"},         {1.24e-6, "1.2 µJ"}, {3.4e-2, "34 mJ"}, {999.6, "1.0 kJ"},
                                                   {-1e-9, "-1.0 nJ"}, {1, "1.0 J"},        {1e-15, "1.0 fJ"}, {NAN, "? J"},
                                                   {1e12, "1000 GJ"},  {9.96, "10 J"},      {INFINITY, "? J"}};
  for (const auto& [value, text] : joules) CHECK(lp::human_quantity(value, "J") == text);
  const std::pair<double, const char*> seconds[] = {
      {0, "0 s"},        {0.0123, "12 ms"},     {4e-7, "400 ns"}, {1, "1.0 s"},    {3.14, "3.1 s"},
      {9.949, "9.9 s"},  {9.96, "0:10"},        {42, "0:42"},     {59.6, "1:00"},  {3599.6, "1:00:00"},
      {3723, "1:02:03"}, {360000, "100:00:00"}, {NAN, "?"},       {INFINITY, "?"},
  };
  for (const auto& [value, text] : seconds) CHECK(lp::human_seconds(value) == text);
}

TEST_CASE("a message loses the middle of words that nobody reads to their end, and nothing else") {
  CHECK(lp::with_short_words("") == "");
  const std::string just(160, 'k'), plain = "no key \"a b\"\n\t  twice\n";
  CHECK(lp::with_short_words(plain) == plain);
  CHECK(lp::with_short_words(just + " " + just) == just + " " + just);
  const std::string shown = lp::with_short_words("unknown key \"" + std::string(5000, 'k') + "\"; known: a");
  CHECK(shown.starts_with("unknown key \"kkk"));
  CHECK(shown.find("k...k") != std::string::npos);
  CHECK(shown.ends_with("kkk\"; known: a"));
  CHECK(shown.size() < 200);
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  for (const std::string& word : {umlauts, "x" + umlauts}) {  // characters stay whole, wherever the cut falls
    const std::string cut = lp::with_short_words(word);
    const size_t dots = cut.find("...");
    REQUIRE(dots != std::string::npos);
    CHECK(dots % 2 == word.size() % 2);
    CHECK((cut.size() - dots - 3) % 2 == 0);
  }
}

TEST_CASE("a sentence begins with a capital, if a letter begins it") {
  CHECK(lp::capitalized("on digits") == "On digits");
  for (const char* text : {"", "3 seeds", "MACs", "é"}) CHECK(lp::capitalized(text) == text);
}
