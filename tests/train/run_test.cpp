// Runs from the library's side: a stop that comes at the very end counts too, and a model can be had without its data.
#include "lptrain/train/run.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"
#include "support/folder.h"

using namespace lp;
using lp::test::Folder;

namespace {

RunConfig small() {
  return read_config(Document::parse(R"({"name": "small", "model": {"layers": ["flatten", {"linear": {}}]},
    "dataset": {"name": "shapes", "limit": 100}, "train": {"epochs": 2, "batch": 32, "optimizer": {"sgd": {"lr": 0.1}}}})",
                                     "test"));
}

RunOptions into(const std::string& folder, std::vector<Watch*> watches = {}) { return {folder, "", {}, std::move(watches), {}}; }

// Ctrl-C when an epoch's scores are told.
struct StopAfter : Watch {
  int64_t epoch;
  std::atomic<int> stop = 0;
  explicit StopAfter(int64_t e) : epoch(e) {}
  void epoch_done(const EpochScores& e, bool) override {
    if (e.epoch == epoch) stop = 2;
  }
};

}  // namespace

TEST_CASE("a stop after any epoch, the last one included, is an interrupted run that goes on to the same end") {
  const Folder folder;
  const std::atomic<int> never = 0;
  const Summary whole = start_run(small(), into(folder / "whole"), never);
  REQUIRE(whole.status == "finished");
  for (const int64_t epoch : {1, 2}) {
    CAPTURE(epoch);
    const std::string run = folder / std::to_string(epoch);
    StopAfter watch(epoch);
    const Summary stopped = start_run(small(), into(run, {&watch}), watch.stop);
    CHECK(stopped.status == "interrupted");
    CHECK(stopped.epochs == epoch);
    const Summary resumed = resume_run(run, {}, never);
    CHECK(resumed.status == "finished");
    CHECK(resumed.test.loss == whole.test.loss);
    CHECK(resumed.epochs == 2);
  }
}

TEST_CASE("a stop while the finished model is tested is no finished run either") {
  const Folder folder;
  const std::atomic<int> never = 0, already = 15;
  REQUIRE(start_run(small(), into(folder / "run"), never).status == "finished");
  CHECK(resume_run(folder / "run", {}, already).status == "interrupted");
  CHECK(resume_run(folder / "run", {}, never).status == "finished");
}

TEST_CASE("a trained model for data that are at hand is the one that looks for its data") {
  const Folder folder;
  const std::atomic<int> never = 0;
  (void)start_run(small(), into(folder / "run"), never);
  const Trained trained = load_trained(folder / "run", false, "");
  const auto model = load_model(folder / "run", false, trained.data);
  const auto wanted = trained.model->params(), found = model->params();
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    CHECK(std::ranges::equal(found[i]->value.data<float>(), wanted[i]->value.data<float>()));
}
