// eval, predict, summary and data from outside, on one small trained model.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/command.h"
#include "lptrain/base/document.h"
#include "lptrain/train/config.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

Document json_of(const Outcome& o) {
  REQUIRE_MESSAGE(o.code == 0, o.err);
  return Document::parse(last_line(o.out), "stdout");
}
double number_at(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

// A run on small pictures, made once.
struct Trained {
  Folder folder;
  std::string run_folder = folder / "run";
  Document summary;
  Trained() {
    summary = json_of(
        run({"train", "shapes_int8", "--limit", "200", "-s", "train.epochs=2", "-s", "name=x", "--out", run_folder, "--json"}));
    json_of(run({"data", "shapes", "--export", folder / "pictures", "--json"}));
  }
};

const Trained& trained() {
  static const Trained one;
  return one;
}

}  // namespace

TEST_CASE("eval measures what training reported, from the run folder and from the file alone") {
  const Trained& t = trained();
  const Document last = json_of(run({"eval", t.run_folder, "--last", "--json"}));
  CHECK(last.text_at("test.accuracy") == t.summary.text_at("test.accuracy"));
  CHECK(last.text_at("test.loss") == t.summary.text_at("test.loss"));
  CHECK(last.text_at("status") == "finished");
  CHECK(last.text_at("epochs") == "2");
  CHECK(last.text_at("train") == "null");
  const Document best = json_of(run({"eval", t.run_folder + "/best.safetensors", "--split", "validation", "--json"}));
  CHECK(best.text_at("validation.accuracy") == t.summary.text_at("best.validation.accuracy"));
}

TEST_CASE("per-class scores and the confusion table add up") {
  const Document d = json_of(run({"eval", trained().run_folder, "--per-class", "--confusion", "--json"}));
  double all = 0, right = 0;
  for (const char* row : {"0", "1"})
    for (const char* column : {"0", "1"}) {
      const double count = number_at(d, std::string("confusion.") + row + "." + column);
      all += count;
      right += std::string(row) == column ? count : 0;
    }
  CHECK(all == number_at(d, "test.examples"));
  CHECK(right / all == doctest::Approx(number_at(d, "test.accuracy")));
  CHECK(d.text_at("classes.0.name") == "cross");
  const Outcome text = run({"eval", trained().run_folder, "--per-class", "--confusion"});
  CHECK(text.says("precision"));
  CHECK(text.says("true \\ predicted"));
}

TEST_CASE("eval looks at the same weights through other formats, and demands") {
  const Document narrow = json_of(run({"eval", trained().run_folder, "-s", "precision.weights=ternary", "--json"}));
  const Document wide = json_of(run({"eval", trained().run_folder, "--json"}));
  CHECK(narrow.text_at("test.loss") != wide.text_at("test.loss"));
  CHECK(run({"eval", trained().run_folder, "--fail-below", "1"}).code == 4);
  CHECK(run({"eval", trained().run_folder, "--split", "tset"}).says("did you mean \"test\"?"));
  CHECK(run({"eval", "nowhere"}).code == 3);
}

TEST_CASE("predict gives the same answer for a picture file and for the example it was exported from") {
  const Trained& t = trained();
  std::string file;
  for (const auto& entry : fs::directory_iterator(t.folder.path / "pictures/test/circle"))
    if (file.empty() || entry.path().string() < file) file = entry.path().string();
  const Document d = json_of(run({"predict", t.run_folder, file, "--top", "2", "--json"}));
  CHECK(d.text_at("predictions.0.input") == file);
  const double sum = number_at(d, "predictions.0.classes.0.score") + number_at(d, "predictions.0.classes.1.score");
  CHECK(sum == doctest::Approx(1));
  CHECK(number_at(d, "predictions.0.classes.0.score") >= number_at(d, "predictions.0.classes.1.score"));
  const Document e = json_of(run({"predict", t.run_folder, "--split", "test", "--index", "0", "--index", "1", "--json"}));
  CHECK(e.size("predictions") == 2);
  CHECK(e.text_at("predictions.1.input") == "test 1");
  CHECK_FALSE(e.text_at("predictions.1.label").empty());
}

TEST_CASE("predict names what it cannot read") {
  const Trained& t = trained();
  CHECK(run({"predict", t.run_folder}).code == 2);
  CHECK(run({"predict", t.run_folder, "--index", "200"}).says("0..199"));
  CHECK(run({"predict", t.run_folder, "--index", "x"}).code == 2);
  CHECK(run({"predict", t.run_folder, "nothing.png"}).code == 3);
  const Outcome text = run({"predict", t.run_folder, "README.md", "CMakeLists.txt"});
  CHECK(text.code == 3);
}

TEST_CASE("summary counts the same for a config, a run and a weights file") {
  const Document config = json_of(run({"summary", "configs/shapes_int8.json", "--json"}));
  const Document folder = json_of(run({"summary", trained().run_folder, "--json"}));
  const Document file = json_of(run({"summary", trained().run_folder + "/last.safetensors", "--json"}));
  for (const char* key : {"parameters", "bytes", "macs", "bit_operations"}) {
    CHECK(config.text_at(key) == folder.text_at(key));
    CHECK(config.text_at(key) == file.text_at(key));
    CHECK(number_at(config, key) > 0);
  }
  CHECK(config.text_at("parameters") == trained().summary.text_at("parameters"));
  const Document narrow = json_of(run({"summary", "configs/shapes_int8.json", "-s", "precision.weights=int4", "--json"}));
  CHECK(number_at(narrow, "bit_operations") == number_at(config, "bit_operations") / 2);
  CHECK(number_at(narrow, "bytes") < number_at(config, "bytes"));
}

TEST_CASE("the printed rule of one range for all and the right one differ in their ranges alone") {
  const std::string folder = source_dir() + "/configs/examples/errata/";
  const Precision wrong = load_config(folder + "one_range.json").precision,
                  right = load_config(folder + "one_range_right.json").precision;
  for (const Role role : {Role::weights, Role::biases}) {
    Quantizer rescaled = wrong.of(role, "fc1");
    CHECK(rescaled.scale.name() == "fixed");
    rescaled.scale = {};
    CHECK(rescaled == right.of(role, "fc1"));
  }
}

TEST_CASE("data lists, shows, pictures and exports") {
  const Trained& t = trained();
  const Document list = json_of(run({"data", "--json"}));
  CHECK(list.size("datasets") >= 8);
  const Document one = json_of(run({"data", "shapes", "--json"}));
  CHECK(one.text_at("shape") == "[24,24,3]");
  CHECK(number_at(one, "train.examples") + number_at(one, "validation.examples") == 2000);
  CHECK(run({"data", "shapes", "--preview", t.folder / "sheet.png"}).code == 0);
  CHECK(read_file(t.folder / "sheet.png").substr(1, 3) == "PNG");
  CHECK(run({"data", "shapse"}).says("shapes"));
  CHECK(run({"data", "--verify"}).code == 2);
  CHECK(run({"data", "shapes", "--verify"}).code == 0);
  CHECK(run({"data", "shapes", "--export", t.folder / "pictures"}).code == 2);
}

TEST_CASE("an export that fails leaves nothing") {
  const Folder folder;
  const Outcome o = run(Call{{"data", "spirals", "--export", folder / "out"}, source_dir(), {}, {}, "trap '' XFSZ; ulimit -f 8"});
  CAPTURE(o.err);
  CHECK(o.code == 1);
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("an exported image folder trains as one") {
  const Trained& t = trained();
  const Outcome o =
      run({"train", "shapes_int8", "--limit", "100", "-s", "train.epochs=1", "-s",
           "dataset={\"image_folder\": {\"path\": \"" + (t.folder / "pictures") + "\", \"size\": [24, 24], \"channels\": 3}}",
           "--out", t.folder / "own"});
  CAPTURE(o.err);
  CHECK(o.code == 0);
}

TEST_CASE("a data set that is not here is shown all the same, with what to do; pictures of it exit 3") {
  const Folder folder;
  const auto call = [&](const Line& words) {
    return run(Call{words, folder.path, {{"XDG_CACHE_HOME", folder.path}, {"LPTRAIN_DATA", ""}}});
  };
  const Outcome shown = call({"data", "mnist"});
  CHECK(shown.code == 0);
  CHECK(shown.says("missing; type: lptrain data mnist --download"));
  CHECK(call({"data", "mnist", "--preview", "sheet.png"}).code == 3);
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("files that are missing or wrong make --verify exit 3") {
  const Folder folder;
  const Outcome missing =
      run(Call{{"data", "mnist", "--verify", "--data", folder.path}, source_dir(), {{"XDG_CACHE_HOME", folder.path}}});
  CHECK(missing.code == 3);
  CHECK(missing.says("lptrain data mnist --download"));
  fs::create_directories(folder.path / "iris");
  write_file(folder / "iris/iris.csv", "1,2,3,4,x\n");
  const Outcome wrong = run({"data", "iris", "--verify", "--data", folder.path});
  CAPTURE(wrong.err);
  CHECK(wrong.code == 3);
}
