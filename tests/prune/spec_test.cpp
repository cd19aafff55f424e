// What a phase says of pruning: targets of layers, and what cannot go together.
#include "lptrain/prune/spec.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

PruneSpec spec(const std::string& json) {
  PruneSpec s;
  read(Document::parse(json, "t"), s);
  return s;
}
std::string complaint(const std::string& json) {
  try {
    spec(json);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("targets: the sparsity, that of the pattern, or the layer's own; the last match wins") {
  const PruneSpec s = spec(R"({"sparsity": 0.9, "overrides": {"fc*": 0.5, "fc3": 0}})");
  CHECK(s.target("conv1").sparsity == 0.9);
  CHECK_FALSE(s.target("conv1").is_own);
  CHECK(s.target("fc1").sparsity == 0.5);
  CHECK(s.target("fc3").sparsity == 0);
  CHECK(s.target("fc3").is_own);
  CHECK(spec(R"({"pattern": "1:4"})").target("fc1").sparsity == 0.75);
  CHECK(spec(R"({"criterion": {"standardized": {"theta": 0.5}}})").cuts());
  CHECK_FALSE(spec(R"({"shrink": "l1"})").cuts());
  const std::vector<std::string> layers{"conv1", "fc1"};
  CHECK_THROWS_WITH_AS(s.check(layers), doctest::Contains("prune.overrides: \"fc3\" matches no layer"), Error);
}

TEST_CASE("what cannot go together is told") {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({})", "\"sparsity\" is missing"},
      {R"({"sparsity": 1})", "below 1"},
      {R"({"sparsity": 0.9, "pattern": "2:4"})", "the pattern 2:4 is a sparsity of 0.5"},
      {R"({"sparsity": 0.9, "criterion": "standardized"})", "says itself how many go"},
      {R"({"pattern": "2:4", "criterion": "zeros"})", "says itself how many go"},
      {R"({"sparsity": 0.9, "overrides": {"fc1": 1.5}})", "wanted 0 <= sparsity < 1"},
      {R"({"pattern": "2:4", "overrides": {"fc1": 0.75}})", "can only be 0"},
      {R"({"sparsity": 0.9, "criterion": "batch_norm"})", "\"pattern\": \"rows\""},
      {R"({"sparsity": 0.9, "criterion": "movement"})", "listens to training"},
      {R"({"shrink": "l1", "rewind": "start"})", "\"rewind\" needs weights that are removed"},
      {R"({"sparsity": 0.9, "pattern": "rows", "regrow": {}})", "exchanges single weights"},
      {R"({"sparsity": 0.9, "schedule": "cubic", "regrow": {}})", "exchanges single weights"},
      {R"({"sparsity": 0.9, "pattern": "2-4"})", "unknown pattern"},
      {R"({"sparsity": 0.9, "criterion": "magnitud"})", "did you mean \"magnitude\""}};
  for (const auto& [json, message] : kCases) {
    CAPTURE(json);
    CHECK(complaint(json).find(message) != std::string::npos);
  }
  CHECK(complaint(R"({"sparsity": 0.5, "pattern": "2:4"})").empty());
  CHECK(complaint(R"({"sparsity": 0.9, "criterion": "movement", "schedule": "cubic"})").empty());
}
