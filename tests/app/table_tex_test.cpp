// LaTeX tables: what is math, what is text, and how wide and long a part may become.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/table.h"
#include "support/text.h"

using namespace lp;
using namespace lp::test;

namespace {

RunRecord run_of(const std::string& format, int64_t seed, double accuracy) {
  RunRecord run;
  run.labels = {{"format", format}};
  run.seed = seed;
  run.folder = format + std::to_string(seed);
  run.status = "finished";
  run.summary = Document::parse(fmt::format(R"({{"test": {{"accuracy": {0}, "examples": 10}}, "seconds": 2,
      "best": {{"validation": {{"examples": 5}}, "test": {{"accuracy": {0}, "examples": 10}}}},
      "cost": {{"bits_per_weight": 8, "packed_bytes": 1600000, "macs": 1200, "bit_operations": 76800, "energy_joules": 1.5e-6,
                "sparsity": 0.1, "latency": {{"batch_1": 0.0123, "batch_64": 0.8}}}}}})",
                                            accuracy),
                                "summary");
  return run;
}

std::string tex_of(const std::vector<std::string>& formats, const TableLayout& layout = {}) {
  std::vector<RunRecord> runs;
  for (const std::string& format : formats)
    for (int64_t seed : {1, 2}) runs.push_back(run_of(format, seed, format == "f32" ? 0.98 : 0.979 + 0.0002 * double(seed)));
  return table_as(table_of(runs, layout), "tex");
}

}  // namespace

TEST_CASE("numbers are math and keep their spaces; labels are text, whatever they look like") {
  const std::vector<std::string> names{"f32", "-1", "[a]*", "2--3 |<é>| 2² µ"};
  const std::string tex = tex_of(names, {.metrics = {"accuracy", "difference"}});
  CHECK(has(tex, "f32 & $98.00 \\pm 0.00$ & -- \\\\\n"));
  CHECK(has(tex, "-1 & $97.93 \\pm 0.01$ & $-0.07$ [$-0.20$, $+0.06$] \\\\"));
  CHECK(has(tex, "\n{}[a]* & "));
  CHECK(has(tex, "2-{}-{}3 \\textbar{}\\textless{}é\\textgreater{}\\textbar{} 2$^2$ $\\mu$ & "));
  CHECK(has(tex_of(names, {.metrics = {"latency_1"}}), "f32 & $12$ ms $\\pm$ $0$ s \\\\\n"));
  CHECK(has(tex, "\\caption{2 seeds (1 2): mean $\\pm$ sample deviation. Test accuracy: of the epoch"));
}

TEST_CASE("what does not fit beside each other, or on a page, continues in another table") {
  const std::string tex = tex_of({"f32", "int8"});
  CHECK(count(tex, "\\begin{table}") == 3);
  CHECK(count(tex, "\nint8 & ") == 3);
  CHECK(count(tex, "Continued.") == 2);
  CHECK(count(tex, "2 seeds") == 1);
  CHECK(tex.find("MACs: for one example") > tex.find("Continued."));
  std::vector<std::string> many{"f32"};
  for (int i = 0; i < 50; ++i) many.push_back(fmt::format("p{}", i));
  const std::string rows = tex_of(many, {.metrics = {"accuracy"}});
  CHECK(count(rows, "\\begin{table}") == 2);
  CHECK(count(rows, "\\pm") == 51 + 1);  // and once in the caption
}

TEST_CASE("long labels and headings are broken into lines, long words too") {
  const std::string tex =
      tex_of({"f32", "a label of so many words that it would fill the whole page alone", std::string(90, 'x')});
  CHECK(has(tex, "\\begin{tabular}[b]{@{}l@{}}a label of"));
  CHECK(has(tex, "xxx\\\\xxx"));
  CHECK(has(tex, "\\begin{tabular}[b]{@{}r@{}}test\\\\accuracy, \\%\\end{tabular}"));
}
