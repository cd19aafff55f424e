// Lists and comparisons of runs, many of them, and damaged ones among them.
#include <doctest/doctest.h>

#include <fstream>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

// Not synced to the disk, as write_file does: hundreds of files are written here.
void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

void write_run(const fs::path& folder, const std::string& name, double accuracy, const std::string& started, double bits = 8) {
  fs::create_directories(folder);
  put(folder / "config.json",
      R"({"name": ")" + name + R"(", "train": {"seed": 1, "batch": )" + std::to_string(static_cast<int>(bits)) + "}}");
  put(folder / "meta.json", R"({"seed": 1, "version": "0.1.0", "threads": 2, "started": ")" + started + "\"}");
  const std::string score = fmt::format(R"({{"loss": 1, "accuracy": {}, "examples": 9}})", accuracy);
  put(folder / "metrics.jsonl", fmt::format("{{\"epoch\": 1, \"validation\": {}}}\n", score));
  put(folder / "summary.json", fmt::format(R"({{"name": "{0}", "status": "finished", "epochs": 1, "seconds": 1.5, "test": {2},
      "cost": {{"bits_per_weight": {1}}}, "best": {{"epoch": 1, "validation": {2}, "test": {2}}}}})",
                                           name, bits, score));
}

std::vector<std::string> names(const Outcome& o) {
  REQUIRE_MESSAGE(o.code == 0, o.err);
  const Document list = Document::parse(last_line(o.out), "out");
  std::vector<std::string> all;
  for (size_t i = 0; i < list.size("runs"); ++i) all.push_back(list.text_at(fmt::format("runs.{}.name", i)));
  return all;
}

}  // namespace

TEST_CASE("runs are listed a line each, sorted by when they began, or by any column, the better first") {
  const Folder folder;
  write_run(folder.path / "a", "x", 0.9, "2026-01-03", 8);
  write_run(folder.path / "b", "y", 0.95, "2026-01-01", 4);
  write_run(folder.path / "c", "z", 0.85, "2026-01-02", 16);
  fs::create_directories(folder.path / "no_run");
  using Names = std::vector<std::string>;
  CHECK(names(run({"runs", folder.path, "--json"})) == Names{"y", "z", "x"});
  CHECK(names(run({"runs", folder.path, "--sort", "accuracy", "--json"})) == Names{"y", "x", "z"});
  CHECK(names(run({"runs", folder.path, "--sort", "bits_per_weight", "--json"})) == Names{"y", "x", "z"});
  CHECK(names(run({"runs", folder.path, "--sort", "name", "--json"})) == Names{"x", "y", "z"});
  const Outcome text = run({"runs", folder.path});
  CHECK(text.says("95.00"));
  CHECK(std::ranges::count(text.out, '\n') == 4);
  CHECK(run({"runs", folder.path, "--sort", "acuracy"}).says("did you mean \"accuracy\"?"));
  CHECK(run({"runs", folder / "nowhere"}).code == 2);
}

TEST_CASE("damaged runs and runs that only began have lines of their own") {
  const Folder folder;
  write_run(folder.path / "a", "x", 0.9, "2026-01-01");
  write_run(folder.path / "b", "y", 0.9, "2026-01-02");
  write_file(folder / "b/summary.json", "{\"status\": ");
  write_run(folder.path / "c", "z", 0.9, "2026-01-03");
  fs::remove(folder.path / "c/summary.json");
  const Outcome o = run({"runs", folder.path, "--sort", "run"});
  CAPTURE(o.out);
  CHECK(o.code == 0);
  CHECK(o.says("damaged"));
  CHECK(o.says("started"));
  CHECK(std::ranges::count(o.out, '\n') == 4);
}

TEST_CASE("two hundred runs are a list and a table") {
  const Folder folder;
  for (int i = 0; i < 200; ++i)
    write_run(folder.path / std::to_string(i), "r" + std::to_string(i), 0.5 + 0.001 * i, std::to_string(i));
  const Outcome o = run({"runs", folder.path, "--sort", "accuracy", "--json"});
  CHECK(names(o).size() == 200);
  CHECK(names(o)[0] == "r199");
  Line table{"table", "--metric", "last", "--format", "csv"};
  for (int i = 0; i < 200; ++i) table.push_back(folder / std::to_string(i));
  const Outcome all = run(table);
  CHECK(all.code == 0);
  CHECK(std::ranges::count(all.out, '\n') == 201);
  CHECK(all.says("\nr199,69.9,,1\n"));
}

TEST_CASE("two runs are compared: configs, circumstances, results") {
  const Folder folder;
  write_run(folder.path / "a", "x", 0.9, "2026-01-01", 8);
  write_run(folder.path / "b", "x", 0.85, "2026-01-02", 4);
  write_file(folder / "b/meta.json", R"({"version": "0.2.0", "threads": 2, "seed": 1})");
  const Outcome o = run({"compare", folder / "a", folder / "b", "--json"});
  REQUIRE_MESSAGE(o.code == 0, o.err);
  const Document d = Document::parse(last_line(o.out), "out");
  CHECK(d.size("config") == 1);
  CHECK(d.text_at("config.0.path") == "train.batch");
  CHECK(d.size("circumstances") == 1);
  CHECK(d.text_at("circumstances.0.path") == "version");
  CHECK(d.text_at("metrics.0.metric") == "accuracy");
  CHECK(d.text_at("metrics.0.verdict") == "worse");
  CHECK(std::stod(d.text_at("metrics.0.after")) == doctest::Approx(85));
  const Outcome same = run({"compare", folder / "a", folder / "a"});
  CHECK(same.says("no value differs"));
  CHECK(same.says("same"));
  CHECK(run({"compare", folder / "a", folder / "nowhere"}).code == 2);
  CHECK(run({"compare", folder / "a"}).code == 2);
  write_file(folder / "b/summary.json", "{");
  CHECK(run({"compare", folder / "a", folder / "b"}).code == 3);
}
