// lptrain completion: bash completes what it should; the other scripts name every command and option.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "app/program.h"
#include "lptrain/app/command.h"
#include "lptrain/base/text.h"

using namespace lp;
using namespace lp::test;

namespace {

const std::string& script() {
  static const std::string text = run({"completion", "bash"}).out;
  return text;
}

// What bash offers after "lptrain WORDS" (the last word is being typed).
std::set<std::string> offered(const fs::path& folder, const std::string& words) {
  const Folder scripts;
  write_file(scripts / "completion", script());
  const std::string count = std::to_string(split(words, ' ').size());
  const std::string command = "cd '" + folder.string() + "' && bash -c 'source " + (scripts / "completion") +
                              "; COMP_WORDS=(lptrain " + words + (words.empty() || words.ends_with(' ') ? " \"\"" : "") +
                              "); COMP_CWORD=" + count + "; _lptrain; printf \"%s\\n\" \"${COMPREPLY[@]}\"'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string out;
  for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  CHECK(::pclose(pipe) == 0);
  const auto lines = split(out, '\n');
  std::set<std::string> found(lines.begin(), lines.end());
  found.erase("");
  return found;
}

}  // namespace

TEST_CASE("bash offers commands and configs first") {
  const Folder folder;
  write_file(folder / "mine.json", "{}");
  write_file(folder / "notes.txt", "");
  fs::create_directory(folder.path / "configs");
  std::set<std::string> wanted{"--help", "--version", "mine.json", "configs"};
  for (const Command& c : commands()) wanted.emplace(c.name);
  CHECK(offered(folder.path, "") == wanted);
  CHECK(offered(folder.path, "pred") == std::set<std::string>{"predict"});
  CHECK(offered(folder.path, "mi") == std::set<std::string>{"mine.json"});
}

TEST_CASE("bash offers a command's options, choices and files") {
  const Folder folder;
  write_file(folder / "mine.json", "{}");
  for (const Command& c : commands()) {
    std::set<std::string> wanted{"--help"};
    for (const Option& o : c.options)
      if (!o.is_positional()) wanted.insert(fmt::format("--{}", o.name));
    CHECK(offered(folder.path, fmt::format("{} --", c.name)) == wanted);
  }
  CHECK(offered(folder.path, "config ") == std::set<std::string>{"show", "validate", "diff", "init"});
  CHECK(offered(folder.path, "config show m") == std::set<std::string>{"mine.json"});
  CHECK(offered(folder.path, "train mi") == std::set<std::string>{"mine.json"});
  CHECK(offered(folder.path, "mine.json --dry") == std::set<std::string>{"--dry-run"});
}

TEST_CASE("zsh and fish name every command and option") {
  const std::string zsh = run({"completion", "zsh"}).out, fish = run({"completion", "fish"}).out;
  CHECK(zsh.starts_with("#compdef lptrain\n"));
  for (const Command& c : commands()) {
    CHECK(zsh.find(fmt::format("'{}:", c.name)) != std::string::npos);
    CHECK(fish.find(fmt::format("-a {} -d ", c.name)) != std::string::npos);
    for (const Option& o : c.options) {
      if (o.is_positional()) continue;
      CHECK(zsh.find(fmt::format("--{}[", o.name)) != std::string::npos);
      CHECK(fish.find(fmt::format("__fish_seen_subcommand_from {}' -l {} ", c.name, o.name)) != std::string::npos);
    }
  }
}

TEST_CASE("other shells are refused") {
  const Outcome o = run({"completion", "bsh"});
  CHECK(o.code == 2);
  CHECK(o.says("did you mean \"bash\"?"));
}
