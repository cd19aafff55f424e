// Narrowing a layer at a time: what is narrowed, and that nothing is left changed.
#include "lptrain/app/sensitivity.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "app/program.h"
#include "lptrain/app/narrowing.h"

using namespace lp;
using namespace lp::test;

namespace {

const Folder& trained() {
  static const Folder folder;
  static const Line common{"--limit", "600", "--no-latency", "-q", "-s", "train.epochs=4"};
  static const bool done = run(Line{"train", "configs/smoke_f32.json", "--out", folder / "f32"} + common).code == 0 &&
                           run(Line{"train", "configs/smoke_int8.json", "--out", folder / "int8"} + common).code == 0;
  REQUIRE(done);
  return folder;
}

Console quiet() { return Console(Arguments({{"quiet", {"true"}}}, {})); }

Sensitivity of(const std::string& name, const std::string& formats, Narrowed narrowed) {
  return sensitivity_of(load_trained(trained() / name, false, ""), formats_in(formats), narrowed, quiet());
}

}  // namespace

TEST_CASE("a row for each layer and one for all, a column for each width; wide formats cost nothing, narrow ones do") {
  const Sensitivity s = of("f32", "16,8,1", Narrowed::both);
  CHECK(s.layers == std::vector<std::string>{"fc1", "fc2", "fc3", "all layers"});
  CHECK(s.formats == std::vector<std::string>{"int16", "int8", "binary"});
  REQUIRE(s.cells.size() == 12);
  CHECK(s.accuracy > 0.6);
  for (size_t row = 0; row < 4; ++row) CHECK(s.at(row, 0).accuracy == doctest::Approx(s.accuracy).epsilon(0.02));
  CHECK(s.at(3, 2).accuracy < s.accuracy);
  CHECK(s.at(3, 2).layer == "all layers");
  CHECK(s.at(1, 1).format == "int8");
}

TEST_CASE("one layer narrowed is the same as saying so with an override") {
  const Sensitivity s = of("int8", "4,2", Narrowed::weights);
  const Trained t =
      load_trained(trained() / "int8", false, "",
                   std::vector<std::string>{
                       R"(precision.overrides={"fc2": {"weights": {"format": "int2", "narrow": true, "per": "channel"}}})"});
  CHECK(s.at(1, 1).accuracy == evaluate(*t.model, *t.config.train.loss, t.data, t.data.validation, 100).score.accuracy);
}

TEST_CASE("a layer that is as narrow already stays, and afterwards the model is as it was, observed scales too") {
  const Trained t = load_trained(trained() / "int8", false, "");
  const auto score = [&] { return evaluate(*t.model, *t.config.train.loss, t.data, t.data.validation, 64).score; };
  const Score before = score();
  const Sensitivity s = sensitivity_of(t, formats_in("16,8,3"), Narrowed::both, quiet());
  CHECK(score().loss == before.loss);
  for (size_t row = 0; row < s.layers.size(); ++row)
    for (size_t i = 0; i < 2; ++i) CHECK(s.at(row, i).loss == doctest::Approx(s.loss).epsilon(1e-9));
  CHECK(s.at(3, 2).loss != s.loss);
}

TEST_CASE("words for widths") {
  const std::vector<Format> formats = formats_in("8,2,1,e4m3,ternary");
  std::vector<std::string> names;
  for (const Format& f : formats) names.push_back(f.name());
  CHECK(names == std::vector<std::string>{"int8", "int2", "binary", "e4m3", "ternary"});
  for (const char* wrong : {"", "0", "8,,4", "99", "eight"}) CHECK_THROWS_AS(formats_in(wrong), Error);
}

TEST_CASE("a lens of another format keeps what was observed, and the old one gets back what it learned") {
  Trained t = load_trained(trained() / "int8", false, "");
  const LensMemory memory(*t.model);
  struct Fc2 : Visitor {
    Lens* input = nullptr;
    void lens(Lens& l) override {
      if (l.name == "fc2.input") input = &l;
    }
  } fc2;
  t.model->visit(fc2);
  const float high = fc2.input->observed.high.data<float>()[0];
  Precision precision = t.config.phases.back().precision;
  precision.roles[static_cast<size_t>(Role::activations)].format = Format::parse("int3");
  see_through(*t.model, precision, memory);
  REQUIRE(fc2.input->observed.high);
  CHECK(fc2.input->observed.high.data<float>()[0] == high);
  CHECK(fc2.input->quantizer.format.name() == "int3");
}

TEST_CASE("from outside: table, CSV, picture, object; and what cannot be asked") {
  const Outcome o = run({"sensitivity", trained() / "f32", "--bits", "8,2", "--role", "weights", "--csv", trained() / "s.csv",
                         "--svg", trained() / "s.svg"});
  CAPTURE(o.err);
  CHECK(o.code == 0);
  for (const char* part : {"layer", "int8", "int2", "fc3", "all layers", "validation examples are right as it is"})
    CHECK_MESSAGE(o.says(part), std::string(part));
  const std::string csv = read_file(trained() / "s.csv"), svg = read_file(trained() / "s.svg");
  CHECK(csv.starts_with("layer,format,narrowed,accuracy,loss\nfc1,int8,weights,"));
  CHECK(std::ranges::count(csv, '\n') == 1 + 4 * 2);
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.find("<style>") != svg.npos);
  const Outcome json = run({"sensitivity", trained() / "f32", "--bits", "4", "--json", "-q"});
  CHECK(Document::parse(last_line(json.out), "stdout").size("cells") == 4);
  CHECK(run({"sensitivity", trained() / "f32", "--bits", "0"}).code == 2);
  const Outcome role = run({"sensitivity", trained() / "f32", "--role", "weight"});
  CHECK(role.code == 2);
  CHECK(role.says("did you mean \"weights\""));
  CHECK(run({"sensitivity", trained() / "nothing"}).code == 3);
}
