// Making networks smaller, from outside: the same answers from fewer numbers, folders that other commands take, clear refusals.
#include <doctest/doctest.h>

#include <cstring>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "lptrain/train/safetensors.h"

using namespace lp;
using namespace lp::test;

namespace {

// A network that is whole, and one with a third of its neurons pruned.
const Folder& trained() {
  static const Folder folder;
  static const bool done = [] {
    const Line train{
        "train",
        "configs/smoke_f32.json",
        "-s",
        R"(model={"layers": ["flatten", {"linear": {"out": 24}}, "batch_norm", "relu", {"linear": {"out": 24}}, "relu",
                               "linear"]})",
        "-s",
        "train.epochs=6",
        "--limit",
        "800",
        "--no-latency",
        "-q",
        "--out"};
    const Line rows{"-s", "prune.sparsity=0.3334", "-s", "prune.pattern=rows"};
    const Line int8{"-s", "precision.weights=int8", "-s", "precision.activations={\"format\": \"uint8\", \"scale\": \"ema\"}"};
    return run(train + Line{folder / "whole"}).code == 0 && run(train + Line{folder / "pruned"} + rows).code == 0 &&
           run(train + Line{folder / "int8"} + rows + int8).code == 0;
  }();
  REQUIRE(done);
  return folder;
}

Document shrunk(const std::string& from, const std::string& out, const Line& words = {}) {
  const Outcome o = run(Line{"shrink", trained() / from, "--out", out, "--json"} + words);
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  return Document::parse(last_line(o.out), "stdout");
}
double number(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("masked neurons go: two thirds of the numbers, the same answers, a folder like any other") {
  const std::string small = trained() / "small";
  const Document result = shrunk("pruned", small);
  CHECK(number(result, "after.parameters") == 2 * 16 + 16 + 32 + 16 * 16 + 16 + 16 * 2 + 2);
  CHECK(number(result, "after.macs") < 0.7 * number(result, "before.macs"));
  CHECK(number(result, "after.dense_bytes") < 0.7 * number(result, "before.dense_bytes"));
  CHECK(number(result, "latency.batch_1.after") > 0);
  CHECK(number(result, "after.test.accuracy") == number(result, "before.test.accuracy"));
  CHECK(number(result, "after.test.loss") == doctest::Approx(number(result, "before.test.loss")).epsilon(1e-5));
}

TEST_CASE("masked neurons of a quantized network go without a trace: no scale was theirs") {
  const Document result = shrunk("int8", trained() / "small int8");
  CHECK(number(result, "after.parameters") < number(result, "before.parameters"));
  CHECK(number(result, "after.validation.loss") == doctest::Approx(number(result, "before.validation.loss")).epsilon(1e-5));
  CHECK(number(result, "after.test.loss") == doctest::Approx(number(result, "before.test.loss")).epsilon(1e-5));
}

TEST_CASE("both are scored on the examples of the new run, however few") {
  const Document result = shrunk("pruned", trained() / "few", {"--limit", "200"});
  for (const char* split : {"validation", "test"})
    CHECK(result.text_at(fmt::format("before.{}.examples", split)) == result.text_at(fmt::format("after.{}.examples", split)));
  CHECK(number(result, "after.test.loss") == doctest::Approx(number(result, "before.test.loss")).epsilon(1e-5));
}

TEST_CASE("its config repeats it to the bit, and can be trained on") {
  const std::string first = trained() / "first";
  shrunk("pruned", first);
  REQUIRE(run({"train", first + "/config.json", "--out", trained() / "again", "-q"}).code == 0);
  CHECK(read_file(first + "/last.safetensors").size() == read_file(trained() / "again/last.safetensors").size());
  const TensorFile a = read_tensors(first + "/last.safetensors"), b = read_tensors(trained() / "again/last.safetensors");
  for (const auto& [name, tensor] : a.tensors)
    CHECK(std::memcmp(tensor.raw(), b.find(name)->raw(), static_cast<size_t>(tensor.bytes())) == 0);
  const Document tuned = shrunk("pruned", trained() / "tuned", {"--finetune", "2"});
  CHECK(number(tuned, "after.parameters") < number(tuned, "before.parameters"));
  for (const Line& words :
       {Line{"eval", trained() / "tuned"}, Line{"report", trained() / "tuned"}, Line{"summary", trained() / "tuned"},
        Line{"shrink", trained() / "tuned", "--out", trained() / "twice"},
        Line{"ptq", first, "--out", trained() / "narrow", "-s", "precision.weights=int8"}}) {
    CAPTURE(words[0]);
    const Outcome o = run(words);
    CAPTURE(o.err);
    CHECK(o.code == 0);
  }
}

TEST_CASE("fine-tuning tells its epochs, without redrawing lines where nobody can see that") {
  const Outcome o = run({"shrink", trained() / "pruned", "--finetune", "1", "--out", trained() / "told epochs"});
  CHECK(o.code == 0);
  CHECK(o.err.find("epoch 1/1") != o.err.npos);
  CHECK(o.err.find('\x1b') == o.err.npos);
  const Outcome silent = run({"shrink", trained() / "pruned", "--out", trained() / "untold", "--no-progress"});
  CHECK(silent.code == 0);
  CHECK(silent.err.empty());
}

TEST_CASE("layers become two thin ones, by rank or by energy") {
  const Document thin = shrunk("whole", trained() / "thin", {"--rank", "6", "--layers", "fc1,fc2"});
  CHECK(number(thin, "after.parameters") < number(thin, "before.parameters"));
  CHECK(number(thin, "after.test.accuracy") > 0.5 * number(thin, "before.test.accuracy"));
  const Outcome told = run({"shrink", trained() / "whole", "--out", trained() / "told", "--energy", "0.5"});
  CHECK(told.code == 0);
  for (const char* part :
       {"nothing to remove", "fc2: rank", "relative error of the weights", "MACs an example", "latency, 1 example"})
    CHECK_MESSAGE(told.says(part), std::string(part));
}

TEST_CASE("contradictions, layers that are not there, a folder that is taken, no network") {
  const std::string whole = trained() / "whole";
  CHECK(run({"shrink", whole, "--rank", "3", "--energy", "0.5"}).says("give one"));
  CHECK(run({"shrink", whole, "--layers", "fc1"}).says("give --rank or --energy"));
  CHECK(run({"shrink", whole, "--rank", "3", "--layers", "conv9", "--out", trained() / "none"}).says("named like conv9"));
  CHECK_FALSE(fs::exists(trained() / "none"));
  CHECK(run({"shrink", whole, "--out", whole}).code == 2);
  CHECK(run({"shrink", trained() / "nothing"}).code >= 2);
  CHECK(run({"train", "configs/smoke_f32.json", "-s", "rewrite=[\"remove_pruned\"]", "--out", trained() / "c"})
            .says("\"rewrite\" needs \"init_from\""));
}
