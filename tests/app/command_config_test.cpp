// lptrain config: show, validate, diff, init.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/config_values.h"
#include "lptrain/train/config.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

const std::string kInt8 = "configs/cnn_int8.json";

Document config_at(const std::string& file) { return load_config(fs::path(source_dir()) / file).document; }

}  // namespace

TEST_CASE("show prints the whole config, which means the same when it is read again") {
  const Outcome o = run({"config", "show", kInt8});
  CHECK(o.code == 0);
  CHECK(read_config(Document::parse(o.out, "out")).document == config_at(kInt8));
  const Outcome small = run({"config", "show", kInt8, "--compact"});
  CHECK(small.out.size() < o.out.size() / 2);
  CHECK(read_config(Document::parse(small.out, "out")).document == config_at(kInt8));
  CHECK(last_line(run({"config", "show", kInt8, "--json", "--set", "train.epochs=7"}).out).find("\"epochs\": 7") !=
        std::string::npos);
  CHECK(read_config(Document::parse(run({"config", "show"}).out, "out")).document == read_config(Document()).document);
}

TEST_CASE("show --origin names the place of every value") {
  const Outcome o = run({"config", "show", "configs/cnn_q8.json", "--origin", "--set", "train.batch=32", "--json"});
  const Document answer = Document::parse(last_line(o.out), "out");
  const auto origin = [&](const std::string& path) {
    for (size_t i = 0; i < answer.size("values"); ++i)
      if (answer.text_at(fmt::format("values.{}.path", i)) == path) return answer.text_at(fmt::format("values.{}.origin", i));
    return std::string("none");
  };
  CHECK(origin("precision.weights.format").starts_with("configs/cnn_q8.json:7:"));
  CHECK(origin("precision.weights.narrow") == "default");
  CHECK(origin("model.name").starts_with("configs/cnn_f32.json:"));
  CHECK(origin("train.batch") == "--set train.batch=32");
  CHECK(origin("train.eval_batch") == "default");
}

TEST_CASE("validate tells every mistake of every config, and exits 2") {
  const Folder folder;
  write_file(folder / "a.json", "{\"train\": {\"epoch\": 3,\n \"batch\": 0}}");
  write_file(folder / "b.json", R"({"model": "cnn", "dataset": "digits", "precision": {"overrides": {"conv7": "f32"}}})");
  const Outcome o = run({"config", "validate", folder / "a.json", kInt8, folder / "b.json"});
  CHECK(o.code == 2);
  CHECK(o.err.find("a.json:1:12: error: unknown key \"epoch\"") != std::string::npos);
  CHECK(o.err.find("a.json:2:11: error: train.batch") != std::string::npos);
  CHECK(o.err.find("\"conv7\" matches no layer") != std::string::npos);
  CHECK(o.out == kInt8 + ": right\n");
  const Document answer = Document::parse(last_line(run({"config", "validate", folder / "a.json", kInt8, "--json"}).out), "out");
  CHECK(answer.text_at("status") == "error");
  CHECK(answer.size("configs.0.problems") == 2);
  CHECK(answer.size("configs.1.problems") == 0);
  CHECK(run({"config", "validate"}).code == 2);
  CHECK(run({"config", "validate", folder / "none.json"}).code == 2);
}

TEST_CASE("diff names what differs") {
  const Outcome o = run({"config", "diff", "smoke_f32", "smoke_int8"});
  CHECK(o.code == 0);
  CHECK(o.out.find("precision.weights.format: \"f32\" -> \"int8\"\n") != std::string::npos);
  CHECK(o.out.find("precision.weights.scale") == std::string::npos);
  CHECK(o.out.find("train.") == std::string::npos);
  CHECK(run({"config", "diff", kInt8, kInt8}).out == "no value differs\n");
  CHECK(run({"config", "diff", kInt8}).code == 2);
}

TEST_CASE("changes: absent values, choices, names with dots") {
  const Document a = Document::parse(R"({"o": "sgd", "n": {"a.b": 1}, "l": [1, 2]})", "a");
  const Document b = Document::parse(R"({"o": {"adam": {"lr": 1}}, "n": {"a.b": 2}, "l": [1, 2], "x": 3})", "b");
  const auto changes = changes_between(a, b);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].before == "\"sgd\"");
  CHECK(changes[0].after == R"({"adam": {"lr": 1}})");
  CHECK(changes[1].path == "n.\"a.b\"");
  CHECK(changes[2].before == "");
}

TEST_CASE("init begins a config that is right, and never overwrites") {
  const Folder folder;
  const std::string file = folder / "mine.json";
  CHECK(run({"config", "init", "mine", "--out", file}).code == 0);
  CHECK(load_config(file).name == "mine");
  CHECK(read_file(file).find("// passes over the training split") != std::string::npos);
  CHECK(run({"config", "validate", file}).code == 0);
  const std::string before = read_file(file);
  const Outcome again = run({"config", "init", "other", "--out", file});
  CHECK(again.code == 2);
  CHECK(again.says("exists already"));
  CHECK(read_file(file) == before);
  CHECK(read_config(Document::parse(run({"config", "init"}).out, "out")).name == "mine");
  CHECK(read_config(Document::parse(run({"config", "init", "x.json"}).out, "out")).name == "x");
  CHECK(run({"config", "init", "a\"b"}).code == 2);
}

TEST_CASE("an unknown action has a suggestion") {
  const Outcome o = run({"config", "shwo"});
  CHECK(o.code == 2);
  CHECK(o.says("did you mean \"show\"?"));
}
