// Sweeps from outside: run, extended, interrupted, killed, failing; and the table that is the same in the end.
#include <doctest/doctest.h>

#include "app/program.h"
#include "lptrain/app/sweep_time.h"
#include "lptrain/base/document.h"

using namespace lp;
using namespace lp::test;

namespace {

std::string sweep_text(const std::string& formats, int epochs = 2) {
  return R"({"name": "s", "base": "smoke_f32", "set": {"dataset.limit": 100, "train.epochs": )" + std::to_string(epochs) +
         R"(}, "vary": {"format": {)" + formats + R"(}}, "seeds": [1, 2]})";
}
const std::string kTwo = R"("f32": {}, "int4": {"precision.weights": "int4"})";
const std::string kThree = kTwo + R"(, "int2": {"precision.weights": "int2"})";

// A folder with a sweep in it, where the program stands.
struct Stand : Folder {
  explicit Stand(const std::string& text) { write_file(*this / "s.json", text); }
  Outcome call(const Line& words) const { return run(Call{words, path}); }
  std::string table() const {
    const Outcome o = call({"table", "runs/s", "--metric", "accuracy,last,difference,bits_per_weight", "--format", "csv"});
    REQUIRE_MESSAGE(o.code == 0, o.err);
    return o.out;
  }
  size_t runs() const {
    std::error_code error;
    return static_cast<size_t>(std::distance(fs::directory_iterator(path / "runs/s/runs", error), fs::directory_iterator()));
  }
};

}  // namespace

TEST_CASE("a sweep runs every job, keeps its command, and what is added later is all that runs") {
  const Stand stand(sweep_text(kTwo));
  const Outcome first = stand.call({"sweep", "s.json", "--json"});
  CAPTURE(first.err);
  REQUIRE(first.code == 0);
  const Document outcome = Document::parse(last_line(first.out), "out");
  CHECK(outcome.text_at("status") == "finished");
  CHECK(outcome.text_at("done") == "4");
  CHECK(outcome.text_at("kept") == "0");
  CHECK(first.says("int4 seed 2: finished"));
  const std::vector<JobLine> jobs = read_jobs(stand.path / "runs/s");
  REQUIRE(jobs.size() == 4);
  for (const JobLine& job : jobs) {
    CHECK(job.status == "finished");
    const fs::path run = stand.path / "runs/s" / job.run;
    CHECK(Document::load(run / "summary.json").has("cost.latency.batch_1"));
    CHECK(read_file(run / "report.html").find("Latency") != std::string::npos);
  }
  const Outcome repeated = stand.call(jobs[3].command + Line{"--out", "again"});  // the last --out counts
  CHECK(repeated.code == 0);
  CHECK(read_file(stand / "again/last.safetensors") == read_file(stand.path / "runs/s" / jobs[3].run / "last.safetensors"));

  CHECK(stand.call({"sweep", "s.json"}).code == 2);
  write_file(stand / "s.json", sweep_text(kThree));
  const std::string before = read_file(stand.path / "runs/s" / jobs[0].run / "meta.json");
  const Outcome extended = stand.call({"sweep", "s.json", "--resume", "--json"});
  CHECK(extended.code == 0);
  CHECK(Document::parse(last_line(extended.out), "out").text_at("kept") == "4");
  CHECK(stand.runs() == 6);
  CHECK(read_file(stand.path / "runs/s" / jobs[0].run / "meta.json") == before);
  const Outcome nothing = stand.call({"sweep", "runs/s", "--resume", "--json"});
  CHECK(Document::parse(last_line(nothing.out), "out").text_at("kept") == "6");
}

TEST_CASE("the time of a sweep is that of all its calls, beside what it states") {
  SweepMeta meta;
  CHECK(time_text(meta, 120) == "");
  meta.seconds = 1880.4, meta.cores = 2;
  CHECK(time_text(meta, 120) == "0:31:20 of a stated 120 minutes on 2 cores");
  CHECK(time_text(meta, 0) == "0:31:20 on 2 cores");
  meta.cores = 1;
  CHECK(time_text(meta, 0.5) == "0:31:20 of a stated 0.5 minutes on 2 cores, here on 1");
  const Stand stand(sweep_text(kTwo));
  const fs::path folder = stand.path / "runs/s";
  CHECK(stand.call({"sweep", "s.json"}).says("4 of 4 jobs done, in runs/s; took 0:0"));
  meta = read_meta(folder);
  CHECK(meta.seconds.value() > 0);
  meta.seconds = 7200;
  write_meta(meta, folder);
  CHECK(stand.call({"sweep", "s.json", "--resume"}).says("took 2:00:"));
  CHECK(read_meta(folder).seconds.value() > 7200);
  meta.seconds.reset();  // begun by a version that did not count
  write_meta(meta, folder);
  CHECK_FALSE(stand.call({"sweep", "s.json", "--resume"}).says("took"));
}

TEST_CASE("runs that another version made are kept, and told") {
  const Stand stand(sweep_text(kTwo));
  REQUIRE(stand.call({"sweep", "s.json", "-q"}).code == 0);
  CHECK_FALSE(stand.call({"sweep", "s.json", "--resume"}).says("warning"));
  const std::string meta = stand / ("runs/s/" + read_jobs(stand.path / "runs/s")[1].run + "/meta.json");
  Document other = Document::load(meta);
  other.set("commit", "\"0ther\"", "test");
  write_file(meta, other.dump());
  const Outcome o = stand.call({"sweep", "s.json", "--resume"});
  CHECK(o.code == 0);
  CHECK(o.says("warning: 1 of these runs were begun by another version (0.1.0 (0ther); this is 0.1.0 ("));
  CHECK(read_file(stand / "runs/s/report.html").find("0.1.0 (0ther): 1 run") != std::string::npos);
}

TEST_CASE("a dry run shows the jobs and writes nothing") {
  const Stand stand(sweep_text(kTwo));
  const Outcome o = stand.call({"sweep", "s.json", "-n"});
  CHECK(o.code == 0);
  CHECK(o.out.find("int4") != o.out.npos);
  CHECK(o.says("nothing was written"));
  CHECK_FALSE(fs::exists(stand.path / "runs"));
}

TEST_CASE("--only runs some cells; the rest of an earlier sweep keeps its place in the table") {
  const Stand stand(sweep_text(kThree));
  CHECK(stand.call({"sweep", "s.json", "--only", "int4"}).code == 0);
  CHECK(stand.runs() == 2);
  CHECK(stand.call({"sweep", "s.json", "--resume", "--only", "f32"}).code == 0);
  CHECK(read_jobs(stand.path / "runs/s").size() == 4);
  CHECK(stand.table().find("int4") != std::string::npos);
  CHECK(stand.call({"sweep", "s.json", "--resume", "--only", "f33"}).code == 2);
}

TEST_CASE("one job that fails does not stop the others; it is listed, and exit is 1") {
  const Stand stand(sweep_text(kTwo + R"(, "wild": {"train.optimizer": {"sgd": {"lr": 1e30}}})"));
  const Outcome o = stand.call({"sweep", "s.json", "--json"});
  CAPTURE(o.err);
  CHECK(o.code == 1);
  const Document outcome = Document::parse(last_line(o.out), "out");
  CHECK(outcome.text_at("status") == "failed");
  CHECK(outcome.size("failed") == 2);
  CHECK(outcome.text_at("failed.0").find("wild seed 1") == 0);
  for (const JobLine& job : read_jobs(stand.path / "runs/s"))
    CHECK((job.status == "finished") == (job.points[0].second != "wild"));
  const Outcome table = stand.call({"table", "runs/s"});
  CHECK(table.says("diverged"));
  CHECK(table.says("wild seed 2: diverged"));
  const Document diverged = Document::load(stand.path / "runs/s/sweep.json");
  CHECK(diverged.text_at("name") == "s");
}

TEST_CASE("a job that cannot even begin is a failure of its own") {
  const Stand stand(sweep_text(kTwo));
  fs::create_directories(stand.path / "runs/s");
  CHECK(stand.call({"sweep", "s.json", "--only", "int4", "--resume"}).code == 0);
  const std::vector<JobLine> jobs = read_jobs(stand.path / "runs/s");
  fs::remove(stand.path / "runs/s" / jobs[0].run / "summary.json");
  write_file(stand.path / "runs/s" / jobs[0].run / "last.state", "damaged");
  const Outcome o = stand.call({"sweep", "s.json", "--resume"});
  CAPTURE(o.err);
  CHECK(o.code == 1);
  CHECK(o.says("int4 seed 1: exit code 3"));
  CHECK(read_jobs(stand.path / "runs/s").size() == 4);
}

TEST_CASE("Ctrl-C saves and exits 130; the sweep goes on to the table of one that was never stopped") {
  const Stand whole(sweep_text(kTwo, 6)), stopped(sweep_text(kTwo, 6));
  REQUIRE(whole.call({"sweep", "s.json", "-j", "1", "--threads", "1"}).code == 0);
  Process process(Call{{"sweep", "s.json", "-j", "2", "--threads", "1"}, stopped.path});
  REQUIRE(process.wait_until([&] { return stopped.runs() >= 2; }));
  process.signal(SIGINT);
  const Outcome o = process.wait();
  CAPTURE(o.err);
  CHECK(o.code == 130);
  CHECK(o.says("lptrain sweep runs/s --resume"));
  const Outcome resumed = stopped.call({"sweep", "runs/s", "--resume"});
  CAPTURE(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(stopped.table() == whole.table());
}

TEST_CASE("a sweep that is killed again and again ends with the same table") {
  const Stand whole(sweep_text(kTwo, 8)), killed(sweep_text(kTwo, 8));
  REQUIRE(whole.call({"sweep", "s.json", "-j", "2", "--threads", "1"}).code == 0);
  int kills = 0;
  for (const int milliseconds : {150, 230, 190}) {
    Process process(Call{{"sweep", "s.json", "--resume", "-j", "2", "--threads", "1"}, killed.path});
    for (int waited = 0; waited < milliseconds && process.is_running(); waited += 10)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    kills += process.is_running();
    process.signal(SIGKILL);
    process.wait();
  }
  CHECK(kills >= 1);
  const Outcome resumed = killed.call({"sweep", "s.json", "--resume"});
  CAPTURE(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(killed.table() == whole.table());
}

TEST_CASE("a folder of something else, or of another sweep, is left alone") {
  const Stand stand(sweep_text(kTwo, 1));
  fs::create_directories(stand.path / "full");
  write_file(stand / "full/mine.txt", "x");
  CHECK(stand.call({"sweep", "s.json", "--out", "full"}).code == 2);
  CHECK(stand.call({"sweep", "s.json", "--out", "full", "--resume"}).says("is not the folder of a sweep"));
  REQUIRE(stand.call({"sweep", "s.json", "--only", "f32"}).code == 0);
  write_file(stand / "t.json", R"({"name": "t", "base": "smoke_f32"})");
  CHECK(stand.call({"sweep", "t.json", "--out", "runs/s", "--resume"}).says("holds the sweep \"s\""));
  CHECK(stand.call({"sweep", "s.json", "--quick"}).says("has no \"quick\" size"));
  const std::string jobs = read_file(stand / "runs/s/jobs.jsonl");
  write_file(stand / "runs/s/jobs.jsonl", jobs + jobs.substr(0, 30));  // cut off while it was written: no line
  CHECK(stand.call({"table", "runs/s"}).code == 0);
  write_file(stand / "runs/s/jobs.jsonl", "{\"job\": 3}\n" + jobs);
  CHECK(stand.call({"table", "runs/s"}).code == 3);
  CHECK(stand.call({"s.json"}).says("lptrain sweep"));
  CHECK(stand.call({"train", "s.json"}).code == 2);
}
