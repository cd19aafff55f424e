// Distillation: what a step learns from a teacher, and how teachers are found, refused and made.
#include "lptrain/train/teacher.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"
#include "lptrain/base/files.h"
#include "lptrain/train/run.h"
#include "lptrain/train/step.h"
#include "support/folder.h"
#include "support/random_tensor.h"

using namespace lp;
using lp::test::Folder;

namespace {

std::string wide(const std::string& data) {
  return fmt::format(
      R"({{"name": "wide", "model": {{"layers": ["flatten", {{"linear": {{"out": 8}}}}, "relu", "linear"]}}, "dataset": {},
    "train": {{"epochs": 1, "optimizer": {{"sgd": {{"lr": 0.1}}}}}}}})",
      data);
}

RunConfig student(const std::string& teacher, const std::string& data = R"({"name": "shapes", "limit": 100})",
                  double alpha = 0.9) {
  return read_config(Document::parse(fmt::format(R"({{"name": "student",
"model": {{"layers": ["flatten", "linear"]}}, "dataset": {},
"train": {{"epochs": 1, "batch": 32, "optimizer": {{"sgd": {{"lr": 0.1}}}}}},
"distill": {{"teacher": "{}", "alpha": {}}}}})",
                                                 data, teacher, alpha),
                                     "student.json"));
}

const std::atomic<int> kNever = 0;

RunOptions into(const std::string& folder) { return {folder, "", {}, {}, {}}; }

}  // namespace

TEST_CASE("the loss of a step is the labels' and the teacher's, in the stated shares; so is its update") {
  const RunConfig mixed = student("x", R"("shapes")", 0.25), labels_only = student("x", R"("shapes")", 0),
                  taught_only = student("x", R"("shapes")", 1);
  const Tensor x = random_normal({16, 12, 12, 3}, Key(1)), scores = random_normal({16, 2}, Key(2));
  const std::vector<int32_t> labels(16, 1);
  const auto step = [&](const RunConfig& config, const Tensor& teacher) {
    Model model(config.model, {12, 12, 3}, 2, config.precision, DType::f32, Key(1));
    OptimizerState state;
    Choice<LossScale> none("none");
    const StepHooks hooks = teacher ? StepHooks{.lesson = Lesson{teacher, {}}} : StepHooks{};
    const double loss = train_step(model, config.phases[0], x, labels, {0, 0, 1}, *none, state, nullptr, hooks).loss;
    return std::pair(loss, model.params()[0]->value);
  };
  const auto both = step(mixed, scores), own = step(labels_only, scores), taught = step(taught_only, scores),
             alone = step(mixed, Tensor());
  CHECK(own.first == doctest::Approx(alone.first));
  CHECK(both.first == doctest::Approx(0.75 * own.first + 0.25 * taught.first));
  CHECK(own.first != doctest::Approx(taught.first));
  for (size_t i = 0; i < 50; ++i)  // plain SGD is linear in the gradient
    CHECK(both.second.data<float>()[i] ==
          doctest::Approx(0.75 * own.second.data<float>()[i] + 0.25 * taught.second.data<float>()[i]).epsilon(1e-5));
}

TEST_CASE("hints: a layer learns to tell examples apart as the teacher's layer does, whatever their widths") {
  const auto config = [](const std::string& hints) {
    return read_config(Document::parse(fmt::format(R"({{"name": "student", "model": {{"layers": ["flatten",
{{"linear": {{"out": 5}}}}, "relu", "linear"]}}, "dataset": "shapes", "train": {{"optimizer": {{"adam": {{"lr": 0.01}}}}}},
"distill": {{"teacher": "x", "alpha": 0, "hints": {}}}}})",
                                                   hints),
                                       "student.json"));
  };
  const Tensor x = random_normal({16, 12, 12, 3}, Key(1));
  const std::vector<int32_t> labels(16, 1);
  Model teacher(read_config(Document::parse(wide("\"shapes\""), "wide")).model, {12, 12, 3}, 2, {}, DType::f32, Key(2));
  const RunConfig hinted = config(R"([{"layer": "fc1", "weight": 50}])"), one_name = config(R"(["fc1"])");
  CHECK(one_name.phases[0].distill->hints[0].weight == 100);
  const DistillSpec& spec = *hinted.phases[0].distill;
  const Lesson heard = lesson(teacher, spec, x);
  REQUIRE(heard.hints.size() == 1);
  CHECK(heard.hints[0].shape() == Shape{16, 8});
  CHECK(heard.scores.data<float>()[7] == lesson(teacher, DistillSpec(), x).scores.data<float>()[7]);

  Model model(hinted.model, {12, 12, 3}, 2, hinted.precision, DType::f32, Key(1));
  const auto apart = [&] {
    Context eye(nullptr, Mode::eval);
    return similarity(forward(model, eye, x, std::vector<std::string>{"fc1"}).layers[0], heard.hints[0]).tensor().item();
  };
  const double before = apart();
  OptimizerState state;
  Choice<LossScale> none("none");
  for (int64_t i = 0; i < 100; ++i)
    (void)train_step(model, hinted.phases[0], x, labels, {i, i, 1}, *none, state, nullptr, {.lesson = heard});
  CHECK(apart() < before / 4);
}

TEST_CASE("a hint of a layer that the student, or the teacher, does not have is told") {
  const Folder folder;
  (void)start_run(read_config(Document::parse(wide(R"({"name": "shapes", "limit": 100})"), "wide")), into(folder / "wide"),
                  kNever);
  int runs = 0;
  const auto hinted = [&](const std::string& hint) {
    return start_run(
        read_config(Document::parse(fmt::format(R"({{"name": "student", "dataset": {{"name": "shapes", "limit": 100}},
"model": {{"layers": ["flatten", "linear"]}}, "train": {{"epochs": 1}}, "distill": {{"teacher": "{}", "hints": [{}]}}}})",
                                                folder / "wide", hint),
                                    "student.json")),
        into(folder / fmt::format("student-{}", ++runs)), kNever);
  };
  CHECK_THROWS_WITH_AS(hinted(R"("conv1")"),
                       doctest::Contains("distill.hints.0.layer: the student has no layer with weights \"conv1\"; it has fc1"),
                       DocumentError);
  CHECK_THROWS_WITH_AS(hinted(R"({"layer": "fc1", "of": "fc3"})"),
                       doctest::Contains("has no layer with weights \"fc3\"; it has fc1, fc2"), Error);
  CHECK(hinted(R"({"layer": "fc1", "of": "fc2"})").status == "finished");
}

TEST_CASE("a teacher that is not there is told with its place, and what to type") {
  CHECK_THROWS_WITH_AS(check_teachers(student("runs/nobody")),
                       doctest::Contains("student.json:4:24: error: distill.teacher: there is no runs/nobody; "
                                         "train it first, say with `lptrain train CONFIG.json --out runs/nobody`"),
                       DocumentError);
  CHECK_THROWS_AS(start_run(student("nobody.json"), into("nowhere"), kNever), DocumentError);
  CHECK_FALSE(std::filesystem::exists("nowhere"));
}

TEST_CASE("a run that was trained before teaches; one that was fed other data is refused") {
  const Folder folder;
  (void)start_run(read_config(Document::parse(wide(R"({"name": "shapes", "limit": 100})"), "wide")), into(folder / "wide"),
                  kNever);
  const Summary s = start_run(student(folder / "wide"), into(folder / "taught"), kNever);
  CHECK(s.status == "finished");
  CHECK_THROWS_WITH_AS(
      start_run(student(folder / "wide", R"({"name": "shapes", "normalize": "none"})"), into(folder / "other"), kNever),
      doctest::Contains("train it on the same data"), Error);
}

TEST_CASE("a config is trained first, within the run, on the student's data; resuming finds or finishes it") {
  const Folder folder;
  write_file(folder / "wide.json", wide("\"digits\""));
  const RunConfig config = student(folder / "wide.json");
  const Summary whole = start_run(config, into(folder / "whole"), kNever);
  REQUIRE(whole.status == "finished");
  CHECK(load_config(folder / "whole/teacher-1/config.json").dataset.name == "shapes");
  const std::string weights = read_file(folder / "whole/last.safetensors");
  const std::atomic<int> at_once = 2;
  const Summary stopped = start_run(config, into(folder / "stopped"), at_once);  // in the teacher's first epoch
  CHECK(stopped.status == "interrupted");
  const Summary resumed = resume_run(folder / "stopped", {}, kNever);
  CHECK(resumed.status == "finished");
  CHECK(resumed.test.loss == whole.test.loss);
  CHECK(read_file(folder / "stopped/last.safetensors") == weights);
  CHECK(resume_run(folder / "whole", {}, kNever).test.loss == whole.test.loss);
}

TEST_CASE("a teacher with a teacher is refused") {
  const Folder folder;
  write_file(folder / "taught.json", R"({"dataset": "shapes", "distill": {"teacher": "other.json"}})");
  CHECK_THROWS_WITH_AS(check_teachers(student(folder / "taught.json")), doctest::Contains("has a teacher of its own"),
                       DocumentError);
}
