// Tables of runs made for the purpose, whose means, deviations and differences are known; and runs that lie.
#include "lptrain/app/table.h"

#include <doctest/doctest.h>

#include <cmath>

#include "app/program.h"
#include "lptrain/base/files.h"

using namespace lp;
using namespace lp::test;

namespace {

RunRecord run_of(const std::string& format, const std::string& model, int64_t seed, double accuracy) {
  RunRecord run;
  run.labels = {{"format", format}, {"model", model}};
  run.seed = seed;
  run.folder = format + model + std::to_string(seed);
  run.status = "finished";
  run.summary = Document::parse(fmt::format(R"({{"test": {{"accuracy": {}, "examples": 10}}, "seconds": 2,
      "best": {{"validation": {{"examples": 5}}, "test": {{"accuracy": {}, "examples": 10}}}},
      "cost": {{"macs": 1200, "energy_joules": 1.5e-6, "latency": {{"batch_1": 0.0123}}}}}})",
                                            accuracy - 0.01, accuracy),
                                "summary");
  return run;
}

std::vector<RunRecord> sample() {
  std::vector<RunRecord> runs;
  const double shift[] = {0, 0.001, -0.001};
  for (const std::string model : {"mlp", "cnn"})
    for (const std::string format : {"f32", "int8", "b_1"})
      for (int64_t seed : {1, 2, 3}) {
        const double loss = format == "f32" ? 0 : format == "int8" ? 0.001 * static_cast<double>(seed) : 0.1;
        runs.push_back(run_of(format, model, seed, 0.98 + shift[seed - 1] - loss));
      }
  return runs;
}

const TableCell& cell(const Table& table, size_t row, const std::string& key) {
  for (size_t i = 0; i < table.heads.size(); ++i)
    if (table.heads[i].column->key == key) return table.rows[row].cells[i];
  FAIL("no column " << key);
  return table.rows[0].cells[0];
}

// A run folder with three epochs, of which validation selects the second.
void write_run(const fs::path& folder, int64_t best, double validation, double last_test = 0.8, double best_test = 0.9) {
  fs::create_directories(folder);
  write_file(folder / "config.json", R"({"name": "r", "train": {"seed": 1}})");
  std::string lines;
  const double accuracy[] = {0.5, 0.7, 0.7}, loss[] = {1, 0.8, 0.9};
  for (int e = 0; e < 3; ++e)
    lines += fmt::format(R"({{"phase": 0, "epoch": {}, "validation": {{"loss": {}, "accuracy": {}, "examples": 100}}}})", e + 1,
                         loss[e], accuracy[e]) +
             "\n";
  write_file(folder / "metrics.jsonl", lines);
  write_file(folder / "summary.json",
             fmt::format(R"({{"name": "r", "status": "finished", "test": {{"loss": 1, "accuracy": {}, "examples": 10}},
    "best": {{"epoch": {}, "validation": {{"loss": {}, "accuracy": {}, "examples": 100}},
    "test": {{"loss": 1, "accuracy": {}, "examples": 10}}}}}})",
                         last_test, best,
                         best == 2   ? 0.8
                         : best == 3 ? 0.9
                                     : 1.0,
                         validation, best_test));
}

}  // namespace

TEST_CASE("means, sample deviations, and differences paired by seed") {
  const std::vector<RunRecord> runs = sample();
  const Table table = table_of(runs, {.rows = {"model", "format"}});
  REQUIRE(table.rows.size() == 6);
  CHECK(table.rows[1].labels == std::vector<std::string>{"mlp", "int8"});
  const Estimate f32 = cell(table, 0, "accuracy").estimate, d = cell(table, 1, "difference").estimate;
  CHECK(f32.mean == doctest::Approx(98));
  CHECK(f32.deviation == doctest::Approx(0.1));
  CHECK(d.mean == doctest::Approx(-0.2));  // -0.1, -0.2, -0.3
  CHECK(d.deviation == doctest::Approx(0.1));
  CHECK(d.low == doctest::Approx(-0.2 - 4.30265273 * 0.1 / std::sqrt(3.0)));
  CHECK(cell(table, 0, "difference").estimate.count == 0);
  CHECK(cell(table, 2, "difference").estimate.deviation < 1e-9);
  CHECK(cell(table, 0, "last").estimate.mean == doctest::Approx(97));
  CHECK(cell(table, 0, "macs").estimate.mean == 1200);
  CHECK(estimate_text(cell(table, 0, "latency_1").estimate, find_column("latency_1")) == "12 ms ± 0 s");
  CHECK(estimate_text(cell(table, 0, "energy").estimate, find_column("energy")) == "1.5 µJ");
  CHECK(estimate_text(f32, find_column("accuracy")) == "98.00 ± 0.10");
  CHECK(estimate_text(d, find_column("difference")) == "-0.20 [-0.45, +0.05]");
  for (const TableHead& head : table.heads) CHECK(head.column->key != "sparsity");  // no run has it
}

TEST_CASE("the note says how many seeds a difference of 0.1 points would need") {
  const std::vector<RunRecord> runs = sample();
  const Table table = table_of(runs, {.rows = {"model", "format"}});
  std::string all;
  for (const std::string& note : table.notes) all += note + "\n";
  // Pooled over int8 (deviation 0.1) and b_1 (0): sqrt(0.1^2 / 2).
  CHECK(all.find(fmt::format("need {} seeds", seeds_needed(0.1 / std::sqrt(2.0), 0.1))) != all.npos);
  CHECK(all.find("3 seeds (1 2 3)") != all.npos);
}

TEST_CASE("runs of different versions in one table are told") {
  std::vector<RunRecord> runs = sample();
  for (RunRecord& run : runs) run.version = "0.1.0 (a)";
  CHECK(table_of(runs, {}).notes.back().find("versions") == std::string::npos);
  runs[3].version = "0.1.0 (b)";
  CHECK(table_of(runs, {}).notes.back() == "made by different versions: 0.1.0 (a): 17 runs, 0.1.0 (b): 1 run");
}

TEST_CASE("columns may be axes; axes that nobody names become rows") {
  const std::vector<RunRecord> runs = sample();
  const Table table = table_of(runs, {.columns = {"model"}});
  CHECK(table.row_axes == std::vector<std::string>{"format"});
  CHECK(table.heads.size() == 2);
  CHECK(table.rows.size() == 3);
  CHECK(table.rows[2].cells[1].estimate.mean == doctest::Approx(88));
  CHECK(table_of(runs, {.rows = {"format"}}).row_axes == std::vector<std::string>{"model", "format"});
  CHECK(table_of(runs, {.columns = {"model", "format"}}).rows.size() == 1);
  CHECK_THROWS_AS(table_of(runs, {.metrics = {"acuracy"}}), Error);
  CHECK_THROWS_AS(table_of({}, {}), Error);
  std::vector<RunRecord> twice = runs;
  twice.push_back(runs[0]);
  CHECK_THROWS_WITH(table_of(twice, {}), doctest::Contains("with seed 1"));
}

TEST_CASE("missing and diverged runs are told, and leave dashes") {
  std::vector<RunRecord> runs = sample();
  for (RunRecord& run : runs)
    if (run.labels[0].second == "int8" && run.labels[1].second == "cnn") run.status = run.seed == 1 ? "waiting" : "diverged";
  const Table table = table_of(runs, {.columns = {"model"}});
  CHECK(table.rows[1].cells[1].estimate.count == 0);
  CHECK(table.notes.back() == "not finished: int8 cnn seed 1: waiting; int8 cnn seed 2: diverged; int8 cnn seed 3: diverged");
  CHECK(table_as(table, "md").find("| int8 | 97.80 ± 0.17 | - |") != std::string::npos);
}

TEST_CASE("every format holds every number, and escapes what it must") {
  const std::vector<RunRecord> runs = sample();
  const Table table = table_of(runs, {.columns = {"model"}});
  CHECK(table_as(table, "md").find("| format | mlp | cnn |\n|:---|---:|---:|\n| f32 | 98.00 ± 0.10 |") == 0);
  CHECK(table_as(table, "md").find("b\\_1") != std::string::npos);
  CHECK(table_as(table, "csv").find("format,mlp accuracy,mlp accuracy deviation,mlp accuracy seeds") == 0);
  CHECK(table_as(table, "tex").find("b\\_1 & $88.00 \\pm 0.10$ & $88.00 \\pm 0.10$ \\\\") != std::string::npos);
  CHECK(table_as(table, "html").find("<tr><td>b_1</td><td style=\"text-align:right\">88.00 ± 0.10</td>") != std::string::npos);
  const Document json = Document::parse(table_as(table, "json"), "json");
  CHECK(json.text_at("rows.2.labels.0") == "b_1");
  CHECK(std::stod(json.text_at("rows.2.cells.0.mean")) == doctest::Approx(88));
  for (const TableColumn& column : table_columns()) {
    const Document one = table_document(table_of(runs, {.metrics = {std::string(column.key)}}));
    CHECK((one.text_at("rows.0.cells.0.unit") == "ratio") == (column.unit == Unit::ratio));
  }
  CHECK_THROWS_WITH(table_as(table, "markdwn"), doctest::Contains("unknown format"));
  std::vector<RunRecord> odd = {run_of("a|<b>,\"&\n", "$x$\\{", 1, 0.5)};
  const Table hostile = table_of(odd, {});
  CHECK(table_as(hostile, "md").find("| a\\|&lt;b>,\"&  |") != std::string::npos);
  CHECK(table_as(hostile, "html").find("a|&lt;b&gt;,&quot;&amp; ") != std::string::npos);
  CHECK(table_as(hostile, "csv").find("\"a|<b>,\"\"& \",$x$\\{,50,,1") != std::string::npos);
  CHECK(table_as(hostile, "tex").find("\\$x\\$\\textbackslash{}\\{") != std::string::npos);
}

TEST_CASE("a number that the test split selected does not come into a table") {
  const Folder folder;
  const auto read = [&] { return read_records({folder / "r"}); };
  write_run(folder.path / "r", 2, 0.7);
  CHECK(read().size() == 1);
  CHECK(table_of(read(), {}).rows[0].cells[0].estimate.mean == doctest::Approx(90));
  write_run(folder.path / "r", 3, 0.7);  // same accuracy, worse loss: the test split liked it better
  CHECK_THROWS_WITH(read(), doctest::Contains("validation selects epoch 2"));
  write_run(folder.path / "r", 1, 0.5);
  CHECK_THROWS_WITH(read(), doctest::Contains("does not come into a table"));
  write_run(folder.path / "r", 2, 0.71);  // the epoch is right, the score is another's
  CHECK_THROWS_AS(read(), Error);
  const Outcome o = run({"table", folder / "r"});
  CHECK(o.code == 3);
  CHECK(o.out.empty());
}

TEST_CASE("a baseline that is asked for must be in the table") {
  const Folder folder;
  write_run(folder.path / "r", 2, 0.7);
  const Outcome o = run({"table", folder / "r", "--baseline", "nope"});
  CHECK(o.code == 2);
  CHECK(o.says("--baseline nope: nothing in this table is called so; there are r"));
  CHECK(o.out.empty());
  CHECK(run({"table", folder / "r", "--baseline", "r"}).code == 0);
  CHECK(run({"table", folder / "r"}).code == 0);
}

TEST_CASE("runs that stand alone are rows by the formats of weights and activations, where these tell them apart") {
  const Folder folder;
  const auto add = [&](const char* name, const char* rest) {
    write_run(folder.path / name, 2, 0.7);
    write_file(folder / (std::string(name) + "/config.json"),
               fmt::format(R"({{"name": "{}", "train": {{"seed": 1}}, {}}})", name[0], rest));
  };
  add("a", R"("compute": "f32")");
  add("b", R"("precision": {"weights": "int8", "activations": "uint8"})");
  add("c", R"("phases": [{"precision": {}}, {"precision": {"weights": "binary"}}])");
  add("d", R"("compute": "f64")");
  const auto table = [&](const std::vector<std::string>& names) {
    std::vector<std::string> folders;
    for (const std::string& name : names) folders.push_back(folder / name);
    return table_of(read_records(folders), {.metrics = {"accuracy", "difference"}});
  };
  const Table apart = table({"a", "b", "c", "d"});
  CHECK(apart.row_axes == std::vector<std::string>{"W/A"});
  const char* const formats[] = {"f32/f32", "int8/uint8", "binary/f32", "f64/f64"};
  for (size_t i = 0; i < 4; ++i) CHECK(apart.rows[i].labels[0] == formats[i]);
  CHECK(apart.baseline == "f32/f32");
  CHECK(cell(apart, 1, "difference").estimate.count == 1);
  add("b2", R"("precision": {"weights": "int8", "activations": "uint8"}, "numerics": true)");  // of one name: seeds, or told
  CHECK_THROWS_WITH(table({"a", "b", "b2"}), doctest::Contains("with seed 1"));
  add("e", R"("precision": {"weights": "int8", "activations": "uint8"})");
  CHECK(table({"a", "b", "e"}).row_axes == std::vector<std::string>{"run", "W/A"});
  CHECK(table({"b", "e"}).row_axes == std::vector<std::string>{"run"});
}

TEST_CASE("rows may be named by any value of a config, also one that a choice has by default") {
  const Folder folder;
  const Line train{"train", "configs/smoke_f32.json", "--limit", "100", "--no-latency", "-q", "-s", "train.epochs=1"};
  REQUIRE(run(train + Line{"--out", folder / "a", "-s", "train.optimizer=adam"}).code == 0);
  REQUIRE(run(train + Line{"--out", folder / "b", "-s", R"(train.optimizer={"adam": {"lr": 0.5}})"}).code == 0);
  const auto records = read_records({folder / "a", folder / "b"});
  CHECK(label_of(records[0], "train.optimizer.adam.lr") == "0.001");
  CHECK(label_of(records[1], "train.optimizer.adam.lr") == "0.5");
  CHECK(label_of(records[0], "train.optimizer") == "adam");
  CHECK_THROWS_WITH(label_of(records[0], "train.optimizer.sgd.lr"), doctest::Contains("no config value"));
}

TEST_CASE("an epoch at which a network was not pruned in full is not selected") {
  const Folder folder;
  write_run(folder.path / "r", 3, 0.7, 0.9);
  const std::string lines = read_file(folder.path / "r" / "metrics.jsonl");
  const size_t second = lines.find("\"epoch\": 2");
  write_file(folder.path / "r" / "metrics.jsonl", std::string(lines).insert(second, "\"complete\": false, "));
  CHECK(read_records({folder / "r"}).size() == 1);
}

TEST_CASE("if the best epoch is the last, its test score is the last one's") {
  const Folder folder;
  write_run(folder.path / "r", 2, 0.7);
  std::string two = read_file(folder / "r/metrics.jsonl");
  two = two.substr(0, two.rfind("{\"phase\""));
  write_file(folder / "r/metrics.jsonl", two);
  CHECK_THROWS_WITH(read_records({folder / "r"}), doctest::Contains("test scores differ"));
}

TEST_CASE("validation selects among the epochs of the last phase: none, if that has none") {
  const Folder folder;
  write_run(folder.path / "r", 2, 0.7);
  const std::string path = folder / "r/summary.json", summary = read_file(path);
  write_file(path, R"({"phases": [{"name": "float"}, {"name": "quantized"}], )" + summary.substr(1));
  CHECK_THROWS_WITH(read_records({folder / "r"}), doctest::Contains("validation selects epoch 0"));
  write_file(path, R"({"name": "r", "status": "finished", "phases": [{"name": "float"}, {"name": "quantized"}],
    "test": {"loss": 1, "accuracy": 0.8, "examples": 10}, "best": {"epoch": 0, "validation": {"loss": 0, "accuracy": 0,
    "examples": 0}, "test": {"loss": 0, "accuracy": 0, "examples": 0}}})");
  CHECK(read_records({folder / "r"}).size() == 1);
}

TEST_CASE("a run without epochs has one model, which is selected; its scores are those of the end, and no others") {
  const Folder folder;
  write_run(folder.path / "r", 2, 0.7);
  write_file(folder / "r/metrics.jsonl", "");
  const auto says = [&](const char* validation, const char* test) {
    write_file(folder / "r/summary.json", fmt::format(R"({{"name": "r", "status": "finished", "phases": [{{"name": "ptq"}}],
    "validation": {{"loss": 1, "accuracy": 0.7, "examples": 10}}, "test": {{"loss": 1, "accuracy": 0.8, "examples": 10}},
    "best": {{"epoch": 0, "validation": {{"loss": 1, "accuracy": {}, "examples": 10}},
             "test": {{"loss": 1, "accuracy": {}, "examples": 10}}}}}})",
                                                      validation, test));
    return table_of(read_records({folder / "r"}), {}).rows[0].cells[0].estimate.mean;
  };
  CHECK(says("0.7", "0.8") == doctest::Approx(80));
  CHECK_THROWS_WITH(says("0.8", "0.8"), doctest::Contains("does not come into a table"));
  CHECK_THROWS_WITH(says("0.7", "0.9"), doctest::Contains("test scores differ"));
}

TEST_CASE("a run without a validation split has no selected accuracy") {
  std::vector<RunRecord> runs{run_of("f32", "mlp", 1, 0.9)};
  runs[0].summary.set("best.validation.examples", "0", "test");
  CHECK_FALSE(value_in(runs[0].summary, find_column("accuracy")).has_value());
  CHECK(value_in(runs[0].summary, find_column("last")).has_value());
}

TEST_CASE("damaged folders are errors with their place") {
  const Folder folder;
  CHECK_THROWS_AS(read_records({folder / "nowhere"}), Error);
  write_run(folder.path / "r", 2, 0.7);
  for (const char* text :
       {"", "{", "{\"status\": \"finished\"}", "{\"status\": \"finished\", \"best\": {\"epoch\": \"x\", \"validation\": 3}}"}) {
    write_file(folder / "r/summary.json", text);
    CHECK(run({"table", folder / "r"}).code == 3);
  }
  write_run(folder.path / "r", 2, 0.7);
  write_file(folder / "r/metrics.jsonl", "{\"epoch\": 1}\n{\"epo\n");
  CHECK_THROWS_AS(read_records({folder / "r"}), Error);
}
