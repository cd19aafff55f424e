// Ours beside theirs: bands, verdicts, exit codes, what is kept; and the tables that are shipped.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/reproduction.h"
#include "lptrain/app/sweep_plan.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string table_text(const std::string& published) {
  return R"({"name": "t", "description": "A trial", "minutes": 3, "base": "smoke_f32",
    "set": {"dataset.limit": 100, "train.epochs": 1},
    "vary": {"format": {"f32": {}, "int2": {"precision.weights": "int2"}}, "train.batch": [16, 32]},
    "rows": ["format"], "columns": ["train.batch"], "quick": {"only": ["16"]},
    "discussion": ["Two bits <are> few.", "So they lose."], "published": [)" +
         published + "]}";
}

struct Stand : Folder {
  explicit Stand(const std::string& published) { write_file(*this / "t.json", table_text(published)); }
  Outcome call(const Line& words) const { return run(Call{words, path}); }
};

RunRecord record(const std::string& format, int64_t seed, double accuracy) {
  RunRecord run;
  run.labels = {{"format", format}};
  run.seed = seed;
  run.status = "finished";
  run.summary = Document::parse(fmt::format(R"({{"best": {{"test": {{"accuracy": {}, "examples": 1}}}}}})", accuracy), "s");
  return run;
}

}  // namespace

TEST_CASE("a value passes if ours lies in the band around it: the mean of one seed, the confidence interval of several") {
  std::vector<RunRecord> runs{record("f32", 1, 0.990), record("int8", 1, 0.983)};
  const RunGroups groups(runs, {"format"}, "f32");
  SweepSpec spec;
  const auto verdict = [&](Published p) {
    spec.published = {std::move(p)};
    const Reproduction made = reproduce(spec, groups);
    REQUIRE(made.cells.size() == 1);
    return made.cells[0].verdict;
  };
  const Dictionary<std::string> int8{{"format", "int*"}};
  CHECK(verdict({.where = int8, .value = 98.5, .band = {{-0.2, 0.2}}}) == Verdict::pass);  // ours is 98.3
  CHECK(verdict({.where = int8, .value = 98.6, .band = {{-0.2, 0.2}}}) == Verdict::missed);
  CHECK(verdict({.where = int8, .metric = "error", .value = 1.6, .band = {{-0.2, 0.2}}}) == Verdict::pass);
  CHECK(verdict({.where = int8, .metric = "difference", .band = {{-0.8, -0.6}}}) == Verdict::pass);
  CHECK(verdict({.where = int8, .metric = "difference", .band = {{-0.6, 0}}}) == Verdict::missed);
  CHECK(verdict({.where = int8, .value = 98.5}) == Verdict::not_judged);
  CHECK(verdict({.where = int8, .metric = "seconds", .value = 3, .band = {{0, 0}}}) == Verdict::not_run);
}

TEST_CASE("what an interval across the edge of a band leaves open is undecided: neither passed nor missed, and told") {
  std::vector<RunRecord> runs;
  const double losses[] = {0.0020, -0.0010, 0.0008};  // in points 0.2, -0.1, 0.08: -0.06 [-0.44, +0.32] to f32
  for (int64_t seed : {1, 2, 3}) {
    runs.push_back(record("f32", seed, 0.99));
    runs.push_back(record("int8", seed, 0.99 - losses[seed - 1]));
  }
  const RunGroups groups(runs, {"format"}, "f32");
  SweepSpec spec;
  const auto made = [&](Published p) {
    p.where = {{"format", "int8"}};
    spec.published = {std::move(p)};
    return reproduce(spec, groups);
  };
  const auto verdict = [&](std::vector<double> band) {
    return made({.metric = "difference", .band = std::move(band)}).cells[0].verdict;
  };
  CHECK(verdict({-100, 0}) == Verdict::undecided);
  CHECK(verdict({-0.1, 0}) == Verdict::undecided);  // across both edges
  CHECK(verdict({-0.5, 0.4}) == Verdict::pass);
  CHECK(verdict({-100, -0.5}) == Verdict::missed);
  const Reproduction open = made({.value = 99, .band = {{0, 1}}});
  CHECK(open.sentence() == "0 of 1 values are within their bands, 1 undecided");
  CHECK(open.text().find("| 99..100 | undecided [98.56, 99.32] |") != std::string::npos);
  CHECK(open.text().find("\nundecided: the 95 % confidence interval of ours crosses an edge") != std::string::npos);
  CHECK(write(open.cells[0]).has("ours_high"));
}

TEST_CASE("the baseline's difference to itself is nothing to judge; where nothing is named, all cells are meant") {
  const std::vector<RunRecord> runs{record("f32", 1, 0.990), record("int8", 1, 0.980)};
  const RunGroups groups(runs, {"format"}, "f32");
  SweepSpec spec;
  spec.published = {{.metric = "difference", .band = {{-2, 0}}},
                    {.value = 99, .deviation = 0.05, .band = {{-2, 2}}, .source = "A paper", .recalled = true}};
  const Reproduction made = reproduce(spec, groups);
  CHECK(made.cells.size() == 3);
  CHECK(made.count(Verdict::pass) == 3);
  const std::string text = made.text();
  CHECK(text.find("| int8 | test accuracy, % | 99.00† ± 0.05 | 98.00 | 97..101 | pass |") != text.npos);
  CHECK(text.find("3 of 3 values are within their bands. Source: A paper.") != text.npos);
  CHECK(text.find("† recalled, unverified.") != text.npos);
}

TEST_CASE("Markdown shows labels, notes and sources as they are") {
  const std::vector<RunRecord> runs{record("a|b_c", 1, 0.99)};
  SweepSpec spec;
  spec.published = {{.value = 99, .source = "A <paper> | of_1999", .note = "x|y"}};
  const std::string text = reproduce(spec, RunGroups(runs, {"format"}, "f32")).text();
  CHECK(text.find("| a\\|b\\_c | test accuracy, % | 99.00 (x\\|y) |") != text.npos);
  CHECK(text.find("Source: A &lt;paper> \\| of\\_1999.") != text.npos);
}

TEST_CASE("a table is run, judged, and kept with how it was made") {
  const Stand stand(R"({"where": {"format": "int2"}, "metric": "difference", "band": [-100, 100], "note": "anything"})");
  const Outcome o = stand.call({"reproduce", "t.json", "--keep", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const Document result = Document::parse(last_line(o.out), "out");
  CHECK(result.text_at("status") == "finished");
  CHECK(result.size("cells") == 2);
  CHECK(last_line(o.err).find("2 of 2 values are within their bands; took 0:0") == 0);
  CHECK(result.text_at("cells.0.verdict") == "pass");
  const std::string md = read_file(stand / "results/t.md"), csv = read_file(stand / "results/t.csv");
  for (const char* part : {"# t\n", "- command: lptrain reproduce t.json --keep --json\n",
                           "- version: ", "- machine: ", "- date: 20", "- time: 0:0", " of a stated 3 minutes on 2 cores",
                           "| anything |", "## Costs", "\n## Discussion\n\n- Two bits <are> few.\n- So they lose.\n\n## Costs"})
    CHECK_MESSAGE(md.find(part) != md.npos, part);
  CHECK(read_file(stand / "results/t.svg").find("<svg") != std::string::npos);
  const std::string page = read_file(stand / "runs/t/report.html");
  for (const char* part : {"<h2>Ours beside theirs</h2>", "2 of 2 values are within their bands", "anything",
                           "<h2>Discussion</h2>", "<p>Two bits &lt;are&gt; few.</p>"})
    CHECK_MESSAGE(page.find(part) != page.npos, part);
  CHECK(csv.find("# command: lptrain reproduce") == 0);
  CHECK(csv.find("\nformat,train.batch,accuracy,") != csv.npos);
}

TEST_CASE("provenance names every version that made runs, with how many") {
  const Folder folder;
  std::vector<RunRecord> runs(3);
  for (size_t i = 0; i < 3; ++i) {
    runs[i].folder = folder / std::to_string(i);
    runs[i].version = i == 1 ? "0.1.0 (b)" : "0.1.0 (a)";
    fs::create_directory(runs[i].folder);
    write_file((runs[i].folder / "meta.json").string(), fmt::format(R"({{"started": "2026-01-0{}", "cpu": "c"}})", i + 1));
  }
  const std::string text = provenance_of(runs, {"reproduce", "t"}, "0:00:03").text("- ");
  CHECK(text.find("- version: 0.1.0 (a): 2 runs, 0.1.0 (b): 1 run\n") != text.npos);
  CHECK(text.find("- date: 2026-01-03\n- time: 0:00:03\n") != text.npos);
  CHECK(provenance_of({runs[1]}, {}, "").text("").find("version: 0.1.0 (b)\n") != text.npos);
}

TEST_CASE("a value outside its band exits 4; what did not run is no miss") {
  const Stand stand(R"({"where": {"format": "int2"}, "value": 1000, "band": [-1, 1], "quick": [-1000, 0]})");
  const Outcome missed = stand.call({"reproduce", "t.json", "--json"});
  CHECK(missed.code == 4);
  CHECK(Document::parse(last_line(missed.out), "out").text_at("status") == "missed");
  CHECK(stand.call({"reproduce", "t.json", "--resume"}).says("| missed |"));
  const Outcome quick = stand.call({"reproduce", "t.json", "--quick"});
  CHECK(quick.code == 0);
  CHECK(quick.says("1 of 1 values are within their bands"));
  CHECK(stand.call({"reproduce", "t.json", "--dry-run"}).code == 0);
}

TEST_CASE("what cannot be compared is refused before anything runs") {
  const Stand none("");
  CHECK(none.call({"reproduce", "t.json"}).says("publishes nothing"));
  const Stand wrong(R"({"metric": "acuracy", "band": [0, 1]})");
  const Outcome o = wrong.call({"reproduce", "t.json"});
  CHECK(o.code == 2);
  CHECK(o.says("did you mean \"accuracy\"?"));
  CHECK_FALSE(fs::exists(wrong.path / "runs"));
  CHECK(wrong.call({"reproduce", "from_64_to_2"}).code == 2);
  CHECK(wrong.call({"reproduce", "t.json", "--quick", "--reduced"}).code == 2);
}

TEST_CASE("every shipped table keeps to the schema of sweeps, resolves, and has its sizes, bands and budgets") {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / "configs/tables")) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json") continue;
    CAPTURE(entry.path().string());
    ++seen;
    const SweepSpec spec = load_sweep(entry.path());
    CHECK(spec.name == entry.path().stem());
    CHECK(spec.minutes > 0);
    for (const char* size : {"reduced", "quick"}) {
      const SweepSpec smaller = in_size(spec, size);
      CHECK(smaller.minutes > 0);
      CHECK(smaller.minutes <= (size == std::string("quick") ? 2 : 60));
      for (const Published& p : smaller.published) CHECK(p.band.has_value());
    }
    for (const Published& p : spec.published) CHECK_NOTHROW(find_column(p.metric));
    const char* shared = std::getenv("LPTRAIN_SHARED");
    const std::string data = shared ? std::string(shared) + "/datasets" : "datasets";
    const Outcome o = run({"sweep", entry.path().string(), "--quick", "--dry-run", "--data", data});
    if (!shared && o.code == 3 && o.says("--download"))
      MESSAGE("skipped: set LPTRAIN_SHARED to a folder that holds datasets/ for ", entry.path().filename().string());
    else
      CHECK(o.code == 0);
  }
  CHECK(seen >= 1);
}

TEST_CASE("the schema of sweeps knows every key that a sweep file may have") {
  const Document schema = Document::parse(run({"schema", "--sweep", "--json"}).out, "out");
  for (const char* key : {"base", "set", "vary", "cells", "seeds", "quick", "published"})
    CHECK_MESSAGE(schema.has(std::string("properties.") + key), key);
}
