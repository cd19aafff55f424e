// lptrain check: right on this machine, with every cap, and broken where it must be.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "support/places.h"

using namespace lp;
using namespace lp::test;

TEST_CASE("everything works here, and nothing is left behind") {
  const Folder folder;
  const Outcome o = run(Call{{"check"}, folder.path});
  CHECK(o.code == 0);
  for (const char* word : {"machine", "back end onednn", "matmul reference", "int8 product", "training", "writing"})
    CHECK(o.says(word));
  CHECK(o.out.find("broken") == std::string::npos);
  const auto column = [&](const std::string& detail, const std::string& line) {  // of the detail in that line
    const size_t at = o.out.find(line);
    return o.out.find(detail, at) - at;
  };
  CHECK(column("exact", "ok       matmul popcount_portable ") == column("exact", "ok       matmul reference "));
  CHECK(column("within", "ok       f32 product ") == column("exact", "ok       matmul reference "));
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("caps are seen: rows above them are skipped") {
  const Outcome o = run(Call{{"check", "--json"}, source_dir(), {{"LPTRAIN_BACKEND", "reference"}}});
  CHECK(o.code == 0);
  const Document answer = Document::parse(last_line(o.out), "out");
  CHECK(answer.text_at("status") == "finished");
  for (size_t i = 0; i < answer.size("findings"); ++i) {
    const Document finding = answer.at(fmt::format("findings.{}", i));
    if (finding.text_at("what") == "back end native") CHECK(finding.text_at("detail") == "LPTRAIN_BACKEND=reference");
    if (finding.text_at("what") == "int8 product") CHECK(finding.text_at("detail").ends_with("row reference"));
  }
}

TEST_CASE("a wrong cap is a mistake of the caller") {
  CHECK(run(Call{{"check"}, source_dir(), {{"LPTRAIN_ISA", "avx3"}}}).code != 0);
}

TEST_CASE("what is broken exits 1 and is named") {
  const Outcome o = run(Call{{"check", "--json"}, "/proc"});
  CHECK(o.code == 1);
  CHECK(last_line(o.out).find("\"status\": \"error\"") != std::string::npos);
  CHECK(last_line(o.out).find("{\"what\": \"writing\", \"state\": \"broken\"") != std::string::npos);
}
