// Documents: places, paths, merging, `extends`, and texts that are not JSON.
#include "lptrain/base/document.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/recipe.h"
#include "lptrain/base/files.h"
#include "lptrain/base/random.h"

using lp::Document;
using lp::DocumentError;
namespace fs = std::filesystem;

namespace {

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const DocumentError& error) {
    CHECK(error.kind == lp::ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

std::string parse_error(std::string_view text) {
  return error_of([&] { Document::parse(text, "a.json"); });
}

Document parse(std::string_view text) { return Document::parse(text, "a.json"); }

// A folder that is gone after the test.
struct Folder {
  fs::path path;
  Folder() : path(fs::temp_directory_path() / ("lptrain_document_test_" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path write(const std::string& name, std::string_view text) const {
    fs::create_directories((path / name).parent_path());
    lp::write_file(path / name, text);
    return path / name;
  }
};

}  // namespace

TEST_CASE("every value knows its line and column, past comments, escapes and characters of several bytes") {
  const Document d = parse(
      "\xEF\xBB\xBF{ // one, \"two\": {\n"
      "  \"a\": 1, /* , \n \" */ \"b\" : [ -2.5e3 ,\ttrue,null, \"\\\"\\\\\" , {} ],\n"
      "  \"\xC3\xA4\xC3\xB6\": {\"c\": []}\r\n}\n");
  CHECK(d.origin("") == "a.json:1:1");
  CHECK(d.origin("a") == "a.json:2:8");
  CHECK(d.origin("b") == "a.json:3:13");
  CHECK(d.origin("b.0") == "a.json:3:15");
  CHECK(d.origin("b.1") == "a.json:3:24");
  CHECK(d.origin("b.2") == "a.json:3:29");
  CHECK(d.origin("b.3") == "a.json:3:35");
  CHECK(d.text_at("b.3") == "\"\\");
  CHECK(d.origin("b.4") == "a.json:3:44");
  CHECK(d.origin("\xC3\xA4\xC3\xB6.c") == "a.json:4:15");
  CHECK(d.keys() == std::vector<std::string>{"a", "b", "\xC3\xA4\xC3\xB6"});
}

TEST_CASE("broken texts are told with place, found and wanted") {
  CHECK(parse_error("{\"a\": [1,\n 2,]}") ==
        "a.json:2:4: error: broken JSON: unexpected ']'; expected '[', '{', or a literal; remove the comma before it");
  CHECK(parse_error("{\"a\" 1}") == "a.json:1:6: error: broken JSON: unexpected number literal; expected ':'");
  CHECK(parse_error("") == "a.json:1:1: error: broken JSON: unexpected end of input; expected '[', '{', or a literal");
  CHECK(parse_error("{}\n x").starts_with("a.json:2:2: error: broken JSON: invalid literal"));
  CHECK(parse_error("[1e999]").starts_with("a.json:1:2: error: broken JSON: number overflow parsing '1e999'"));
  CHECK(parse_error("[\"\xFF\"]").starts_with("a.json:1:2: error: broken JSON: invalid string"));
  CHECK(parse_error("[1, /* ").find("missing closing '*/'") != std::string::npos);
  CHECK(parse_error("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}, \"a\": 3}") ==
        "a.json:2:16: error: duplicate key \"c\", already at a.json:2:8\na.json:2:25: error: duplicate key \"a\", already at "
        "a.json:1:2");
  CHECK(parse_error(std::string_view("{}\0x", 4)).find("zero byte") != std::string::npos);
  CHECK(parse_error(std::string(101, '[') + std::string(101, ']')) == "a.json:1:101: error: nested deeper than 100 levels");
  CHECK_NOTHROW(parse(std::string(100, '[') + std::string(100, ']')));
  CHECK(parse_error(std::string(1 << 20, '[')).find("deeper") != std::string::npos);
}

TEST_CASE("what() shows twenty mistakes in the order of the text and counts the rest") {
  std::string text = "{\"name\": 1";
  for (int i = 0; i < 30; ++i) text += ",\n\"zzz" + std::to_string(i) + "\": 0";
  const std::string message = error_of([&] { recipe::read(text + "}"); });
  CHECK(message.starts_with(
      "a.json:1:10: error: name must be text, found 1\na.json:2:1: error: unknown key \"zzz0\"; known: name, "));
  CHECK(message.ends_with("\nand 11 more"));
  CHECK(std::count(message.begin(), message.end(), '\n') == 20);
}

TEST_CASE("set makes objects, walks lists, opens choices, and names the longest good part of a bad path") {
  Document d = parse(R"({"model": {"layers": [{"out": 1}, {"out": 2}]}, "optimizer": "adam", "n": 1, "none": null})");
  d.set("model.layers.1.out=3");
  d.set("x.y.z=text");
  d.set("optimizer.adam.lr=0.5");
  d.set("none.a=[1, {\"b\": 2}]");
  d.set("overrides.\"conv1.*\".format=int4");
  d.set("e=");
  CHECK(d == parse(R"({"model": {"layers": [{"out": 1}, {"out": 3}]}, "optimizer": {"adam": {"lr": 0.5}}, "n": 1,
                       "none": {"a": [1, {"b": 2}]}, "x": {"y": {"z": "text"}}, "overrides": {"conv1.*": {"format": "int4"}},
                       "e": ""})"));
  CHECK(d.origin("model.layers.1.out") == "--set model.layers.1.out=3");
  CHECK(d.origin("model.layers.0.out") == "a.json:1:31");
  CHECK(d.origin("none.a.1.b") == "--set none.a=[1, {\"b\": 2}]");
  const auto set_error = [&](std::string_view assignment) {
    return error_of([&] {
      Document copy = d;
      copy.set(assignment);
    });
  };
  CHECK(set_error("n.a.b=1") == "--set n.a.b=1: error: n is 1, it has no \"a\"");
  CHECK(set_error("model.layers.2.out=1") ==
        "--set model.layers.2.out=1: error: model.layers is a list without element \"2\": its elements are 0..1");
  CHECK(set_error("model.layers.-1=1").find("without element \"-1\"") != std::string::npos);
  CHECK(set_error("model.layers.99999999999999999999=1").find("without element") != std::string::npos);
  CHECK(set_error("model.layers.x=1").find("without element \"x\"") != std::string::npos);
  CHECK(set_error("n") == "--set n: error: wanted path=value, like train.epochs=3");
  CHECK(set_error("=1").find("wanted a path") != std::string::npos);
  CHECK(set_error("a..b=1").find("empty part") != std::string::npos);
  std::string deep = "a";
  for (int i = 0; i < 100000; ++i) deep += ".a";
  CHECK(set_error(deep + "=1").find("wanted a path") != std::string::npos);
}

TEST_CASE("paths look at, cut out and erase") {
  Document d = parse(R"({"a": {"b": [10, "x", [true]], "c.d": null}})");
  CHECK(d.has("a.b.2.0"));
  CHECK(d.has("a.\"c.d\""));
  for (const char* absent : {"a.c.d", "a.b.3", "a.b.-1", "a.b.1x", "a.b.0.0", "z", "a.b."}) CHECK_FALSE(d.has(absent));
  CHECK(d.size("a.b") == 3);
  CHECK(d.size("a") == 2);
  CHECK(d.size("a.b.0") == 0);
  CHECK(d.is_list("a.b"));
  CHECK_FALSE(d.is_list("a"));
  CHECK(d.is_object(""));
  CHECK(d.text_at("a.b.1") == "x");
  CHECK(d.text_at("a.b") == R"([10, "x", [true]])");
  CHECK(d.at("a.b").origin("1") == "a.json:1:18");
  CHECK(error_of([&] { d.at("a.x"); }) == "a.json:1:1: error: a.x is missing");
  d.erase("a.b.1");
  d.erase("a.b.7");
  d.erase("a.\"c.d\"");
  CHECK(d == parse(R"({"a": {"b": [10, [true]]}})"));
}

TEST_CASE("members have any key, in order") {
  const Document d = Document::parse(R"({"o": {"a.b": 1, "\"": {"x": 2}, "": 3}, "l": [1]})", "t");
  const auto members = d.members("o");
  REQUIRE(members.size() == 3);
  CHECK(members[0].first == "a.b");
  CHECK(members[1].first == "\"");
  CHECK(members[1].second.text_at("x") == "2");
  CHECK(members[2].second.text_at("") == "3");
  CHECK(d.members("l").empty());
  CHECK(d.members("nothing").empty());
}

TEST_CASE("merge is RFC 7386 and keeps origins") {
  // The cases of the RFC's appendix A.
  const char* cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, wanted] : cases) {
    Document d = parse(target);
    d.merge(Document::parse(patch, "patch.json"));
    CHECK(d.dump(0) == parse(wanted).dump(0));
  }
  Document d = parse(R"({"a": {"b": 1, "c": 2}})");
  d.merge(Document::parse(R"({"a": {"c": 3}})", "patch.json"));
  CHECK(d.origin("a.b") == "a.json:1:13");
  CHECK(d.origin("a.c") == "patch.json:1:13");
  d.merge(d);
  CHECK(d == parse(R"({"a": {"b": 1, "c": 3}})"));
}

TEST_CASE("a choice named in a merge replaces the one chosen before") {
  const char* const base = R"({"train": {"epochs": 2, "optimizer": {"adam": {"lr": 0.5}}}})";
  recipe::Recipe recipe;
  Document d = Document::parse(base, "base.json");
  d.merge(Document::parse(R"({"train": {"optimizer": {"sgd": {"momentum": 0.25}}}})", "phase.json"));
  read(d, recipe);
  CHECK(recipe.train.optimizer.name() == "sgd");
  Document above = Document::parse(R"({"train": {"epochs": 3}})", "run.json");  // merged over what was itself merged
  Document whole = Document::parse("{}", "run.json");
  whole.merge(d);
  whole.merge(above);
  read(whole, recipe);
  CHECK(recipe.train.optimizer.name() == "sgd");
  CHECK_THROWS_AS(read(Document::parse(R"({"train": {"optimizer": {"adam": {}, "sgd": {}}}})", "two.json"), recipe),
                  DocumentError);
}

TEST_CASE("extends merges bases relative to the file, in turn, and refuses cycles") {
  const Folder folder;
  folder.write("base/a.json", R"({"x": 1, "y": {"p": 1, "q": 2}})");
  folder.write("base/b.json", R"({"extends": "a.json", "y": {"p": 3}, "z": 4})");
  const fs::path file = folder.write("c.json", "{\"extends\": [\"base/a.json\", \"base/b.json\"],\n \"x\": null, \"w\": 5}");
  const Document d = Document::load(file);
  CHECK(d == parse(R"({"y": {"p": 3, "q": 2}, "z": 4, "w": 5})"));
  CHECK(d.origin("y.p") == (folder.path / "base/b.json").string() + ":1:34");
  CHECK(d.origin("y.q") == (folder.path / "base/a.json").string() + ":1:29");
  CHECK(d.origin("w") == file.string() + ":2:18");

  const fs::path nulls = folder.write("nulls.json", R"({"a": null})");
  CHECK(Document::load(nulls).has("a"));
  folder.write("loop1.json", R"({"extends": "./loop2.json"})");
  folder.write("loop2.json", R"({"extends": ["loop1.json"]})");
  const std::string loop = error_of([&] { Document::load(folder.path / "loop1.json"); });
  CHECK(loop.starts_with((folder.path / "loop2.json").string() + ":1:14: error: extends itself: "));
  folder.write("lost.json", R"({"extends": "nowhere.json"})");
  const std::string lost = error_of([&] { Document::load(folder.path / "lost.json"); });
  CHECK(lost.starts_with((folder.path / "lost.json").string() + ":1:13: error: cannot read "));
  const std::string missing = error_of([&] { Document::load(folder.path / "missing.json"); });
  CHECK(missing.starts_with((folder.path / "missing.json").string() + ": error: cannot read "));
  folder.write("odd.json", R"({"extends": [3]})");
  CHECK(error_of([&] { Document::load(folder.path / "odd.json"); }).find("must be a file name or a list of them, found 3") !=
        std::string::npos);
  for (int i = 0; i < 20; ++i) {  // 2^20 files, would it go on
    const std::string next = "\"d" + std::to_string(i + 1) + ".json\"";
    folder.write("d" + std::to_string(i) + ".json", "{\"extends\": [" + next + ", " + next + "]}");
  }
  folder.write("d20.json", "{}");
  CHECK(error_of([&] { Document::load(folder.path / "d0.json"); }).find("more than 100 files") != std::string::npos);
}

TEST_CASE("dump reads back as the same document") {
  const std::string text = R"({
  "list": [1, -2.5, "three", null, true],
  "deep": [
    {
      "a": []
    },
    [0.1, 1e+300, 5e-324]
  ],
  "empty": {},
  "escapes": "\" \\ \n \t ä",
  "big": 9223372036854775807,
  "whole": 2.0
})";
  const Document d = parse(text);
  CHECK(d.dump() == text);
  CHECK(parse(d.dump(0)) == d);
  CHECK(d.dump(0).find('\n') == std::string::npos);
  CHECK(parse("{\"a\": 1, \"b\": 2}") != parse("{\"b\": 2, \"a\": 1}"));
  CHECK(parse("[1]") == parse("[1.0]"));
  CHECK(parse("[1]") != parse("[true]"));
  std::string numbers = "1";
  for (int i = 0; i < 100; ++i) numbers += ", 1";
  CHECK(parse("[" + numbers + "]").dump().starts_with("[\n  1,\n  1,"));
}

TEST_CASE("copies are deep") {
  Document a = parse("{\"x\": 1}");
  Document b = a;
  b.set("x=2");
  CHECK(a.text_at("x") == "1");
  a = b;
  CHECK(a.text_at("x") == "2");
}

TEST_CASE("random damage gives an error with a place or a recipe, never a crash") {
  const std::string good = lp::write(recipe::unusual()).dump();
  constexpr std::string_view kAlphabet = "{}[]\",:\\/*0123456789.eE+-tfnulrs \n\xC3\xFF";
  int accepted = 0;
  for (uint64_t trial = 0; trial < 4000; ++trial) {
    const lp::Key key = lp::Key(7).with(trial);
    std::string text = good;
    for (uint64_t edit = 0; edit <= key.below(0, 4); ++edit) {
      const lp::Key k = key.with(edit + 1);
      const size_t at = k.below(1, text.size() + 1), length = k.below(2, 6);
      const std::string piece = k.below(3, 3) == 0 ? text.substr(k.below(4, text.size()), k.below(5, 40))
                                                   : std::string(k.below(6, 3), kAlphabet[k.below(7, kAlphabet.size())]);
      text.replace(at, length, piece);
    }
    try {
      const recipe::Recipe r = recipe::read(text);
      CHECK(lp::write(recipe::read(lp::write(r).dump())) == lp::write(r));
      ++accepted;
    } catch (const DocumentError& error) {
      REQUIRE_FALSE(error.problems.empty());
      for (const lp::Problem& problem : error.problems) REQUIRE(problem.origin.starts_with("a.json:"));
    }
  }
  CHECK(accepted > 20);
  CHECK(accepted < 3900);
}
