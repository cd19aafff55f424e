// The microscope from outside: what a counted run tells, and what other folders get told.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

// A run in which much goes wrong, and one that nobody watched.
const Folder& trained() {
  static const Folder folder;
  const Line common{"-s", "train.epochs=2", "--limit", "200", "--no-latency", "-q"};
  static const bool done = run(Line{"configs/smoke_int8.json", "-s", "numerics=true", "-s", "precision.master=bf16", "-s",
                                    "precision.errors=e4m3", "-s", "train.loss=squared_hinge", "-s",
                                    "train.loss_scale={\"static\": {\"scale\": 0.2}}", "--out", folder / "run"} +
                               common)
                                   .code == 0 &&
                           run(Line{"configs/smoke_int8.json", "--out", folder / "plain"} + common).code == 0;
  REQUIRE(done);
  return folder;
}

}  // namespace

TEST_CASE("the last epoch as tables, and in words what to try") {
  const Outcome o = run({"numerics", trained() / "run"});
  CAPTURE(o.out);
  CHECK(o.code == 0);
  for (const char* part : {"epoch 2", "activations", "errors", "master", "become 0 %", "SQNR dB", "loss scale 0.2 from step",
                           "of the values that are not 0 become 0 in e4m3; try", "of them are lost", "bf16"})
    CHECK_MESSAGE(o.says(part), std::string(part));
  CHECK_FALSE(o.says("epoch 1\n"));
}

TEST_CASE("other epochs, and all of them as one object") {
  CHECK(run({"numerics", trained() / "run", "--epoch", "1"}).says("epoch 1"));
  const Outcome all = run({"numerics", trained() / "run", "--epoch", "all", "--json"});
  REQUIRE(all.code == 0);
  const Document result = Document::parse(last_line(all.out), "stdout");
  CHECK(result.size("epochs") == 2);
  CHECK(result.size("epochs.0.numerics.updates") == 3);
  CHECK(result.size("remarks") > 0);
  CHECK(run({"numerics", trained() / "run", "--epoch", "9"}).code == 2);
  CHECK(run({"numerics", trained() / "run", "--epoch", "last"}).code == 2);
}

TEST_CASE("runs that were not watched, folders that are none, and damaged lines are told") {
  const Outcome plain = run({"numerics", trained() / "plain"});
  CHECK(plain.code == 2);
  CHECK(plain.says("--set numerics=true"));
  CHECK(run({"numerics", trained() / "nothing"}).code == 3);
  CHECK(run({"numerics"}).code == 2);
  const Folder folder;
  const auto damaged = [&](const std::string& lines) {
    fs::remove_all(folder / "run");
    fs::create_directory(folder / "run");
    write_file(folder / "run/metrics.jsonl", lines);
    return run({"numerics", folder / "run"});
  };
  for (const char* lines :
       {"{", "[]", R"({"epoch": 1, "numerics": {"roles": 3}})", R"({"epoch": 1, "later": 3})",
        R"({"epoch": 1, "numerics": {"roles": [{"role": "weigths"}]}})", R"({"numerics": {"roles": [{"numbers": -5}]}})"}) {
    CAPTURE(lines);
    const Outcome o = damaged(lines);
    CHECK(o.code == 3);
    CHECK(o.says("metrics.jsonl:1"));
  }
  CHECK(damaged(R"({"epoch": 1, "numerics": {"roles": [{"layer": "a", "format": "int0"}]}})").code != 0);
}
