// Phases: what moves in them, what is kept of them, and that a run that is stopped anywhere in any of them ends as if it had not
// been.
#include "lptrain/train/trainer.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"
#include "lptrain/base/files.h"
#include "lptrain/train/run.h"
#include "support/folder.h"

using namespace lp;
using lp::test::Folder;

namespace {

const std::atomic<int> kNever = 0;

RunOptions into(const std::string& folder, std::vector<Watch*> watches = {}) { return {folder, "", {}, std::move(watches), {}}; }

RunConfig config_of(const std::string& phases) {
  return read_config(Document::parse(R"({"name": "phases",
    "model": {"layers": [{"conv2d": {"name": "conv", "out": 4, "kernel": 3}}, {"batch_norm": {"name": "norm"}}, "relu", "flatten",
      {"linear": {"name": "fc", "out": 8}}, "relu", {"linear": {"name": "last"}}]},
    "dataset": {"name": "shapes", "limit": 90, "validation": 0.3},
    "train": {"epochs": 1, "batch": 32, "optimizer": {"adam": {"lr": 0.01}}},
    "phases": )" + phases + "}",
                                     "test"));
}

// One of everything that a phase can say.
std::string all_kinds(const std::string& teacher) {
  return R"([{"name": "float"},
    {"name": "taught", "distill": {"teacher": ")" +
         teacher + R"("},
     "precision": {"weights": {"format": "int4", "scale": "learned"}, "activations": {"format": "uint4", "scale": "ema"}}},
    {"name": "bits", "precision": {"weights": {"format": "int8", "narrow": true}}, "train": {"epochs": 6},
     "adaptive": {"target_accuracy": 0.3, "per": "layer", "start": 3, "lowest": 1, "patience": 1}},
    {"name": "half", "precision": {"weights": {"format": "int3", "scale": "widest"}},
     "incremental": {"share": 0.5, "by": "random"}},
    {"name": "all", "precision": {"weights": {"format": "int3", "scale": "widest"}}, "incremental": {"share": 1}, "keep": true},
    {"name": "head", "trainable": ["last", "norm"],
     "train": {"clamp": 0.2, "optimizer": {"sgd": {"lr": 0.01, "momentum": 0.9}}}}])";
}

struct StopAt : Watch {
  int64_t step;
  std::atomic<int> stop = 0;
  explicit StopAt(int64_t s) : step(s) {}
  void step_done(const StepDone& done) override {
    if (done.position.step == step) stop = 2;
  }
};

struct Epochs : Watch {
  std::vector<EpochScores> all;
  void epoch_done(const EpochScores& e, bool) override { all.push_back(e); }
};

struct Phases : Watch {
  std::vector<std::string> names;
  void phase_done(const PhaseScores& p, const Position&, int64_t) override { names.push_back(p.name); }
};

TensorFile tensors_in(const std::string& file) { return read_tensors(file); }

bool are_alike(const TensorFile& a, const TensorFile& b, const std::string& name) {
  return std::ranges::equal(a.find(name)->data<float>(), b.find(name)->data<float>());
}

}  // namespace

TEST_CASE("a run that is stopped after any step of any phase, and goes on, ends with the same bits and the same words") {
  const Folder folder;
  write_file(folder / "wide.json",
             R"({"model": {"layers": ["flatten", {"linear": {"out": 16}}, "relu", "linear"]}, "train": {"epochs": 1}})");
  const RunConfig config = config_of(all_kinds(folder / "wide.json"));
  const Summary whole = start_run(config, into(folder / "whole"), kNever);
  REQUIRE(whole.status == "finished");
  const int64_t steps = 2 * whole.epochs;
  CHECK(whole.phases[2].bits.size() == 3);
  for (int64_t step = 1; step < steps; ++step) {
    CAPTURE(step);
    const std::string run = folder / std::to_string(step);
    StopAt watch(step);
    RunOptions options = into(run, {&watch});
    REQUIRE(start_run(config, options, watch.stop).status == "interrupted");
    const Summary resumed = resume_run(run, {}, kNever);
    REQUIRE(resumed.phases.size() == whole.phases.size());
    for (size_t i = 0; i < whole.phases.size(); ++i) CHECK(write(resumed.phases[i]) == write(whole.phases[i]));
    REQUIRE((resumed.best && whole.best));
    CHECK(resumed.best->epoch == whole.best->epoch);
    for (const char* file : {"last.safetensors", "phase-1.safetensors", "phase-3.safetensors", "phase-5.safetensors"})
      CHECK(read_file(run + "/" + file) == read_file(folder / "whole" + std::string("/") + file));
  }
}

TEST_CASE("each phase leaves what the next began with, as a file that is seen as it was trained; the summary tells of all") {
  const Folder folder;
  Phases watch;
  const Summary s = start_run(
      config_of(R"([{"name": "float"}, {"name": "int4", "precision": {"weights": {"format": "int4", "scale": "learned"}}},
      {"name": "reals again", "train": {"epochs": 0}}])"),
      into(folder / "run", {&watch}), kNever);
  CHECK(watch.names == std::vector<std::string>{"float", "int4", "reals again"});
  REQUIRE(s.phases.size() == 3);
  CHECK(s.phases[0].bits_per_weight == 32);
  CHECK(s.phases[1].bits_per_weight == 4);
  CHECK(s.phases[1].bytes < s.phases[0].bytes / 4);
  CHECK(s.phases[2].epochs == 0);
  CHECK(s.test.loss == s.phases[2].test.loss);
  CHECK(s.validation.loss == s.phases[2].validation.loss);
  CHECK_FALSE(s.train);
  REQUIRE(s.best);  // none of an earlier phase: the one model of the last
  CHECK(s.best->epoch == 0);
  CHECK(write(s.best->validation) == write(s.validation));
  CHECK(write(s.best->test) == write(s.test));
  for (const char* name : {"conv.weight", "fc.weight"})
    CHECK(are_alike(tensors_in(folder / "run/best.safetensors"), tensors_in(folder / "run/last.safetensors"), name));
  for (size_t i = 0; i < 2; ++i) {
    const Trained t = load_trained(folder / fmt::format("run/phase-{}.safetensors", i + 1), false, "");
    CHECK(t.config.phases.size() == i + 1);
    CHECK(evaluate(*t.model, *t.config.train.loss, t.data, t.data.test, 256).score.loss == s.phases[i].test.loss);
  }
}

TEST_CASE("only trainable layers move; a pattern that matches none is told with its place") {
  const Folder folder;
  (void)start_run(config_of(R"([{}, {"trainable": ["last", "nor*"]}])"), into(folder / "run"), kNever);
  const TensorFile before = tensors_in(folder / "run/phase-1.safetensors"), after = tensors_in(folder / "run/last.safetensors");
  for (const char* name : {"conv.weight", "fc.weight", "fc.bias"}) CHECK(are_alike(before, after, name));
  for (const char* name : {"last.weight", "last.bias"}) CHECK_FALSE(are_alike(before, after, name));
  CHECK_THROWS_WITH_AS(start_run(config_of(R"([{"trainable": ["last", "fd"]}])"), into(folder / "other"), kNever),
                       doctest::Contains("trainable.1: \"fd\" matches no layer; did you mean \"fc\"?"), DocumentError);
}

TEST_CASE(
    "a search for bits ends with a network that reaches its target, which is what is saved, and seen by those who load it") {
  const Folder folder;
  Epochs epochs;
  const Summary s = start_run(config_of(R"([{"name": "float", "train": {"epochs": 4}}, {"name": "bits",
      "precision": {"weights": {"format": "int8", "narrow": true, "per": "channel"}}, "train": {"epochs": 14},
      "adaptive": {"target_accuracy": 0.6, "per": "layer"}}])"),
                              into(folder / "run", {&epochs}), kNever);
  const PhaseScores& p = s.phases.back();
  CHECK(p.validation.accuracy >= 0.6);
  CHECK(p.bits_per_weight < 8);
  CHECK(p.met == true);
  REQUIRE(s.best);
  CHECK(s.best->validation.accuracy == p.validation.accuracy);
  CHECK(s.best->test.accuracy == s.test.accuracy);
  REQUIRE(s.train);
  for (const EpochScores& e : epochs.all)  // "train" is of the epoch that the network is from, not of the one that was given up
    if (e.phase == 1 && e.epoch == s.best->epoch) CHECK(e.train.loss == s.train->loss);
  CHECK(s.cost.bits_per_weight == p.bits_per_weight);
  for (const bool last : {false, true}) {
    const Trained t = load_trained(folder / "run", last, "");
    CHECK(evaluate(*t.model, *t.config.train.loss, t.data, t.data.validation, 256).score.accuracy == p.validation.accuracy);
    for (const auto& [layer, bits] : p.bits)
      CHECK(t.config.phases.back().precision.of(Role::weights, layer).format.bits() == bits);
  }
}

TEST_CASE("what holds weights must fit them: in a file of other hands it is told, not used") {
  const Folder folder;
  (void)start_run(config_of(R"([{"precision": {"weights": {"format": "int3", "scale": "widest"}},
      "incremental": {"share": 0.5}}])"),
                  into(folder / "run"), kNever);
  TensorFile file = read_tensors(folder / "run/last.safetensors");
  for (auto& [name, tensor] : file.tensors)
    if (name == "fc.weight.held") tensor = Tensor::zeros({3});
  write_tensors(folder / "other.safetensors", file);
  CHECK_THROWS_WITH_AS(load_trained(folder / "other.safetensors", false, ""), doctest::Contains("fc.weight.held [3]"), Error);
}

TEST_CASE("weights and biases stay within the clamp after every step, and reach it") {
  const Folder folder;
  (void)start_run(config_of(R"([{"train": {"clamp": 0.02, "optimizer": {"sgd": {"lr": 1}}}}])"), into(folder / "run"), kNever);
  double most = 0;
  for (const auto& [name, tensor] : tensors_in(folder / "run/last.safetensors").tensors)
    if (name.ends_with(".weight") && tensor.shape().rank() > 1)
      for (const float w : tensor.data<float>()) most = std::max(most, std::abs(static_cast<double>(w)));
  CHECK(most == doctest::Approx(0.02));
}
