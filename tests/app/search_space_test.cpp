// From rungs to configs: what they change, what they leave, and that they run as they are.
#include "lptrain/app/search_space.h"

#include <doctest/doctest.h>

#include "lptrain/app/narrowing.h"

using namespace lp;

namespace {

RunConfig config_with(const std::string& precision) {
  return read_config(Document::parse(
      fmt::format(R"({{"name": "t", "model": "tiny_mlp", "dataset": "spirals", "precision": {}}})", precision), "t"));
}

const std::vector<std::string> kLayers{"fc1", "fc2", "fc3"};

SearchSpace space_of(const std::string& precision, const char* formats = "int8,int4,ternary") {
  return SearchSpace(config_with(precision), formats_in(formats), kLayers);
}

Precision precision_at(const SearchSpace& space, const Rungs& rungs) { return read_config(space.config(rungs)).precision; }

std::string error_of(const std::string& precision, const char* formats) {
  try {
    space_of(precision, formats);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("weights get the format, activations as many bits with their own signs, all else stays") {
  const SearchSpace space = space_of(R"({"weights": {"format": "int8", "narrow": true, "per": "channel", "scale": "absmax"},
                                         "activations": {"format": "uint8", "scale": "ema"}, "errors": "e5m2"})");
  const Precision p = precision_at(space, {1, 1, 1});
  for (const std::string& layer : kLayers) {
    const Quantizer w = p.of(Role::weights, layer), x = p.of(Role::activations, layer);
    CHECK(w.format.name() == "int4");
    CHECK(w.narrow);
    CHECK(w.per == Per::channel);
    CHECK(x.format.name() == "uint4");
    CHECK(x.scale.name() == "ema");
    CHECK(p.of(Role::errors, layer).format.name() == "e5m2");
  }
  CHECK(precision_at(space, {2, 2, 2}).of(Role::weights, "fc1").format.name() == "ternary");
  CHECK_FALSE(precision_at(space, {2, 2, 2}).of(Role::weights, "fc1").narrow);
  CHECK(precision_at(space, {2, 2, 2}).of(Role::activations, "fc1").format.name() == "uint2");
}

TEST_CASE("the formats of most layers stand for all, the others are overrides") {
  const SearchSpace space = space_of(R"({"weights": "int8", "activations": "int8"})");
  const Precision p = precision_at(space, {1, 0, 1});
  CHECK(p.roles[static_cast<size_t>(Role::weights)].format.name() == "int4");
  CHECK(p.overrides.size() == 1);
  CHECK(p.of(Role::weights, "fc2").format.name() == "int8");
  CHECK(p.of(Role::activations, "fc2").format.name() == "int8");
  CHECK(p.of(Role::activations, "fc3").format.name() == "int4");
  CHECK(space.name({1, 0, 1}) == "int4, fc2 int8");
  CHECK(space.name({2, 2, 2}) == "ternary");
  CHECK(space.config({1, 0, 1}).text_at("name") == "t-mixed");
}

TEST_CASE("reals get a quantizer; activations that are reals stay; layers that the config names stay") {
  const SearchSpace space = space_of(R"({"overrides": {"fc3": {"weights": "bf16"}}})");
  CHECK(space.layers() == std::vector<std::string>{"fc1", "fc2"});
  const Precision p = precision_at(space, {0, 1});
  CHECK(p.of(Role::weights, "fc1").format.name() == "int8");
  CHECK(p.of(Role::weights, "fc2").format.name() == "int4");
  CHECK(p.of(Role::weights, "fc3").format.name() == "bf16");
  CHECK(p.of(Role::activations, "fc1").is_identity());
  CHECK(precision_at(space_of("{}", "bf16,e4m3"), {1, 1, 1}).of(Role::weights, "fc1").format.name() == "e4m3");
}

TEST_CASE("searches that make no sense are refused") {
  CHECK(error_of("{}", "int8,int8").find("ever narrower") != std::string::npos);
  CHECK(error_of("{}", "int4,int8").find("ever narrower") != std::string::npos);
  CHECK(error_of("{}", "int8,itn4").find("itn4") != std::string::npos);
  CHECK_FALSE(error_of("{}", "").empty());
  CHECK(error_of(R"({"overrides": {"*": {"weights": "int8"}}})", "int4").find("nothing is left") != std::string::npos);
  const RunConfig phases = read_config(Document::parse(R"({"model": "tiny_mlp", "dataset": "spirals",
      "phases": [{"name": "a"}, {"name": "b", "precision": {"weights": "int8"}}]})",
                                                       "t"));
  CHECK_THROWS_AS(SearchSpace(phases, formats_in("int8"), kLayers), Error);
}
