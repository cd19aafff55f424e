// Quantizing after training, from outside: run folders that other commands take, repeatable, and clear refusals.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

// A network with batch norms, trained in floats.
const Folder& trained() {
  static const Folder folder;
  static const bool done =
      run({"train", "configs/smoke_f32.json", "-s",
           R"(model={"layers": ["flatten", {"linear": {"out": 24}}, "batch_norm", "relu", {"linear": {"out": 24}}, "relu",
                     "linear"]})",
           "-s", "train.epochs=6", "--limit", "800", "--no-latency", "-q", "--out", folder / "f32"})
          .code == 0;
  REQUIRE(done);
  return folder;
}

const Line kInt8{"-s", R"(precision.weights={"format": "int8", "narrow": true, "per": "channel"})", "-s",
                 "precision.activations=int8"};
const Line kInt3{"-s", R"(precision.weights={"format": "int3", "per": "channel"})", "-s", "precision.activations=int8"};

Document quantized(const std::string& out, const Line& words) {
  const Outcome o = run(Line{"ptq", trained() / "f32", "--out", out, "--json", "--calibrate", "200"} + words);
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  return Document::parse(last_line(o.out), "stdout");
}
double number(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("8 bits lose next to nothing, and the run folder is one like any other") {
  const std::string run_folder = trained() / "int8";
  const Document result = quantized(run_folder, kInt8);
  CHECK(number(result, "test_before.accuracy") > 0.6);
  const Document few = quantized(trained() / "few", Line(kInt8) + Line{"--limit", "200"});
  CHECK(few.text_at("test_before.examples") == few.text_at("test.examples"));
  CHECK(number(result, "test.accuracy") == doctest::Approx(number(result, "test_before.accuracy")).epsilon(0.03));
  REQUIRE(result.size("layers") == 3);
  CHECK(result.text_at("layers.0.weights") == "int8");
  for (const char* db : {"weights_db", "input_db", "output_db"})
    for (int i = 0; i < 3; ++i) CHECK(number(result, fmt::format("layers.{}.{}", i, db)) > 25);
  const Outcome eval = run({"eval", run_folder, "--json"});
  REQUIRE(eval.code == 0);
  CHECK(number(Document::parse(last_line(eval.out), "t"), "test.accuracy") == number(result, "test.accuracy"));
  for (const Line& words :
       {Line{"inspect", run_folder}, Line{"report", run_folder}, Line{"compare", trained() / "f32", run_folder},
        Line{"summary", run_folder}, Line{"table", run_folder}, Line{"runs", trained() / ""}}) {
    CAPTURE(words[0]);
    const Outcome o = run(words);
    CAPTURE(o.err);
    CHECK(o.code == 0);
  }
  const Outcome o =
      run({"table", trained() / "f32", run_folder, "--metric", "accuracy,difference,latency_1,latency_64", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const Document table = Document::parse(last_line(o.out), "out");
  CHECK(table.text_at("rows.1.labels.0") == "int8/int8");
  CHECK(number(table, "rows.1.cells.0.mean") == doctest::Approx(100 * number(result, "test.accuracy")));
  for (const char* cell : {"1", "2", "3"}) CHECK(table.text_at(fmt::format("rows.1.cells.{}.seeds", cell)) == "1");
  CHECK(fs::exists(run_folder + "/best.safetensors"));
  const Document config = Document::load(run_folder + "/config.json");
  CHECK(config.text_at("init_from") == trained() / "f32");
  CHECK(config.text_at("train.epochs") == "0");
  CHECK(config.has("precision.activations.scale.widest"));  // measured once, not on each batch
  CHECK_FALSE(config.has("precision.weights.scale.widest"));
}

TEST_CASE("the config of the run folder repeats it to the bit, also where the model was rewritten") {
  const std::string first = trained() / "folded";
  quantized(first, kInt8 + Line{"--fold-batch-norm", "--equalize", "--correct-bias"});
  const Outcome again = run({"train", first + "/config.json", "--out", trained() / "again", "-q"});
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  const Outcome a = run({"eval", first, "--json"}), b = run({"eval", trained() / "again", "--json"});
  CHECK(number(Document::parse(last_line(a.out), "a"), "test.loss") ==
        number(Document::parse(last_line(b.out), "b"), "test.loss"));
  const Document config = Document::load(first + "/config.json");
  CHECK(config.at("model").dump(0).find("batch_norm") == std::string::npos);
}

TEST_CASE("what was done is told, layer by layer") {
  const Outcome o = run(Line{"ptq", trained() / "f32", "--out", trained() / "told", "--fold-batch-norm", "--equalize",
                             "--adaround", "--correct-bias", "-s", "ptq.adaround.steps=60", "--calibrate", "100"} +
                        kInt3);
  CAPTURE(o.err);
  CHECK(o.code == 0);
  for (const char* part : {"bn1 folded into fc1", "fc1 and fc2 equalized", "scales measured on 100 training examples",
                           "fc2: squared error", "bias corrected by at most", "SQNR dB", "before", "after"})
    CHECK_MESSAGE(o.says(part), std::string(part));
}

TEST_CASE("at 3 bits, repairs bring accuracy back") {
  const double plain = number(quantized(trained() / "plain3", kInt3), "validation.loss");
  const double repaired =
      number(quantized(trained() / "repaired3",
                       kInt3 + Line{"--fold-batch-norm", "--adaround", "--correct-bias", "-s", "ptq.adaround.steps=300"}),
             "validation.loss");
  CHECK(repaired < plain);
}

TEST_CASE("training can go on from there") {
  const std::string from = trained() / "start";
  quantized(from, kInt3 + Line{"--fold-batch-norm"});
  const Outcome o =
      run({"train", from + "/config.json", "-s", "train.epochs=2", "--out", trained() / "tuned", "-q", "--no-latency"});
  CAPTURE(o.err);
  CHECK(o.code == 0);
  CHECK(run({"eval", trained() / "tuned"}).code == 0);
}

TEST_CASE("nothing to quantize, nothing to fold, no network, a folder that is taken") {
  const Outcome nothing = run({"ptq", trained() / "f32", "--out", trained() / "none"});
  CHECK(nothing.code == 2);
  CHECK(nothing.says("--set precision.weights=int8"));
  CHECK_FALSE(fs::exists(trained() / "none"));
  const Folder folder;
  REQUIRE(run({"train", "configs/smoke_f32.json", "-s", "train.epochs=1", "--limit", "100", "--no-latency", "-q", "--out",
               folder / "plain"})
              .code == 0);
  const Outcome unfolded = run(Line{"ptq", folder / "plain", "--out", folder / "a", "--fold-batch-norm"} + kInt8);
  CHECK(unfolded.code == 0);
  CHECK(unfolded.says("there is no batch norm to fold"));
  CHECK(run(Line{"ptq", folder / "nothing"} + kInt8).code >= 2);
  CHECK(run(Line{"ptq", folder / "plain", "--out", folder / "a"} + kInt8).code == 2);
  CHECK(run(Line{"ptq", folder / "plain", "--out", folder / "b", "-s", "precision.overrides={\"fc9\": \"int4\"}"} + kInt8)
            .says("did you mean \"fc1\""));
  CHECK(run({"train", "configs/smoke_f32.json", "-s", "ptq={}", "--out", folder / "c"}).says("\"ptq\" needs \"init_from\""));
  write_file(folder / "plain/best.safetensors", "damaged");
  CHECK(run(Line{"ptq", folder / "plain", "--out", folder / "d"} + kInt8).code == 3);
}
