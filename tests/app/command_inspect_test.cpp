// Inspecting runs from outside.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

const Folder& trained() {
  static const Folder folder;
  static const Line common{"-s", "train.epochs=1", "--limit", "200", "--no-latency", "-q"};
  static const bool done = run(Line{"configs/smoke_int8.json", "--out", folder / "int8"} + common).code == 0 &&
                           run(Line{"configs/smoke_f32.json", "--out", folder / "f32"} + common).code == 0;
  REQUIRE(done);
  return folder;
}

}  // namespace

TEST_CASE("every tensor has its line, its object and its picture") {
  const Outcome o = run({"inspect", trained() / "int8", "--svg", trained() / "pictures"});
  CAPTURE(o.err);
  CHECK(o.code == 0);
  for (const char* part : {"fc1", "fc3", "weights", "activations", "int8_narrow", "of 255", "SQNR dB"})
    CHECK_MESSAGE(o.says(part), std::string(part));
  for (const char* file : {"fc1.weights.svg", "fc2.activations.svg"}) {
    const std::string svg = read_file(fs::path(trained() / "pictures") / file);
    CHECK(svg.find("<svg") == 0);
    CHECK(svg.find("<style>") != svg.npos);
    CHECK(svg.find("nan") == svg.npos);
  }
  const Outcome one = run({"inspect", trained() / "int8", "--layer", "fc2", "--json"});
  REQUIRE(one.code == 0);
  const Document result = Document::parse(last_line(one.out), "stdout");
  CHECK(result.size("tensors") == 2);
  CHECK(result.text_at("tensors.0.layer") == "fc2");
  CHECK(std::stod(result.text_at("tensors.0.sqnr_db")) > 30);
}

TEST_CASE("a run without quantizers can be inspected, as it is and through others") {
  const Outcome plain = run({"inspect", trained() / "f32"});
  CHECK(plain.code == 0);
  CHECK_FALSE(plain.says("of 255"));
  const Outcome narrow = run({"inspect", trained() / "f32", "-s", "precision.weights=int4", "--layer", "fc*"});
  CHECK(narrow.code == 0);
  CHECK(narrow.says("of 16"));
}

TEST_CASE("layers that are none, and files that are none, are told") {
  const Outcome o = run({"inspect", trained() / "int8", "--layer", "fc11"});
  CHECK(o.code == 2);
  CHECK(o.says("did you mean \"fc1\""));
  CHECK(run({"inspect", trained() / "nothing"}).code == 3);
  CHECK(run({"inspect"}).code == 2);
  const Folder folder;
  fs::copy(trained() / "int8", folder / "run");
  write_file(folder / "run/best.safetensors", "damaged");
  CHECK(run({"inspect", folder / "run"}).code == 3);
}
