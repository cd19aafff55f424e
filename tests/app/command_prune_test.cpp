// Pruning a run from outside: folders that other commands take, repeatable; what is left, by layer; and clear refusals.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/pruning_sensitivity.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

const Folder& trained() {
  static const Folder folder;
  static const bool done = run({"train", "configs/smoke_f32.json", "-s", "train.epochs=4", "--limit", "800", "--no-latency", "-q",
                                "--out", folder / "f32"})
                               .code == 0;
  REQUIRE(done);
  return folder;
}

Document pruned(const std::string& out, const Line& words) {
  const Outcome o = run(Line{"prune", trained() / "f32", "--out", out, "--json", "-q"} + words);
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  return Document::parse(last_line(o.out), "stdout");
}
double number(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("what was asked for is there, by layer and in all, and the run folder is one like any other") {
  const std::string folder = trained() / "half";
  const Document result = pruned(folder, {"--sparsity", "0.5"});
  CHECK(number(result, "sparsity_before") == 0);
  CHECK(number(result, "sparsity") == doctest::Approx(0.5).epsilon(0.001));
  for (size_t i = 0; i < result.size("layers"); ++i)
    CHECK(number(result, fmt::format("layers.{}.sparsity", i)) == doctest::Approx(0.5).epsilon(0.01));
  CHECK(number(result, "test_before.accuracy") > 0.6);
  const Document few = pruned(trained() / "few", {"--sparsity", "0.01", "--limit", "200"});
  CHECK(few.text_at("test_before.examples") == few.text_at("test.examples"));
  CHECK(number(Document::load(folder + "/summary.json"), "phases.0.sparsity") == doctest::Approx(0.5).epsilon(0.001));
  const Outcome eval = run({"eval", folder, "--json"});
  CHECK(number(Document::parse(last_line(eval.out), "t"), "test.accuracy") == number(result, "test.accuracy"));
  const Document config = Document::load(folder + "/config.json");
  CHECK(config.text_at("init_from") == trained() / "f32");
  CHECK(config.text_at("train.epochs") == "0");
  CHECK(config.text_at("prune.sparsity") == "0.5");
  REQUIRE(run({"train", folder + "/config.json", "--out", trained() / "again", "-q"}).code == 0);
  CHECK(read_file(folder + "/last.safetensors").size() == read_file(trained() / "again/last.safetensors").size());
  for (const Line& words :
       {Line{"inspect", folder}, Line{"report", folder}, Line{"summary", folder}, Line{"runs", trained() / ""},
        Line{"ptq", folder, "-s", "precision.weights=int8", "--adaround", "--out", trained() / "ptq", "-s",
             "ptq.adaround.steps=20"}}) {
    CAPTURE(words[0]);
    const Outcome o = run(words);
    CAPTURE(o.err);
    CHECK(o.code == 0);
  }
  CHECK(number(Document::load(trained() / "ptq/summary.json"), "cost.sparsity") >= 0.5 - 1e-3);  // rounding to nowhere but zero
}

TEST_CASE("fine-tuning brings back what cutting broke; a pruned run can be pruned further") {
  const double cut = number(pruned(trained() / "cut", {"--sparsity", "0.9", "--scope", "global"}), "test.loss");
  const Document tuned =
      pruned(trained() / "tuned", {"--sparsity", "0.9", "--scope", "global", "--finetune", "3", "--schedule", "cubic"});
  CHECK(number(tuned, "test.loss") < cut);
  CHECK(number(tuned, "sparsity") == doctest::Approx(0.9).epsilon(0.001));
  const Outcome further = run({"prune", trained() / "tuned", "--sparsity", "0.95", "--out", trained() / "further"});
  CHECK(further.code == 0);
  for (const char* part : {"zero before", "90.", "95.", "all", "accuracy"}) CHECK_MESSAGE(further.says(part), std::string(part));
  CHECK(number(pruned(trained() / "pattern", {"--pattern", "2:4"}), "sparsity") == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("a criterion that listens has half of the fine-tuning to do so, unless told when") {
  const Line movement{"--sparsity", "0.5", "--criterion", "movement", "--finetune", "2"};
  CHECK(number(pruned(trained() / "moved", movement), "sparsity") == doctest::Approx(0.5).epsilon(0.01));
  CHECK(Document::load(trained() / "moved/config.json").text_at("prune.schedule.one_shot.at") == "0.5");
  pruned(trained() / "moved later", movement + Line{"-s", R"(prune.schedule={"one_shot": {"at": 0.8}})"});
  CHECK(Document::load(trained() / "moved later/config.json").text_at("prune.schedule.one_shot.at") == "0.8");
}

TEST_CASE("it is said what is faster afterwards: nothing, until rows are taken out") {
  const auto says = [&](const Line& words, const char* what) {
    const Outcome o = run(Line{"prune", trained() / "f32", "--out", trained() / what} + words);
    CAPTURE(o.err);
    CHECK(o.code == 0);
    CHECK(o.says(what));
    CHECK(o.says("lptrain shrink"));
  };
  says({"--sparsity", "0.5"}, "not faster");
  says({"--pattern", "2:4"}, "zeros are left out");
  says({"--sparsity", "0.5", "--pattern", "rows"}, "takes out");
}

TEST_CASE("what cannot be asked is told, and leaves nothing behind") {
  const std::pair<Line, const char*> kCases[] = {
      {{}, "\"sparsity\" is missing"},
      {{"--sparsity", "1.5"}, "sparsity"},
      {{"--sparsity", "0.5", "--pattern", "3-4"}, "unknown pattern"},
      {{"--sparsity", "0.5", "--criterion", "magnitute"}, "did you mean \"magnitude\""},
      {{"--sparsity", "0.5", "--criterion", "movement", "--schedule", "cubic"}, "no epochs"},
      {{"--sparsity", "0.5", "-s", "precision.weights=binary"}, "would come back"},
      {{"--sparsity", "0.5", "-s", "prune.overrides={\"fc9\": 0}"}, "did you mean"}};
  for (const auto& [words, message] : kCases) {
    CAPTURE(message);
    const Outcome o = run(Line{"prune", trained() / "f32", "--out", trained() / "none"} + words);
    CAPTURE(o.err);
    CHECK(o.code == 2);
    CHECK(o.says(message));
    CHECK_FALSE(fs::exists(trained() / "none"));
  }
  CHECK(run({"prune", trained() / "nothing", "--sparsity", "0.5"}).code >= 2);
}

TEST_CASE("lists of sparsities") {
  CHECK(sparsities_in("0.5,0.9") == std::vector<double>{0.5, 0.9});
  const auto close = [](const std::vector<double>& found, const std::vector<double>& wanted) {
    REQUIRE(found.size() == wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) CHECK(found[i] == doctest::Approx(wanted[i]));
  };
  close(sparsities_in("0.4..0.95"), {0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95});
  close(sparsities_in("0.4,0.5,...,0.95"), {0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95});
  close(sparsities_in("0.5..0.7,0.99"), {0.5, 0.6, 0.7, 0.99});
  for (const char* wrong : {"", "1", "-0.1", "x", "0.5,", "0.9..0.4", "...", "0.5,...,0.9", "0.4,0.5,...", "0.5,0.4,...,0.9",
                            "0..", "nan", "0,1e-9,...,0.9"})
    CHECK_THROWS_AS(sparsities_in(wrong), Error);
}

TEST_CASE("sensitivity to pruning: a row for each layer and for all; a layer pruned alone is what pruning it alone gives") {
  const Trained t = load_trained(trained() / "f32", false, "");
  const auto score = [&] { return evaluate(*t.model, *t.config.train.loss, t.data, t.data.validation, 64).score.loss; };
  const double before = score();
  const Sensitivity s = sensitivity_to_pruning(t, {0, 0.5, 0.95}, Choice<Criterion>("magnitude"), {},
                                               Console(Arguments({{"quiet", {"true"}}}, {})));
  CHECK(score() == before);
  CHECK(s.layers.back() == "all layers");
  for (size_t row = 0; row < s.layers.size(); ++row) CHECK(s.at(row, 0).accuracy == s.accuracy);
  CHECK(s.at(s.layers.size() - 1, 2).accuracy < s.accuracy);
  const Document alone = pruned(trained() / "alone", {"--sparsity", "0.5", "-s", "prune.overrides={\"*\": 0, \"fc1\": 0.5}"});
  CHECK(number(alone, "validation.accuracy") == s.at(0, 1).accuracy);
  const Outcome o = run(
      {"sensitivity", trained() / "f32", "--sparsity", "0.4..0.95", "--csv", trained() / "s.csv", "--svg", trained() / "s.svg"});
  CHECK(o.code == 0);
  CHECK(o.says("0.95"));
  CHECK(read_file(trained() / "s.csv").starts_with("layer,format,narrowed,accuracy,loss\nfc1,0.4,pruned,"));
  CHECK(run({"sensitivity", trained() / "f32", "--sparsity", "0.5", "--bits", "4"}).code == 2);
  CHECK(run({"sensitivity", trained() / "f32", "--pattern", "rows"}).code == 2);
  CHECK(run({"sensitivity", trained() / "f32", "--sparsity", "0.5", "--criterion", "movement"}).code == 2);
}
