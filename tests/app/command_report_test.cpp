// Reports from outside: what runs leave, what `report` writes again, and folders that are damaged.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"
#include "support/text.h"

using namespace lp;
using namespace lp::test;

namespace {

// A run that several tests look at.
const Folder& trained() {
  static const Folder folder;
  static const Outcome done = run(
      {"train", "configs/smoke_int8.json", "-s", "train.epochs=2", "--limit", "200", "--no-latency", "--out", folder / "run"});
  REQUIRE(done.code == 0);
  return folder;
}

}  // namespace

TEST_CASE("a run ends with a report that stands alone and tells everything") {
  const std::string page = read_file(trained() / "run/report.html");
  for (const char* part : {"<!doctype html>", "smoke_int8", "test examples are right, with int8 weights", "How it learned",
                           "What it confuses", "Layers", "Where the numbers lie", "Data", "How to repeat it", "spirals",
                           "lptrain train configs/smoke_int8.json", "fc1 weights", "fc1 activations", "Horowitz 2014"})
    CHECK_MESSAGE(has(page, part), std::string(part));
  for (const char* part : {"<script", "http://www.", "https://", "src=\"http", "nan", "inf\""})
    CHECK_MESSAGE(count(page, part) == (std::string_view(part) == "http://www." ? count(page, "xmlns=\"http://www.") : 0), part);
}

TEST_CASE("report writes the same page again, elsewhere if asked") {
  const Outcome o = run({"report", trained() / "run", "--out", trained() / "again.html", "--json"});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const Document result = Document::parse(last_line(o.out), "stdout");
  CHECK(result.text_at("report") == trained() / "again.html");
  CHECK(result.text_at("bytes") == fmt::format("{}", fs::file_size(trained() / "again.html")));
  CHECK(read_file(trained() / "again.html") == read_file(trained() / "run/report.html"));
}

TEST_CASE("a summary that tells of no phases has a report as well") {
  fs::copy(trained() / "run", trained() / "old", fs::copy_options::recursive);
  Document summary = Document::load(trained() / "old/summary.json");
  summary.erase("phases");
  write_file(trained() / "old/summary.json", summary.dump());
  const Outcome o = run({"report", trained() / "old"});
  CAPTURE(o.err);
  CHECK(o.code == 0);
  CHECK(has(read_file(trained() / "old/report.html"), "Validation selects"));
}

TEST_CASE("a run on data without test examples ends well, with a page that leaves out what they would show") {
  const Folder folder;
  fs::create_directories(folder.path / "datasets/one");
  write_file(folder / "datasets/one/one.bin", std::string(1 + 3 * 32 * 32, '\0'));  // one picture: it stays to be trained on
  write_file(folder / "datasets/one.json", R"({"title": "one", "decoder": "cifar", "shape": [32, 32, 3], "classes": ["x", "y"],
      "files": [{"name": "one.bin", "split": "train"}]})");
  const Line train{"train", "smoke_f32", "-s", "train.epochs=1", "-s", "dataset=one", "--data", folder / "datasets"};
  const Outcome o = run(Call{train + Line{"--no-latency", "--out", folder / "run"}, folder.path});
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  const std::string page = read_file(folder / "run/report.html");
  CHECK(has(page, "How to repeat it"));
  CHECK(has(page, "there are no test examples"));
  CHECK_FALSE(has(page, "Test accuracy"));
  CHECK_FALSE(has(page, "What it confuses"));
}

TEST_CASE("pictures are shown as pictures") {
  const Folder folder;
  const Outcome o = run({"train", "configs/shapes_int8.json", "-s", "train.epochs=1", "--limit", "100", "--no-latency", "--out",
                         folder / "run", "-q"});
  REQUIRE(o.code == 0);
  const std::string page = read_file(folder / "run/report.html");
  CHECK(count(page, "src=\"data:image/png;base64,iVBOR") > 3);
  CHECK(has(page, "taken for <b>"));
}

TEST_CASE("a run that diverged has a report, too") {
  const Folder folder;
  const Outcome o =
      run({"configs/smoke_f32.json", "--set", "train.optimizer={\"sgd\": {\"lr\": 1e30}}", "--out", folder / "run"});
  CHECK(o.code == 4);
  CHECK(has(read_file(folder / "run/report.html"), "Training diverged after 0 epochs, in f32."));
  CHECK(run({"report", folder / "run"}).code == 0);
}

TEST_CASE("counters that a run left are shown, with remarks and pictures") {
  const Folder folder;
  REQUIRE(run({"configs/smoke_int8.json", "-s", "numerics=true", "-s", "precision.master=bf16", "-s", "train.epochs=3", "--limit",
               "200", "--no-latency", "-q", "--out", folder / "run"})
              .code == 0);
  const std::string page = read_file(folder / "run/report.html");
  for (const char* part : {"<h2>Numerics</h2>", "<li>", "of them are lost, being smaller than the steps of the bf16 master copy",
                           "updates lost to rounding", "<td>activations</td><td>int8</td>"})
    CHECK_MESSAGE(has(page, part), std::string(part));
  CHECK_FALSE(has(read_file(trained() / "run/report.html"), "<h2>Numerics</h2>"));
}

TEST_CASE("names from outside stay text") {
  const Folder folder;
  REQUIRE(run({"configs/smoke_f32.json", "-s", "name=<script>1</script>", "-s", "train.epochs=1", "--limit", "60", "--out",
               folder / "run", "--no-latency", "-q"})
              .code == 0);
  CHECK_FALSE(has(read_file(folder / "run/report.html"), "<script"));
  CHECK_FALSE(has(read_file(folder / "run/curve.svg"), "<script"));
}

TEST_CASE("folders that are not runs, or are damaged, are told and nothing is written") {
  CHECK(run({"report"}).code == 2);
  const Folder folder;
  CHECK(run({"report", folder / "nothing"}).code == 3);
  const auto damaged = [&](const std::string& file, const std::string& content, const std::string& says) {
    CAPTURE(file);
    const std::string run_folder = folder / fmt::format("{}-{}", file, content.size());
    fs::copy(trained() / "run", run_folder);
    fs::remove(run_folder + "/report.html");
    write_file(run_folder + "/" + file, content);
    const Outcome o = run({"report", run_folder});
    CAPTURE(o.err);
    CHECK(o.code == 3);
    CHECK(o.says(says));
    CHECK_FALSE(fs::exists(run_folder + "/report.html"));
  };
  damaged("summary.json", "{", "summary.json");
  damaged("summary.json", "[]", "summary.json");
  damaged("summary.json", "{\"name\": 3}", "summary.json");
  damaged("meta.json", "\xFF", "meta.json");
  damaged("metrics.jsonl", "{\"epoch\": 1}\n{\"epo", "metrics.jsonl:2");
  damaged("metrics.jsonl", "{\"epoch\": \"one\"}\n", "metrics.jsonl:1");
  damaged("best.safetensors", "", "best.safetensors");
  damaged("config.json", "", "config.json");
  fs::copy(trained() / "run", folder / "gone");
  fs::remove(folder / "gone/meta.json");
  CHECK(run({"report", folder / "gone"}).says("there is no meta.json"));
}
