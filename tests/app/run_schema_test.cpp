// The schema says of a config what the reader says: on every shipped config, and on mistakes of every kind.
#include "lptrain/app/run_schema.h"

#include <doctest/doctest.h>

#include "app/program.h"
#include "app/schema_check.h"
#include "lptrain/base/files.h"
#include "lptrain/train/config.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

namespace {

const SchemaCheck& checker() {
  static const SchemaCheck checker(run_schema());
  return checker;
}

bool is_read(const std::string& text) {
  try {
    read_config(Document::parse(text, "test"));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("every shipped config keeps to the schema, as written and as resolved") {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / "configs")) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json") continue;
    CAPTURE(entry.path().string());
    ++seen;
    CHECK(checker().fault(Document::parse(read_file(entry.path()), "config")) == "");
    CHECK(checker().fault(load_config(entry.path()).document) == "");
  }
  CHECK(seen >= 10);
}

TEST_CASE("what the reader takes, the schema takes") {
  for (const char* text : {
           R"({"train": {"epochs": 3.0, "clip_norm": null, "optimizer": {"sgd": {"lr": 0.5, "momentum": 0.9}}}})",
           R"({"precision": {"weights": "int4", "errors": {"format": "e5m2"}, "overrides": {"conv1.*": "int8"}}})",
           R"({"model": {"layers": ["flatten", {"linear": {"out": 3}}, {"residual": {"layers": ["relu"]}}, "linear"]}})",
           R"({"dataset": {"csv": {"path": "a.csv", "label": "y"}}, "_comment": ["any", {"thing": 1}], "description": "d"})",
           R"({"phases": [{"name": "float", "train": {"epochs": 1}}, {"precision": {"weights": "int8"}, "keep": true}]})",
       }) {
    CAPTURE(text);
    CHECK(is_read(text));
    CHECK(checker().fault(Document::parse(text, "test")) == "");
  }
}

TEST_CASE("what is built wrong, both refuse") {
  for (const char* text : {
           R"({"epochs": 3})",
           R"({"train": {"epoch": 3}})",
           R"({"train": {"epochs": "3"}})",
           R"({"train": {"epochs": 3.7}})",
           R"({"train": {"epochs": -1}})",
           R"({"train": {"clip_norm": 0}})",
           R"({"train": {"seed": null}})",
           R"({"train": []})",
           R"({"train": {"optimizer": "adma"}})",
           R"({"train": {"optimizer": {"adam": {"momentum": 0.9}}}})",
           R"({"train": {"optimizer": {"adam": {}, "sgd": {}}}})",
           R"({"train": {"optimizer": {}}})",
           R"({"compute": "f16"})",
           R"({"precision": {"weight": "int8"}})",
           R"({"precision": {"weights": {"format": "int8", "rounding": "up"}}})",
           R"({"precision": {"weights": {"format": "int8", "narrow": 1}}})",
           R"({"precision": {"overrides": {"fc1": {"wieghts": "int8"}}}})",
           R"({"model": {"layers": [{"linear": {"outs": 3}}]}})",
           R"({"model": {"layers": "relu"}})",
           R"({"dataset": {"limit": "many"}})",
           R"({"phases": [{"epochs": 1}]})",
       }) {
    CAPTURE(text);
    CHECK_FALSE(is_read(text));
    CHECK(checker().fault(Document::parse(text, "test")) != "");
  }
}

TEST_CASE("the part of one key, with what it refers to") {
  const Document schema = run_schema();
  CHECK(schema_of_field(schema, "train.epochs").text_at("type") == "integer");
  CHECK(schema_of_field(schema, "train.optimizer.adam.lr").text_at("type") == "number");
  CHECK(schema_of_field(schema, "precision.overrides.conv1.weights.rounding").has("enum"));
  CHECK(schema_of_field(schema, "phases.0.train.batch").text_at("default") == "64");
  const Document optimizer = schema_of_field(schema, "train.optimizer");
  CHECK(optimizer.keys("definitions") == std::vector<std::string>{"optimizer"});
  CHECK(SchemaCheck(optimizer).fault(Document::parse(R"({"sgd": {"lr": 0.1}})", "test")) == "");
  CHECK(SchemaCheck(optimizer).fault(Document::parse(R"({"sgd": {"lr": "high"}})", "test")) != "");
  CHECK_THROWS_WITH(schema_of_field(schema, "train.optimizr"), doctest::Contains("did you mean \"optimizer\"?"));
  CHECK_THROWS_AS(schema_of_field(schema, "train.epochs.x"), Error);
}

TEST_CASE("the words of a choice have their meaning") {
  CHECK(doc_of_choice("train.optimizer.adam").find("Kingma") != std::string::npos);
  CHECK(doc_of_choice("train.optimizer.x") == "");
  CHECK(doc_of_choice("train") == "");
}

TEST_CASE("the command writes it where editors look") {
  const Folder folder;
  CHECK(run({"schema", "--out", folder / "schema.json"}).code == 0);
  CHECK(Document::load(folder / "schema.json") == run_schema());
  CHECK(Document::parse(run({"schema", "--json"}).out, "out") == run_schema());
  CHECK(Document::parse(run({"schema", "--field", "train.batch"}).out, "out").text_at("maximum") == "1000000");
  const Outcome wrong = run({"schema", "--field", "train.bach"});
  CHECK(wrong.code == 2);
  CHECK(wrong.says("did you mean \"batch\"?"));
}
