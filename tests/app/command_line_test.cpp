// The program from outside: help, version, the bare form, exit codes, and what goes to which stream.
#include "lptrain/app/command_line.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "app/program.h"
#include "lptrain/app/command.h"
#include "lptrain/base/version.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("alone it says what to type, in at most 20 lines with three examples, and exits 2") {
  const Outcome o = run(Line{});
  CHECK(o.code == 2);
  CHECK(o.out.empty());
  CHECK(std::ranges::count(o.err, '\n') <= 20);
  CHECK(std::ranges::count(o.err, '\n') >= 3);
  CHECK(o.says("lptrain configs/cnn_int8.json"));
}

TEST_CASE("help goes to stdout, exits 0 and knows every command and option") {
  const Outcome all = run({"--help"});
  CHECK(all.code == 0);
  CHECK(all.err.empty());
  for (const Command& command : commands()) {
    CHECK(all.out.find(std::string("  ") + std::string(command.name) + " ") != std::string::npos);
    const Outcome o = run({std::string(command.name), "--help"});
    CHECK(o.code == 0);
    CHECK(o.out.find("Examples:") != std::string::npos);
    for (const Option& option : command.options) CHECK(o.out.find(option.doc) != std::string::npos);
  }
}

TEST_CASE("version: one line, or all that a bug report wants") {
  CHECK(run({"--version"}).out == "lptrain " + version() + "\n");
  const Outcome o = run({"--version", "--verbose"});
  CHECK(o.code == 0);
  for (const char* word : {"commit", "compiler", "cpu", "isa", "kernels", "threads"})
    CHECK(o.out.find(word) != std::string::npos);
}

TEST_CASE("an unknown command is no config") {
  const Outcome near = run({"trian", "configs/smoke_f32.json"});
  CHECK(near.code == 2);
  CHECK(near.err == "error: unknown command \"trian\"; did you mean \"train\"?\n");
  CHECK(near.out.empty());
  const Outcome far = run({"xyzzy"});
  CHECK(far.code == 2);
  CHECK(far.says("lptrain --help"));
}

TEST_CASE("what ends in .json, or exists, is a config") {
  CHECK(run({"configs/smoke_f32.json", "--dry-run"}).code == 0);
  CHECK(run({"--dry-run", "configs/smoke_f32.json"}).code == 0);
  const Outcome missing = run({"configs/smoke_f23.json"});
  CHECK(missing.code == 2);
  CHECK(missing.err == "error: configs/smoke_f23.json: there is no such config; did you mean \"smoke_f32\"?\n");
  const Outcome late = run({"--seed", "1", "train", "configs/smoke_f32.json"});
  CHECK(late.code == 2);
  CHECK(late.says("unexpected"));
}

TEST_CASE("a folder that is no run is a mistake of the call, and the message says what was wanted") {
  const Folder folder;
  for (const char* command : {"train", "summary", "search"}) {
    const Outcome o = run({command, folder.path.string()});
    CHECK(o.code == 2);
    CHECK(o.says("is a folder without a config.json; wanted a config file"));
  }
}

TEST_CASE("an over-long key is shown by its ends") {
  const std::string key(3000, 'k');
  for (const Line& words : std::vector<Line>{{"configs/smoke_f32.json", "--dry-run", "-s", "train." + key + "=3"},
                                             {"configs/smoke_f32.json", "--dry-run", "-s", key},
                                             {"explain", key},
                                             {"train", "--" + key},
                                             {key}}) {
    const Outcome o = run(words + Line{"--json"});
    CHECK(o.code == 2);
    CHECK(o.says("k...k"));
    CHECK(o.err.size() < 1000);
    CHECK(o.out.size() < 1000);
  }
}

TEST_CASE("mistakes in options exit 2 with a suggestion, on stderr") {
  const Outcome o = run({"train", "configs/smoke_f32.json", "--sede", "3"});
  CHECK(o.code == 2);
  CHECK(o.out.empty());
  CHECK(o.says("unknown option --sede; did you mean --seed?"));
  CHECK(run({"train", "configs/smoke_f32.json", "--seed", "-1"}).code == 2);
  CHECK(run({"train"}).says("wants a CONFIG or --resume RUN"));
  CHECK(run({"eval"}).says("wants RUN"));
}

TEST_CASE("with --json a failure, too, ends stdout with one object") {
  const Outcome o = run({"train", "configs/smoke_f32.json", "--json", "--set", "train.epoch=3"});
  CHECK(o.code == 2);
  CHECK(last_line(o.out).find("{\"status\": \"error\", \"exit\": 2, \"message\": ") == 0);
}

TEST_CASE("configs, models and data sets are found from any folder") {
  const Folder folder;
  CHECK(run(Call{{"smoke_f32.json", "--dry-run"}, folder.path}).code == 0);
  CHECK(run(Call{{"configs/smoke_f32.json", "--dry-run"}, folder.path}).code == 0);
  CHECK(run(Call{{"summary", "smoke_int8"}, folder.path}).says("int8"));
  CHECK(run(Call{{"data", "spirals"}, folder.path}).says("spiral"));
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("a stdout that cannot be written is an error; a reader that left is not") {
  CHECK(run(Call{{"--help"}, source_dir(), {}, "/dev/full"}).code == 1);
  CHECK(run(Call{{"--help"}, source_dir(), {}, "/dev/full"}).says("cannot write to standard output: No space left on device"));
  const Outcome left = run(Call{{"--help"}, source_dir(), {}, {}, "\"$@\" | :; set -- true"});
  CHECK(left.code == 0);
  CHECK(left.err.empty());
}

TEST_CASE("colour never reaches a file") {
  const Outcome o = run(Call{{"trian"}, source_dir(), {{"TERM", "xterm"}}});
  CHECK(o.err.find('\x1b') == std::string::npos);
}
