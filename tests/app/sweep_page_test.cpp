// Pages of several runs: what they say of numbers that are known, and folders that hold none.
#include "lptrain/app/sweep_page.h"

#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "lptrain/base/plot.h"
#include "support/text.h"

using namespace lp;
using namespace lp::test;

namespace {

// A run folder as far as pages of several runs look into it.
void make_run(const fs::path& folder, const std::string& name, int seed, double accuracy, double bits) {
  fs::create_directories(folder);
  const std::string score = fmt::format(R"({{"loss": 0.5, "accuracy": {}, "examples": 100}})", accuracy);
  write_file(folder / "config.json", fmt::format(R"({{"name": "{}", "train": {{"seed": {}}}}})", name, seed));
  write_file(folder / "metrics.jsonl", fmt::format(R"({{"phase": 0, "epoch": 1, "validation": {}}})", score) + "\n");
  write_file(
      folder / "summary.json",
      fmt::format(
          R"({{"name": "{}", "status": "finished", "seconds": 2, "test": {}, "best": {{"epoch": 1, "validation": {}, "test": {}}},
  "cost": {{"bits_per_weight": {}, "packed_bytes": {}, "bit_operations": {}}}}})",
          name, score, score, score, bits, 1000 * bits, 5000 * bits));
}

std::string error_of(const fs::path& folder) {
  try {
    sweep_page(folder);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a page tells at its top if its runs come from different versions") {
  const Folder folder;
  for (int seed : {1, 2, 3}) {
    const fs::path run = folder.path / fmt::format("a{}", seed);
    make_run(run, "f32", seed, 0.95, 32);
    write_file(run / "meta.json", fmt::format(R"({{"version": "0.1.0", "commit": "{}"}})", seed < 3 ? "old" : "new"));
  }
  CHECK(has(sweep_page(folder.path), "made by different versions: 0.1.0 (old): 2 runs, 0.1.0 (new): 1 run."));
  fs::remove_all(folder.path / "a3");
  CHECK_FALSE(has(sweep_page(folder.path), "different versions"));
}

TEST_CASE("the verdict names the narrowest that loses hardly anything; points carry their deviation") {
  const Folder folder;
  for (int seed : {1, 2, 3}) {
    make_run(folder.path / fmt::format("a{}", seed), "f32", seed, 0.95 + 0.01 * seed, 32);
    make_run(folder.path / fmt::format("b{}", seed), "int4", seed, 0.945 + 0.01 * seed, 4);
    make_run(folder.path / fmt::format("c{}", seed), "binary", seed, 0.80, 1);
  }
  REQUIRE(holds_runs(folder.path));
  const std::string page = sweep_page(folder.path);
  CHECK(has(page,
            "<p class=\"verdict\">The narrowest within 1 point of f32 (97.00 ± 1.00% with 32) is int4: 96.50 ± 1.00% with 4 bits "
            "a weight."));
  CHECK(has(page, "<title>int4: 96.50 ± 1.00%</title>"));
  CHECK(has(page, "<title>binary: 80.00%</title>"));
  for (const char* part :
       {"Accuracy against bits", "test accuracy over bits a weight", "test accuracy, the best over bits", "over packed file",
        "over bit-operations", "<h2>Results</h2>", "<h2>What it costs</h2>", "<h2>How they learned</h2>", "All 9 runs"})
    CHECK_MESSAGE(has(page, part), std::string(part));
  for (const char* part : {"<script", "https://", "nan", "inf"}) CHECK_FALSE_MESSAGE(has(page, part), std::string(part));
}

TEST_CASE("one run, and runs that are worse the wider they are") {
  const Folder folder;
  make_run(folder.path / "a", "f32", 1, 0.9, 32);
  CHECK(has(sweep_page(folder.path), "Nothing narrower comes within 1 point of f32 (90.00%)"));
  make_run(folder.path / "b", "int2", 1, 1.0, 2);
  const std::string page = sweep_page(folder.path);
  CHECK(has(page, "is int2: 100.00% with 2 bits a weight"));
  CHECK(count(page, "class=\"path\"") == 0);  // a front of one point has no steps
}

TEST_CASE("runs of one name and seed are told apart by their folders; unfinished ones are counted") {
  const Folder folder;
  make_run(folder.path / "x1", "same", 1, 0.9, 8);
  make_run(folder.path / "x2", "same", 1, 0.8, 8);
  make_run(folder.path / "x3", "same", 2, 0.8, 8);
  fs::remove(folder.path / "x3/summary.json");
  const std::string page = sweep_page(folder.path);
  CHECK(has(page, "x1"));
  CHECK(has(page, "x2"));
  CHECK(has(page, "of 3"));
  CHECK(has(page, "(started)"));
}

TEST_CASE("names from outside stay text") {
  const Folder folder;
  make_run(folder.path / "a", "<script>alert(1)</script>", 1, 0.9, 8);
  const std::string page = sweep_page(folder.path);
  CHECK_FALSE(has(page, "<script"));
  CHECK(has(page, "&lt;script&gt;"));
}

TEST_CASE("folders without finished runs, and runs that were not selected by validation, make no page") {
  const Folder folder;
  CHECK_FALSE(holds_runs(folder.path));
  CHECK_FALSE(holds_runs(folder / "nothing"));
  make_run(folder.path / "a", "f32", 1, 0.9, 32);
  fs::remove(folder.path / "a/summary.json");
  CHECK(has(error_of(folder.path), "no run is finished"));
  make_run(folder.path / "a", "f32", 1, 0.9, 32);
  write_file(folder.path / "a/metrics.jsonl", R"({"phase": 0, "epoch": 1, "validation": {"accuracy": 0.7}})"
                                              "\n");
  CHECK(has(error_of(folder.path), "was not selected by validation"));
  write_file(folder.path / "a/summary.json", "{");
  CHECK(has(error_of(folder.path), "summary.json"));
}

TEST_CASE("a sweep ends with its report, which links to those of its runs") {
  const Folder folder;
  write_file(folder / "s.json",
             R"({"name": "two", "base": {"model": "tiny_mlp", "dataset": {"name": "moons", "limit": 100}, "train": {"epochs": 1}},
                                    "vary": {"format": {"f32": {}, "int4": {"precision.weights": "int4"}}, 
                                             "train.batch": [20, 50]},
                                    "seeds": [1, 2], "columns": ["train.batch"]})");
  const Outcome o = run({"sweep", folder / "s.json", "--out", folder / "out", "-q"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const std::string page = read_file(folder / "out/report.html");
  CHECK(has(page, "lptrain · sweep"));
  CHECK(count(page, "report.html\">") == 8);
  for (const char* part : {"<h2>Test accuracy, %</h2>", "<h2>Difference to f32, points</h2>", "<th class=\"right\">MACs</th>",
                           "energy (estimate)", "latency, batch 1", "int4 50: validation accuracy", "<dt>processor</dt>",
                           "<dt>threads</dt>", "<dt>started</dt>", "<dt>name</dt><dd>moons</dd>", "<dt>sha256</dt>"})
    CHECK_MESSAGE(has(page, part), std::string(part));
  CHECK(has(page, escaped(fmt::format("# as it was begun\nlptrain sweep {0}/s.json --out {0}/out -q", folder.path.string()))));
  const size_t link = page.find("<a href=\"") + 9;
  CHECK(fs::exists(folder / "out/" + page.substr(link, page.find('"', link) - link)));
  REQUIRE(run({"report", folder / "out", "--out", folder / "again.html"}).code == 0);
  CHECK(read_file(folder / "again.html") == page);
}
