// Line to arguments: every kind of option, and every way to get them wrong.
#include "lptrain/app/parse.h"

#include <doctest/doctest.h>

#include <set>

#include "lptrain/base/error.h"

using namespace lp;

namespace {

const Command& sample() {
  using enum Option::Kind;
  static const Command command{"sample",
                               "for tests",
                               {},
                               {{positional, "FILE", "what to read", {}, 0, true},
                                {positionals, "MORE", "others"},
                                {flag, "json", "as JSON"},
                                {flag, "quiet", "say less", {}, 'q'},
                                {value, "seed", "of chance", "N"},
                                {list, "set", "a change", "PATH=VALUE", 's'}},
                               nullptr};
  return command;
}

Arguments parsed(const std::vector<std::string>& words) { return parse_arguments(sample(), words); }

std::string mistake(const std::vector<std::string>& words) {
  try {
    parsed(words);
  } catch (const Error& e) {
    CHECK(e.kind == ErrorKind::usage);
    return e.what();
  }
  return "none";
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("positionals, flags, values and lists, in any order") {
  const Arguments a = parsed({"--seed", "7", "a.json", "-q", "-s", "x.y=1", "--set", "l=[1, 2]", "b", "c", "--set=e="});
  CHECK(a.text("FILE") == "a.json");
  CHECK(a.list("MORE") == Texts{"b", "c"});
  CHECK(a.has("quiet"));
  CHECK_FALSE(a.has("json"));
  CHECK(a.integer("seed", 0, 10) == 7);
  CHECK(a.list("set") == Texts{"x.y=1", "l=[1, 2]", "e="});
  CHECK(a.words().size() == 12);
  CHECK(a.words()[0] == "sample");
}

TEST_CASE("values reach the command as they were typed") {
  for (const std::string text :
       {"l=[1,2]", "a={\"b\": [\"c\", null]}", "name=two words", "a=\"quoted\"", "x=-1", "a,b;c|d", "p=%%", "e==", "a=''"}) {
    CHECK(parsed({"f", "--set", text}).list("set") == Texts{text});
    CHECK(parsed({"f", "--set=" + text}).list("set") == Texts{text});
    CHECK(parsed({"f", "-s", text}).list("set") == Texts{text});
    CHECK(parsed({text}).text("FILE") == text);
  }
}

TEST_CASE("a list takes one word at a time, so what follows stays a positional") {
  const Arguments a = parsed({"--set", "a=1", "file", "--set", "b=2", "more"});
  CHECK(a.text("FILE") == "file");
  CHECK(a.list("MORE") == Texts{"more"});
  CHECK(a.list("set") == Texts{"a=1", "b=2"});
}

TEST_CASE("of a value given twice the last one counts") {
  CHECK(parsed({"f", "--seed", "1", "--seed", "2"}).text("seed") == "2");
}

TEST_CASE("mistakes are named, with what to type instead") {
  CHECK(mistake({"f", "--sede", "3"}) == "sample: unknown option --sede; did you mean --seed? (see `lptrain sample --help`)");
  CHECK(mistake({"f", "--jason"}).find("did you mean --json?") != std::string::npos);
  CHECK(mistake({"f", "--Seed=3"}).find("unknown option --Seed;") != std::string::npos);
  CHECK(mistake({"f", "-z"}).find("unknown option -z") != std::string::npos);
  CHECK(mistake({"f", "--seed"}) == "sample: --seed wants a value: N (see `lptrain sample --help`)");
  CHECK(mistake({"f", "--seed", ""}) == "sample: --seed wants a value: N, found an empty one (see `lptrain sample --help`)");
  CHECK(mistake({}) == "sample: wants FILE: what to read (see `lptrain sample --help`)");
  CHECK(mistake({"--json"}).find("wants FILE") != std::string::npos);
}

TEST_CASE("numbers are checked where they are asked for") {
  const auto wrong = [](const std::string& text) {
    CHECK_THROWS_AS((void)parsed({"f", "--seed", text}).integer("seed", 0, 10), Error);
  };
  for (const char* text : {"x", "1x", "11", "1.5", "0x1", " 1", "99999999999999999999"}) wrong(text);
  CHECK(parsed({"f", "--seed", "0.25"}).number("seed", 0, 1) == 0.25);
  CHECK_THROWS_AS((void)parsed({"f", "--seed", "nan"}).number("seed", 0, 1), Error);
  CHECK_FALSE(parsed({"f"}).integer("seed", 0, 10).has_value());
}

TEST_CASE("asking for an option that the row does not have is a programmer's mistake") {
  CHECK_THROWS_AS((void)parsed({"f"}).has("sed"), std::logic_error);
  CHECK_FALSE(parsed({"f"}).given("sed"));
}

TEST_CASE("every row of the table makes a parser, with options of one name each") {
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    std::set<std::string_view> names;
    std::set<char> letters;
    std::vector<std::string> words;
    for (const Option& option : command.options) {
      CHECK(names.insert(option.name).second);
      CHECK((!option.letter || letters.insert(option.letter).second));
      CHECK_FALSE(option.doc.empty());
      const bool takes_value = option.kind == Option::Kind::value || option.kind == Option::Kind::list;
      CHECK((!takes_value || !option.value.empty()));
      if (option.is_required) words.push_back("word");
    }
    CHECK_NOTHROW(parse_arguments(command, words));
    CHECK(find_command(command.name) == &command);
    CHECK((command.run != nullptr));
  }
  CHECK(find_command("trian") == nullptr);
}
