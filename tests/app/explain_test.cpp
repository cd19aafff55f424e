// Explaining keys, roles and layers, and what to say to words that are none of them.
#include "lptrain/app/explain.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "app/program.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

std::optional<KeyExplanation> key(const std::string& word) { return explain_key(word, nullptr, nullptr); }

}  // namespace

TEST_CASE("a key: by path, by its end, inside lists and dictionaries, and the words of a choice") {
  REQUIRE(key("train.epochs"));
  CHECK(key("train.epochs")->type == "integer");
  CHECK(key("train.epochs")->fallback == "10");
  CHECK(key("epochs")->path == "train.epochs");
  CHECK(key("precision.overrides.conv1.weights.rounding")->path == "precision.overrides.*.weights.rounding");
  CHECK(key("model.layers.3.conv2d.out")->doc == "output channels; with depthwise, by default as many as input channels");
  CHECK(key("train.optimizer")->keys.size() == 3);
  CHECK(key("train.optimizer.adam")->doc.find("Kingma") != std::string::npos);
  CHECK_FALSE(key("train.optimizer.adma"));
  CHECK_FALSE(key("conv1"));
  CHECK_THROWS_WITH(key("momentum"), doctest::Contains("train.optimizer.sgd.momentum"));
}

TEST_CASE("a key in a config: its value and origin") {
  CHECK(run({"explain", "lr"}).says("several keys"));
  for (const char* word : {"lr", "train.lr"}) {  // of the optimizer that the config has
    const Outcome set = run({"explain", word, "configs/cnn_int8.json"});
    CHECK(set.code == 0);
    CHECK(set.says("train.optimizer.adam.lr"));
    CHECK(set.says("configs/cnn_int8.json:12:"));
  }
  const Outcome usual = run({"explain", "train.beta2", "configs/cnn_int8.json", "--json"});  // not written, but had
  CHECK(Document::parse(last_line(usual.out), "out").text_at("value") == "0.999");
  CHECK(Document::parse(last_line(usual.out), "out").text_at("origin") == "default");
  const Outcome written = run({"explain", "train.optimizer.adam.lr", "configs/cnn_int8.json"});
  CHECK(written.code == 0);
  CHECK(written.out.find("configs/cnn_int8.json:12:") != std::string::npos);
  const Document answer =
      Document::parse(last_line(run({"explain", "batch", "smoke_f32", "--set", "train.batch=8", "--json"}).out), "out");
  CHECK(answer.text_at("value") == "8");
  CHECK(answer.text_at("origin") == "--set train.batch=8");
}

TEST_CASE("a role: what it is, and its quantizer in each layer") {
  CHECK(run({"explain", "errors"}).out.find(std::string(doc_of(Role::errors))) != std::string::npos);
  const Outcome o = run({"explain", "weights", "cnn_int8", "--set", "precision.overrides.fc2=f32", "--json"});
  const Document answer = Document::parse(last_line(o.out), "out");
  REQUIRE(answer.size("places") == 4);
  CHECK(answer.text_at("places.0.quantizer") == "int8 narrow, scale absmax per channel, rounding nearest_even, gradient clipped");
  CHECK(answer.text_at("places.3.quantizer") == "f32: not quantized");
}

TEST_CASE("quantizers in words name the scale that a format brings") {
  Quantizer q;
  CHECK(quantizer_text(q) == "f32: not quantized");
  q.format = Format::parse("binary");
  CHECK(quantizer_text(q).find("scale mean_abs per tensor") != std::string::npos);
  q.format = Format::parse("q3.4");
  CHECK(quantizer_text(q).find("scale fixed per tensor") != std::string::npos);
}

TEST_CASE("a layer: shapes, roles, and the rows of its products") {
  const Outcome o = run({"explain", "conv2", "cnn_int8"});
  CHECK(o.code == 0);
  for (const char* word : {"[28,28,64]", "[64,3,3,32]", "18496 parameters", "u8 x i8 -> i32", "errors are not quantized"})
    CHECK(o.says(word));
  const Document answer = Document::parse(last_line(run({"explain", "fc1", "cnn_int8", "--json"}).out), "out");
  CHECK(answer.size("products") == 3);
  CHECK(answer.text_at("weights") == "[128,12544]");
  const Outcome capped = run(Call{{"explain", "fc1", "cnn_int8"}, source_dir(), {{"LPTRAIN_BACKEND", "reference"}}});
  CHECK(capped.says("row \"reference\""));
  CHECK(capped.says("LPTRAIN_BACKEND=reference"));
}

TEST_CASE("a word that values are chosen by: what it means, and the keys that take it") {
  struct Case {
    const char *word, *meaning, *key;
  };
  for (const Case& c : {Case{"absmax", "of this very tensor", "precision.<role>.scale"},
                        {"ste", "straight through everywhere", "precision.<role>.gradient"},
                        {"stochastic", "so that the mean is right", "precision.<role>.rounding"},
                        {"conv2d", "2-D convolution", "model.layers"},
                        {"sgd", "gradient descent", "train.optimizer"},
                        {"cosine", "half a cosine", "train.schedule"},
                        {"squared_hinge", "", "train.loss"},
                        {"movement", "", "prune.criterion"},
                        {"e4m3", "s1 e4 m3): reals from -448 to 448", "precision.<role>.format"},
                        {"e4m3", "", "precision.accumulator.outer"},
                        {"int6", "reals from -32 to 31", "precision.<role>.format"},
                        {"mxfp4", "e2m1 in blocks of 32", "precision.<role>.format"},
                        {"global", "", "prune.scope"}}) {
    const auto found = explain_word(c.word);
    REQUIRE_MESSAGE(found.has_value(), std::string(c.word));
    const std::string text = found->text();
    CHECK_MESSAGE(text.find(c.meaning) != text.npos, text);
    CHECK_MESSAGE(text.find(fmt::format("\n  {} ", c.key)) != text.npos, text);
  }
  CHECK(explain_word("linear")->meanings.size() >= 2);  // a layer, a schedule
  CHECK_FALSE(explain_word("absmxa"));
  CHECK(run({"explain", "absmxa"}).says("did you mean \"absmax\"?"));
  const Outcome o = run({"explain", "cosine", "cnn_int8", "--json"});
  CHECK(Document::parse(last_line(o.out), "out").text_at("meanings.0.keys.0.path") == "train.schedule");
  CHECK(run({"explain", "step"}).says("train.schedule"));  // also the end of several keys
}

TEST_CASE("every word of every table is explained") {
  for (const std::string& word : choice_words()) CHECK_MESSAGE(explain_word(word).has_value(), word);
}

TEST_CASE("words that are nothing have a suggestion") {
  const Outcome o = run({"explain", "epohcs"});
  CHECK(o.code == 2);
  CHECK(o.says("did you mean \"epochs\"?"));
  const Outcome layer = run({"explain", "conv9", "cnn_int8"});
  CHECK(layer.code == 2);
  CHECK(layer.says("did you mean \"conv1\"?"));
  CHECK(run({"explain", "conv1"}).says("layers are known with a CONFIG"));
}

TEST_CASE("every method has a page made of its config: description, formulas, rules, what is left in float, what it reaches") {
  REQUIRE(method_names().size() >= 15);
  for (const std::string& name : method_names()) {
    CAPTURE(name);
    const auto method = explain_method(name);
    REQUIRE(method.has_value());
    CHECK_FALSE(method->description.empty());
    CHECK_FALSE(method->expected.empty());
    const std::string page = method->text();
    CHECK(std::ranges::count(page, '\n') < 66);  // a page
    for (const MethodPhase& phase : method->phases)
      for (const QuantizerExplanation& q : phase.quantizers) CHECK_FALSE(q.scale.empty());
  }
  const Outcome lsq = run({"explain", "lsq"});
  for (const char* part : {"Esser et al. 2020", "ds = g sum dy (v - u h'(u))", "int4: reals from -8 to 7", "conv1, fc2"})
    CHECK(lsq.says(part));
  const Outcome xnor = run({"explain", "xnor"});
  for (const char* part : {"dx = dy s / r  h'(u) + sign(x) / n sum dy v\n", "mean_abs (differentiable true)", "one per channel"})
    CHECK(xnor.says(part));
  CHECK(run({"explain", "dorefa"}).says("absmax (mid_rise true)"));
  CHECK(run({"explain", "ttq"}).says("-wn where x < -D"));
  const Outcome progressive = run({"explain", "progressive"});
  for (const char* part : {"phase \"4 bits\", what differs", "int4: reals"}) CHECK(progressive.says(part));
  const std::string page = explain_method("progressive")->text();
  const size_t last = page.find("phase \"4 bits\"");
  CHECK(page.find("forward") < last);
  CHECK(page.find("forward", last) == page.npos);  // the formula is that of the phase before
  CHECK(run({"explain", "lsqq"}).says("did you mean \"lsq\"?"));
  CHECK(run({"explain", "niti"}).says("did you mean \"niti_cnn\"?"));
  CHECK(Document::parse(last_line(run({"explain", "pact", "--json"}).out), "out").text_at("phases.0.quantizers.1.role") ==
        "activations");
}

TEST_CASE("accumulators: by layer, and the row that models them") {
  CHECK(run({"explain", "accumulator"}).says("slow"));
  const std::string set = R"(precision.overrides={"fc*": {"accumulator": "int16"}, "conv1": {"accumulator": "int32"}})";
  const Document answer =
      Document::parse(last_line(run({"explain", "accumulator", "cnn_int8", "--set", set, "--json"}).out), "out");
  CHECK(answer.text_at("places.0.quantizer") == "int32");
  CHECK(answer.text_at("places.1.quantizer") == "as the row holds them");
  CHECK(answer.text_at("places.3.quantizer") == "int16");
  const Document fc1 = Document::parse(last_line(run({"explain", "fc1", "cnn_int8", "--set", set, "--json"}).out), "out");
  CHECK(fc1.text_at("products.0.row") == "reference");
  CHECK(fc1.text_at("products.0.why").find("int16") != std::string::npos);
  CHECK(fc1.text_at("products.0.is_modelled") == "true");
  CHECK(fc1.text_at("products.1.is_modelled") == "false");  // errors are reals: nothing to count
  const Document conv1 = Document::parse(last_line(run({"explain", "conv1", "cnn_int8", "--set", set, "--json"}).out), "out");
  CHECK(conv1.text_at("products.0.is_modelled") == "false");  // no sum leaves 32 bits
  const Outcome summary = run({"summary", "cnn_int8", "--set", set});
  CHECK(summary.says("accumulators are modelled in fc1 (int16), fc2 (int16)"));
}

TEST_CASE("every method has a page: its paper, its formulas, no longer than a page") {
  const std::vector<std::string> names = method_names();
  REQUIRE(names.size() > 20);
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto method = explain_method(name);
    REQUIRE(method);
    const std::string page = method->text();
    CHECK(std::ranges::count(page, '\n') < 72);
    if (name == "f32") continue;
    CHECK(page.find(" 20") != std::string::npos);  // the year of a paper
    CHECK(page.find("forward ") != std::string::npos);
    CHECK(page.find("rounding  ") != std::string::npos);
    CHECK_FALSE(method->expected.empty());
  }
  const std::string page = explain_method("niti_mlp_pseudo")->text();
  CHECK(page.find("rounding  pseudo_stochastic: away from zero if the leading half of the bits") != std::string::npos);
}
