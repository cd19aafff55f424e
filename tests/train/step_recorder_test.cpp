// Recorded steps: as many as asked for, of every phase, and nothing beyond them.
#include "lptrain/train/step_recorder.h"

#include <doctest/doctest.h>

#include "lptrain/train/trainer.h"

using namespace lp;

namespace {

RunConfig two_phases() {
  return read_config(Document::parse(R"({"model": {"layers": [{"linear": {"out": 8}}, "relu", {"linear": {}}]},
    "dataset": {"name": "moons", "limit": 90}, "train": {"batch": 30, "epochs": 2, "optimizer": "sgd"},
    "phases": [{"name": "wide"}, {"name": "narrow", "precision": {"weights": "int8", "activations": "int8"}}]})",
                                     "test"));
}

long count(const std::vector<Span>& spans, std::string_view family) { return std::ranges::count(spans, family, &Span::family); }

}  // namespace

TEST_CASE("spans of the steps asked for, in each phase, with what runs in them") {
  const RunConfig config = two_phases();
  const Dataset data = load_dataset(config.dataset, data_folders(""));
  for (const int64_t skipped : {0, 2}) {
    CAPTURE(skipped);
    std::vector<std::vector<Span>> found;
    StepRecorder recorder(skipped, 2, [&](const std::vector<Span>& spans, double seconds) {
      found.push_back(spans);
      CHECK(seconds > 0);
    });
    Trainer trainer(config, data, {&recorder});
    const std::atomic<int> never = 0;
    trainer.run(never, [](Trainer::Moment) {});
    REQUIRE(found.size() == 2);  // phases
    for (const auto& spans : found) CHECK(count(spans, "optimizer") == 2);
    const std::vector<std::string> wide = product_rows(found[0]), narrow = product_rows(found[1]);
    CHECK(std::ranges::is_sorted(wide));
    for (const std::string& row : wide) CHECK(row.starts_with("matmul/"));
    CHECK(wide != narrow);
  }
}

TEST_CASE("a row stands for the products that it is made of, and only the stepping thread is asked") {
  const std::vector<Span> spans{{"matmul", "vnni", 0, 1, 1, 2},     {"conv2d", "im2col", 0, 2, 1, 1},
                                {"forward", "conv1", 0, 3, 1, 0},   {"matmul", "openblas", 0, 1, 0, 0},
                                {"matmul", "portable", 3, 1, 1, 1}, {"backward", "fc1", 3, 2, 1, 0}};
  CHECK(product_rows(spans) == std::vector<std::string>{"conv2d/im2col", "matmul/portable"});
  CHECK(product_rows({}).empty());
}

TEST_CASE("a run that is not recorded notes nothing") {
  const RunConfig config = two_phases();
  const Dataset data = load_dataset(config.dataset, data_folders(""));
  std::atomic<int> stop = 1;
  Trainer(config, data, {}).run(stop, [](Trainer::Moment) {});
  CHECK(Recording().spans().empty());
}
