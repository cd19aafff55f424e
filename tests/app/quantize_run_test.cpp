// The config of a network that is quantized after training.
#include "lptrain/app/quantize_run.h"

#include <doctest/doctest.h>

#include "app/program.h"

using namespace lp;
using namespace lp::test;

namespace {

// What a quantizer's scale says at a path, after observed_once.
std::string scale_after(const std::string& quantizer, const std::string& path) {
  Quantizer q;
  read(Document::parse(quantizer, "t"), q);
  const Document d = write(observed_once(q));
  return d.has("scale." + path) ? d.text_at("scale." + path) : "";
}

}  // namespace

TEST_CASE("what is measured on every batch is measured once: ends as the widest, other rules as an average") {
  CHECK(scale_after(R"({"format": "int8"})", "widest.of") == "absmax");
  CHECK(scale_after(R"({"format": "int8", "scale": "pow2"})", "widest.of") == "pow2");
  CHECK(scale_after(R"({"format": "uint8", "scale": "mse"})", "ema.of") == "mse");
  CHECK(scale_after(R"({"format": "uint8", "scale": "mse"})", "ema.decay") == "0.9");
  CHECK(scale_after(R"({"format": "uint8", "scale": {"percentile": {"percent": 99}}})", "ema.of.percentile.percent") == "99.0");
  CHECK(scale_after(R"({"format": "uint8", "zero_point": true, "scale": "kl"})", "ema.of") == "kl");
}

TEST_CASE("scales that are observed, learned, fixed, of examples or of blocks stay, and so do reals") {
  for (const char* kept : {R"({"format": "int8", "scale": "ema"})", R"({"format": "int8", "scale": "learned"})",
                           R"({"format": "int8", "scale": {"fixed": {"value": 0.5}}})", R"({"format": "int8", "per": "sample"})",
                           R"({"format": "mxfp4"})", R"({"format": "e4m3"})", R"({"format": "f32"})"}) {
    CAPTURE(kept);
    Quantizer q;
    read(Document::parse(kept, "t"), q);
    CHECK(observed_once(q) == q);
  }
}

TEST_CASE("the last phase's precision and training are what the config begins with; names may hold anything") {
  const Folder folder;
  const std::string name = folder / "a \"run\" \\ of 2 phases";
  write_file(folder / "two.json", R"({"name": "two", "model": "tiny_mlp", "dataset": {"name": "spirals", "limit": 100},
      "phases": [{"train": {"epochs": 1}}, {"train": {"epochs": 1, "batch": 17}, "precision": {"activations": "int8"}}]})");
  REQUIRE(run({"train", folder / "two.json", "--no-latency", "-q", "--out", name}).code == 0);
  const RunConfig config = quantized_config(name, {}, {}, {"precision.overrides={\"fc2\": \"int4\"}"});
  CHECK(config.name == "two-ptq");
  CHECK(config.init_from == name);
  CHECK(config.phases.size() == 1);
  CHECK(config.phases[0].train.epochs == 0);
  CHECK(config.phases[0].train.batch == 17);
  const auto rule = [&](Role role, const char* layer) { return config.phases[0].precision.of(role, layer).scale.name(); };
  CHECK(rule(Role::activations, "fc1") == "widest");
  CHECK(rule(Role::activations, "fc2") == "widest");
  CHECK(rule(Role::weights, "fc2") == "");  // absmax of weights that do not move
  CHECK(config.phases[0].precision.of(Role::weights, "fc2").format.name() == "int4");
  PtqSpec learned;
  learned.adaround.emplace();
  const RunConfig rounded = quantized_config(name, learned, {}, {"precision.weights=int4"});
  CHECK(rounded.precision.of(Role::weights, "fc1").scale.name() == "widest");
  CHECK_THROWS_AS(quantized_config(name, {}, {}, {"precision.activations=f32"}), Error);
}
