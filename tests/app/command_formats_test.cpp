// lptrain formats: the published figures of published formats.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "lptrain/number/format.h"

using namespace lp;
using namespace lp::test;

namespace {

Document facts(const std::string& name) {
  return Document::parse(last_line(run({"formats", name, "--json"}).out), "out").at("formats.0");
}

}  // namespace

TEST_CASE("the table has every known format") {
  const Outcome o = run({"formats"});
  CHECK(o.code == 0);
  for (const std::string& name : Format::known()) CHECK(o.out.find("\n" + name + " ") != std::string::npos);
}

TEST_CASE("presets are told apart from formats") {
  const Outcome o = run({"formats", "mxfp4", "posit8_2", "--json"});
  const Document d = Document::parse(last_line(o.out), "out");
  CHECK(d.text_at("presets.0.name") == "mxfp4");
  CHECK(d.text_at("formats.0.fields") == "s1 r2.. e2 m0..3");
  CHECK(d.text_at("formats.0.specials") == "NaR");
  CHECK(run({"formats"}).out.find("\nnvfp4 ") != std::string::npos);
}

TEST_CASE("figures of OCP FP8, IEEE half and fixed point") {
  const Document e4m3 = facts("e4m3"), f16 = facts("f16"), q = facts("q3.4"), e8m0 = facts("e8m0");
  CHECK(e4m3.text_at("max") == "448.0");
  CHECK(e4m3.text_at("min_normal") == "0.015625");
  CHECK(e4m3.text_at("smallest") == "0.001953125");
  CHECK(e4m3.text_at("specials") == "NaN");
  CHECK(e4m3.text_at("fields") == "s1 e4 m3");
  CHECK(f16.text_at("max") == "65504.0");
  CHECK(f16.text_at("epsilon") == "0.0009765625");
  CHECK(f16.text_at("specials") == "inf NaN");
  CHECK(q.text_at("bits") == "8");
  CHECK(q.text_at("lowest") == "-8.0");
  CHECK(q.text_at("fields") == "s1 i3 f4");
  CHECK(e8m0.text_at("min_normal") == e8m0.text_at("smallest"));
}

TEST_CASE("an impossible format is told why") {
  const Outcome o = run({"formats", "int99"});
  CHECK(o.code == 2);
  CHECK(o.says("int99"));
}
