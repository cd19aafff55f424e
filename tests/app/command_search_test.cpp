// Searching from outside: the answer runs, what is there is not trained again, and impossible searches are refused.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

const Line kSmall{"search",    "configs/smoke_int8.json", "-s",    "train.epochs=4", "--limit", "300",
                  "--formats", "int8,int4,int2",          "--json"};

Document json_of(const Outcome& o) { return Document::parse(last_line(o.out), "stdout"); }
double number_at(const Document& d, const std::string& path) { return std::stod(d.text_at(path)); }

}  // namespace

TEST_CASE("the answer meets the requirement, is the cheapest of the path, and runs as it is") {
  const Folder folder;
  const Line words = kSmall + Line{"--min-accuracy", "0.6", "--minimize", "bytes", "--out", folder / "s"};
  const Outcome o = run(words);
  CAPTURE(o.err);
  REQUIRE(o.code == 0);
  CHECK(o.says("at most"));
  CHECK(o.says("trainings of about"));
  const Document r = json_of(o);
  CHECK(r.text_at("status") == "finished");
  CHECK(number_at(r, "validation") >= 0.6);
  CHECK(number_at(r, "test") > 0.4);
  REQUIRE(r.size("trials") >= 2);
  for (size_t i = 0; i < r.size("trials"); ++i) {
    const Document t = r.at(fmt::format("trials.{}", i));
    CHECK(number_at(t, "cost") == static_cast<double>(fs::file_size(t.text_at("run") + "/packed.safetensors")));
    CHECK((t.text_at("meets") == "true") == (number_at(t, "validation") >= 0.6));
    if (t.text_at("meets") == "true") CHECK(number_at(t, "cost") >= number_at(r, "cost"));
  }
  const Outcome again = run({folder / "s/best.json", "--out", folder / "again", "--json"});
  REQUIRE(again.code == 0);
  CHECK(number_at(json_of(again), "best.validation.accuracy") == number_at(r, "validation"));

  // What is there is not trained again.
  const auto before = fs::last_write_time(fs::path(r.text_at("trials.0.run")) / "last.state");
  const Outcome repeated = run(words);
  REQUIRE(repeated.code == 0);
  CHECK(last_line(repeated.out) == last_line(o.out));
  CHECK(fs::last_write_time(fs::path(r.text_at("trials.0.run")) / "last.state") == before);
}

TEST_CASE("a search that is interrupted goes on, to the same answer") {
  const Folder folder;
  const Line rest{"--min-accuracy", "0.6", "--budget", "3"};
  Process process(Call{kSmall + rest + Line{"--out", folder / "a"}});
  const auto begun = [&] { return fs::exists(folder.path / "a/runs"); };
  REQUIRE(process.wait_until(begun));
  process.signal(SIGINT);
  CHECK(process.wait().code == 130);
  const Outcome on = run(kSmall + rest + Line{"--out", folder / "a"}), whole = run(kSmall + rest + Line{"--out", folder / "b"});
  REQUIRE(on.code == 0);
  REQUIRE(whole.code == 0);
  for (const char* key : {"precision", "validation", "test", "cost"})
    CHECK(json_of(on).text_at(key) == json_of(whole).text_at(key));
}

TEST_CASE("a requirement that no format meets exits 4; a budget is kept") {
  const Folder folder;
  const Outcome o = run(kSmall + Line{"--min-accuracy", "1", "--out", folder / "s"});
  CHECK(o.code == 4);
  CHECK(json_of(o).text_at("status") == "unreachable");
  CHECK(json_of(o).size("trials") == 1);
  const Outcome one = run(kSmall + Line{"--min-accuracy", "0", "--budget", "1", "--out", folder / "one"});
  REQUIRE(one.code == 0);
  CHECK(json_of(one).size("trials") == 1);
  CHECK(json_of(one).text_at("precision") == "int8");
}

TEST_CASE("searches that cannot be are refused before anything runs") {
  const Folder folder;
  const auto refused = [&](const Line& more, const std::string& says) {
    const Outcome o = run(kSmall + more + Line{"--out", folder / "s"});
    CAPTURE(o.err);
    CHECK(o.code == 2);
    CHECK(o.says(says));
    CHECK_FALSE(fs::exists(folder.path / "s"));
  };
  refused({}, "--min-accuracy");
  refused({"--min-accuracy", "98.5"}, "0..1");
  refused({"--min-accuracy", "0.9", "--minimize", "byte"}, "bytes");
  refused({"--min-accuracy", "0.9", "--formats", "int4,int8"}, "ever narrower");
  refused({"--min-accuracy", "0.9", "--formats", "itn8"}, "itn8");
  refused({"--min-accuracy", "0.9", "--budget", "0"}, "--budget");
  refused({"--min-accuracy", "0.9", "-s", "dataset.validation=0"}, "validation");
  write_file(folder / "s", "in the way");
  CHECK(run(kSmall + Line{"--min-accuracy", "0.9", "--out", folder / "s"}).code != 0);
  fs::create_directories(folder.path / "other");
  write_file(folder / "other/search.json", "{}");
  CHECK(run(kSmall + Line{"--min-accuracy", "0.9", "--out", folder / "other"}).says("is another search"));
  write_file(folder / "other/search.json", "{");
  CHECK(run(kSmall + Line{"--min-accuracy", "0.9", "--out", folder / "other"}).code == 3);
}
