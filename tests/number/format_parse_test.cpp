// Names of formats: every one comes back, impossible ones are explained, random text does no harm.
#include <doctest/doctest.h>

#include "lptrain/base/error.h"
#include "lptrain/base/random.h"
#include "lptrain/number/format.h"
#include "number/small_formats.h"

namespace lp {
namespace {

std::string error_of(std::string_view text) {
  try {
    return "parsed as " + Format::parse(text).name();
  } catch (const Error& error) {
    CHECK(error.kind == ErrorKind::usage);
    return error.what();
  }
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("parse(name()) is the same format, and names are canonical") {
  std::vector<std::string> names = Format::known();
  for (const auto& list : {small_float_names(), small_fixed_names(), small_posit_names()})
    names.insert(names.end(), list.begin(), list.end());
  for (int n = 17; n <= 32; ++n) {
    for (const char* pattern : {"int", "uint"}) names.push_back(pattern + std::to_string(n));
    names.push_back("q3." + std::to_string(n - 4));
    names.push_back("int" + std::to_string(n) + "_narrow");
    names.push_back("e8m" + std::to_string(n - 9));
  }
  for (const std::string& name : names) {
    const Format format = Format::parse(name);
    CHECK_MESSAGE(Format::parse(format.name()) == format, name);
    CHECK_MESSAGE((format.name() == name || name[0] == 'e'), name);
  }
}

TEST_CASE("the default is f32") { CHECK(Format{} == Format::parse("f32")); }

TEST_CASE("several spellings, one format") {
  const char* pairs[][2] = {{"e5m10", "f16"},
                            {"e8m7", "bf16"},
                            {"e8m23", "f32"},
                            {"e11m52", "f64"},
                            {"q7.0", "int8"},
                            {"uq8.0", "uint8"},
                            {"q7.0_narrow", "int8_narrow"}};
  for (const auto& [spelled, canonical] : pairs) {
    CHECK(Format::parse(spelled) == Format::parse(canonical));
    CHECK(Format::parse(spelled).name() == canonical);
  }
}

TEST_CASE("impossible formats: the error names what was found and why it cannot be") {
  const char* rows[][2] = {
      {"int0", "1 to 32 bits"},
      {"int33", "1 to 32 bits"},
      {"uint99999999999999999999", "1 to 32 bits"},
      {"e12m60", "11 exponent bits"},
      {"e0m0", "at least 1 exponent"},
      {"e0m7", "fixed point"},
      {"e11m0", "2^1024"},
      {"e8m24", "33 bits"},
      {"e11m51", "63 bits"},
      {"q0.0", "no bits"},
      {"uq0.0", "no bits"},
      {"q16.16", "33 bits"},
      {"uq16.17", "33 bits"},
      {"pow2_1", "need 2 bits"},
      {"pow2_9", "at most 8 bits"},
      {"posit8_5", "at most 4 exponent bits"},
      {"posit33_2", "at most 32 bits"},
      {"posit4_2", "posit5_2"},
      {"posit0_0", "posit3_0"},
      {"posit8_2_narrow", "lowest code"},
      {"posit8", "posit8_2"},
      {"uint8_narrow", "unsigned"},
      {"int1_narrow", "only 0"},
      {"f32_narrow", "lowest code"},
      {"binary_narrow", "lowest code"},
      {"fp16", "spelled f16"},
      {"FP8", "e4m3 or e5m2"},
      {"bfloat16", "spelled bf16"},
  };
  for (const auto& [text, why] : rows) {
    const std::string error = error_of(text);
    CAPTURE(error);
    CHECK(contains(error, std::string_view(text).substr(0, 4)));
    CHECK(contains(error, why));
  }
}

TEST_CASE("misspelled formats: a suggestion") {
  CHECK(contains(error_of("int88x"), "unknown format"));
  CHECK(contains(error_of("INT8"), "int8"));
  CHECK(contains(error_of("ternry"), "ternary"));
  for (const char* text : {"",        " ",       "int",      "int08",    "int8 ", " int8", "int-8", "q7",
                           "q7.",     "q.7",     "q7.8.9",   "q-1.8",    "e4",    "e4m",   "em3",   "e4m3x",
                           "pow2_",   "pow2",    "_narrow",  "int8\n",   "e04m3", "uq",    "f8",    "int8_narrow_narrow",
                           "posit8_", "posit_2", "posit8.2", "posit08_2"})
    CHECK_MESSAGE(contains(error_of(text), "unknown format"), text);
}

TEST_CASE("random text: a format that round-trips or a usage error of bounded length, nothing else") {
  const std::string_view letters = "0123456789emqufintpow_.bry-n\0 \xff\"{}";
  const Key key(7);
  int parsed = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    std::string text(key.with(i).below(0, 9), ' ');
    for (size_t j = 0; j < text.size(); ++j) text[j] = letters[key.with(i).below(j + 1, letters.size())];
    if (i % 4 == 0) {  // right in form, so that many of them exist
      const std::string first = std::to_string(key.below(i, 14)), second = std::to_string(key.below(i + 1, 40));
      text = i % 8 ? "q" + first + "." + second : "e" + first + "m" + second;
    }
    try {
      const Format format = Format::parse(text);
      CHECK(Format::parse(format.name()) == format);
      CHECK(format.lo() < format.hi());
      ++parsed;
    } catch (const Error& error) {
      if (error.kind != ErrorKind::usage) FAIL(text);
    }
  }
  CHECK(parsed > 1000);
  CHECK(error_of(std::string(1 << 20, '7')).size() < 2000);
  std::string many = "int8";
  for (int i = 0; i < 100000; ++i) many += "_narrow";
  CHECK(error_of(many).size() < 2000);
}

}  // namespace lp
