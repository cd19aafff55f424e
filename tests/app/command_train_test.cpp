// Training from outside: results, run folders, config mistakes, demands, data and disks that are not there.
#include <doctest/doctest.h>

#include <algorithm>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

const Line kSmoke{"train", "configs/smoke_int8.json", "--set", "train.epochs=2", "--limit", "200"};

Document json_of(const Outcome& o) { return Document::parse(last_line(o.out), "stdout"); }
double number_at(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("a run leaves its folder, says what it reached, and repeats itself") {
  const Folder folder;
  const Outcome o = run(kSmoke + Line{"--out", folder / "a", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  for (const char* file : {"config.json", "meta.json", "metrics.jsonl", "log.txt", "best.safetensors", "last.safetensors",
                           "last.state", "summary.json", "curve.svg", "packed.safetensors", "report.html"})
    CHECK_MESSAGE(fs::exists(folder.path / "a" / file), file);
  CHECK(std::distance(fs::directory_iterator(folder.path / "a"), fs::directory_iterator()) == 11);
  const Document summary = json_of(o);
  CHECK(summary.text_at("status") == "finished");
  CHECK(summary.text_at("run") == folder / "a");
  CHECK(summary.text_at("epochs") == "2");
  CHECK(number_at(summary, "seconds") > 0);
  for (const char* split : {"train", "validation", "test", "best.test"}) {
    CHECK(number_at(summary, std::string(split) + ".loss") > 0);
    CHECK(number_at(summary, std::string(split) + ".accuracy") > 0.3);
  }
  CHECK(number_at(summary, "cost.packed_bytes") == static_cast<double>(fs::file_size(folder.path / "a/packed.safetensors")));
  for (const char* key : {"bits_per_weight", "macs", "bit_operations", "energy_joules", "latency.batch_1", "latency.batch_64"})
    CHECK_MESSAGE(number_at(summary, fmt::format("cost.{}", key)) > 0, key);
  CHECK(std::ranges::count(o.out, '\n') == 1);

  const Outcome again = run({folder / "a/config.json", "--out", folder / "b", "--no-latency"});
  REQUIRE(again.code == 0);
  CHECK(read_file(folder / "a/last.safetensors") == read_file(folder / "b/last.safetensors"));
  CHECK(again.out.find("test") != std::string::npos);
  CHECK(read_file(folder / "b/summary.json").find("\"latency\": null") != std::string::npos);
  CHECK(again.err.find("epoch 2/2") != std::string::npos);
  CHECK(again.err.find('\r') == std::string::npos);
}

TEST_CASE("quiet says nothing but the result; no-progress leaves the epochs out") {
  const Folder folder;
  CHECK(run(kSmoke + Line{"-q", "--out", folder / "a"}).err.empty());
  CHECK(run(kSmoke + Line{"--no-progress", "--out", folder / "b"}).err.find("epoch 1/") == std::string::npos);
}

TEST_CASE("other seeds give other weights, the same seed the same") {
  const Folder folder;
  for (const char* seed : {"1", "2"}) REQUIRE(run(kSmoke + Line{"--seed", seed, "--out", folder / seed}).code == 0);
  REQUIRE(run(kSmoke + Line{"--set", "train.seed=2", "--out", folder / "set"}).code == 0);
  CHECK(read_file(folder / "1/last.safetensors") != read_file(folder / "2/last.safetensors"));
  CHECK(read_file(folder / "2/last.safetensors") == read_file(folder / "set/last.safetensors"));
}

TEST_CASE("mistakes in a config are told all at once, with their places, and nothing is written") {
  const Folder folder;
  write_file(folder / "c.json",
             "{\n  \"model\": \"tiny_mlp\",\n  \"dataset\": \"spirals\",\n  \"train\": {\n    \"epoch\": 3,\n    \"batch\": "
             "\"ten\"\n  }\n}\n");
  const Outcome o = run(Call{{"c.json", "--set", "train.optimiser=adam", "--out", "run"}, folder.path});
  CHECK(o.code == 2);
  CHECK(o.says("c.json:5:5: error: unknown key \"epoch\" in train; did you mean \"epochs\"?"));
  CHECK(o.says("c.json:6:14: error: train.batch must be an integer"));
  CHECK(o.says("--set train.optimiser=adam: error: unknown key \"optimiser\" in train; did you mean \"optimizer\"?"));
  CHECK_FALSE(fs::exists(folder.path / "run"));
}

TEST_CASE("unknown names exit 2 and name the nearest") {
  const Folder folder;
  const auto fails = [&](const std::string& assignment, const std::string& says) {
    const Outcome o = run({"configs/smoke_f32.json", "--set", assignment, "--out", folder / "run"});
    CAPTURE(o.err);
    CHECK(o.code == 2);
    CHECK(o.says(says));
    CHECK(o.out.empty());
  };
  fails("model=tiny_mpl", "tiny_mlp");
  fails("dataset=spiral", "spirals");
  fails("precision.weights=int88", "int");
  fails("train.optimizer=adm", "adam");
  fails("precision.overrides.lin9=int4", "lin9");
  CHECK(run({"configs/smoke_f32.json", "--init-from", "nowhere", "--out", folder / "run"}).code == 3);
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("phases that are no list, broken objects and impossible demands are told before anything is done") {
  const Folder folder;
  const auto fails = [&](const Line& words, const std::string& says) {
    const Outcome o = run(Line{"train", "configs/smoke_f32.json", "--out", folder / "run"} + words);
    CAPTURE(o.err);
    CHECK(o.code == 2);
    CHECK(o.says(says));
    CHECK_FALSE(fs::exists(folder.path / "run"));
  };
  for (const char* phases : {"3", "[]", "{}", "[3]", "null", "[{}, []]"})
    fails({"--set", std::string("phases=") + phases}, "phases must be a list of one or more objects");
  fails({"--set", "train.optimizer={\"sgd\":"}, "broken JSON");
  fails({"--set", "train.seed=18446744073709551615"}, "0..1000000000000000");
  fails({"--fail-below", "98"}, "--fail-below: wanted a number 0..1");
  fails({"--init-from", ""}, "--init-from wants a value");
}

TEST_CASE("a search for bits that never reaches its target is told, and exit 4") {
  const Folder folder;
  const Line search{"--set", "precision.weights=int8", "--set", R"(adaptive={"target_accuracy": 1, "start": 2})"};
  const Outcome o = run(kSmoke + search + Line{"--out", folder / "a", "--json"});
  CHECK(o.code == 4);
  CHECK(o.says("never reached"));
  CHECK(json_of(o).text_at("phases.0.met") == "false");
  CHECK(json_of(o).text_at("status") == "finished");
}

TEST_CASE("without validation examples every epoch is run, and none is called the best") {
  const Folder folder;
  const Outcome o = run(kSmoke + Line{"--set", "dataset.validation=0", "--out", folder / "a", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  CHECK_FALSE(o.says("best so far"));
  CHECK_FALSE(fs::exists(folder.path / "a/best.safetensors"));
  CHECK(number_at(json_of(o), "test.accuracy") > 0.3);
  CHECK(json_of(o).text_at("best") == "null");
  const Outcome on = run(kSmoke + Line{"--init-from", folder / "a", "--out", folder / "b"});
  CAPTURE(on.err);
  CHECK(on.code == 0);
  CHECK(run({"eval", folder / "a"}).code == 0);
}

TEST_CASE("a dry run shows the model and writes nothing") {
  const Folder folder;
  const Outcome o = run(Call{{"smoke_int8.json", "--dry-run"}, folder.path});
  CAPTURE(o.err);
  CHECK(o.code == 0);
  CHECK(o.says("int8"));
  CHECK(o.says("nothing was written"));
  CHECK(fs::is_empty(folder.path));
  CHECK(run(Call{{"smoke_int8.json", "--dry-run", "--out", "x", "--set", "model=tiny_cnn"}, folder.path}).code == 2);
  CHECK(run(Call{{"smoke_int8.json", "--dry-run", "--init-from", "nowhere"}, folder.path}).code == 3);
}

TEST_CASE("a folder that holds something is never written to") {
  const Folder folder;
  write_file(folder / "keep.txt", "mine");
  const Outcome o = run(kSmoke + Line{"--out", folder.path.string()});
  CHECK(o.code == 2);
  CHECK(o.says("not an empty folder"));
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("accuracy below what is demanded, and divergence, exit 4") {
  const Folder folder;
  const Outcome low = run(kSmoke + Line{"--fail-below", "1", "--out", folder / "a", "--json"});
  CHECK(low.code == 4);
  CHECK(std::ranges::count(low.out, '\n') == 1);  // one object, of a run that is finished
  CHECK(json_of(low).text_at("status") == "finished");
  CHECK(low.says("last epoch's test accuracy"));
  CHECK(run(kSmoke + Line{"--fail-below", "0.01", "--out", folder / "b"}).code == 0);
  const Outcome blown =
      run({"configs/smoke_f32.json", "--set", "train.optimizer={\"sgd\": {\"lr\": 1e30}}", "--out", folder / "c", "--json"});
  CAPTURE(blown.err);
  CHECK(blown.code == 4);
  CHECK(blown.says("Try a lower learning rate"));
  CHECK(json_of(blown).text_at("status") == "diverged");
}

TEST_CASE("a layer that its input does not fit is told with its place") {
  const Folder folder;
  write_file(folder / "flat.json", R"({
  "model": {"layers": ["flatten", {"linear": {"out": 4}}, "max_pool2d", "linear"]},
  "dataset": "spirals"})");
  const Outcome inlined = run({(folder / "flat.json"), "--dry-run"});
  CAPTURE(inlined.err);
  CHECK(inlined.code == 2);
  CHECK(inlined.says("flat.json:2:59: error: layer 3 (max_pool2d)"));
  const Outcome named = run({"configs/smoke_f32.json", "-s", "model=lenet5", "--dry-run"});
  CAPTURE(named.err);
  CHECK(named.says("--set model=lenet5: error: layer 1 (conv2d \"conv1\")"));
}

TEST_CASE("divergence names the layer and the role that left the finite numbers, and what helps there") {
  const Folder folder;
  const Outcome forward =
      run({"configs/smoke_f32.json", "--set", "train.optimizer={\"sgd\": {\"lr\": 1e30}}", "--out", folder / "a"});
  CAPTURE(forward.err);
  CHECK(forward.says("the loss is not finite: fc"));
  CHECK(forward.says(" hands on "));
  CHECK_FALSE(forward.says("-nan"));
  const Outcome scaled = run({"configs/smoke_f32.json", "-s", "precision.errors=f16", "-s",
                              "train.loss_scale={\"static\": {\"scale\": 1e9}}", "--out", folder / "b"});
  CAPTURE(scaled.err);
  CHECK(scaled.code == 4);
  CHECK(scaled.says("the errors of fc"));
  CHECK(scaled.says(" in f16, which ends at 65504: they reach "));
  CHECK(scaled.says("Try a lower loss scale"));
}

TEST_CASE("a missing data set exits 3 and says what to type") {
  const Folder folder;
  const Outcome o = run(Call{{"train", "cnn_f32", "--set", "dataset=mnist", "--out", "run"},
                             folder.path,
                             {{"LPTRAIN_DATA", folder.path}, {"XDG_CACHE_HOME", folder.path}}});
  CAPTURE(o.err);
  CHECK(o.code == 3);
  CHECK(o.says("lptrain data mnist --download"));
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("a folder that cannot be written, and a disk that is full, exit 1") {
  const Folder folder;
  write_file(folder / "file", "in the way");
  const Outcome blocked = run(kSmoke + Line{"--out", folder / "file/run"});
  CHECK(blocked.code == 1);
  CHECK(blocked.says("cannot make the run folder"));
  // 4 blocks of 512 bytes stand for a full disk: configs fit, weights do not.
  const Outcome full = run(Call{kSmoke + Line{"--out", folder / "full"}, source_dir(), {}, {}, "trap '' XFSZ; ulimit -f 8"});
  CAPTURE(full.err);
  CHECK(full.code == 1);
  CHECK(full.says("cannot write"));
  for (const auto& entry : fs::directory_iterator(folder.path / "full"))
    CHECK(entry.path().string().find(".tmp") == std::string::npos);
}

TEST_CASE("a run outlives the reader of its output") {
  const Folder folder;
  run(Call{kSmoke + Line{"--out", folder / "a"}, source_dir(), {}, {}, "\"$@\" 2>&1 | :; set -- true"});
  CHECK(read_file(folder / "a/summary.json").find("\"finished\"") != std::string::npos);
}

TEST_CASE("weights of another run are where a run begins, if they fit") {
  const Folder folder;
  REQUIRE(run(kSmoke + Line{"--out", folder / "a"}).code == 0);
  const Line still{"train", "configs/smoke_int8.json", "--set", "train.epochs=0", "--limit", "200", "--json"};
  const Outcome same = run(still + Line{"--init-from", folder / "a/last.safetensors", "--out", folder / "b"});
  CAPTURE(same.err);
  REQUIRE(same.code == 0);
  const Outcome before = run({"eval", folder / "a", "--last", "--json"});
  CHECK(json_of(same).text_at("test.loss") == json_of(before).text_at("test.loss"));
  CHECK(same.says("12 of 12 tensors loaded"));
  const Outcome other = run({"train", "shapes_int8", "--init-from", folder / "a", "--out", folder / "c"});
  CAPTURE(other.err);
  CHECK(other.code == 3);
  CHECK(other.says("none of its weights has the name and shape of one of the model"));
  CHECK(other.says("fc1.weight [32,288] (the file's is [32,2])"));
  CHECK_FALSE(fs::exists(folder.path / "c"));
}

TEST_CASE("a run that begins with a part of another model says what it took, what not, and why") {
  const Folder folder;
  REQUIRE(run(kSmoke + Line{"--out", folder / "a"}).code == 0);
  const Outcome o = run({"train", "configs/smoke_f32.json", "--set", "train.epochs=0", "--limit", "200", "--set",
                         R"(model={"layers": [{"linear": {"out": 32}}, "relu", {"linear": {"out": 7}}, "relu",
                         {"linear": {"out": 7}}, "relu", {"linear": {"name": "head"}}]})",
                         "--init-from", folder / "a", "--out", folder / "b"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const std::string log = read_file(folder / "b/log.txt");
  for (const char* line : {"best.safetensors: 2 of 8 tensors loaded, the others keep their initial values",
                           "not in the file: head.weight [2,7], head.bias [2]",
                           "of another shape in the file: fc2.weight [7,32] (the file's is [32,32])",
                           "in the file, but not in the model: fc1.input.low [1]"}) {
    CHECK_MESSAGE(o.says(line), line);
    CHECK_MESSAGE(log.find(line) != std::string::npos, line);
  }
}
