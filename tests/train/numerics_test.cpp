// The microscope: what it counts, and that it changes nothing.
#include "lptrain/train/numerics.h"

#include <doctest/doctest.h>

#include <atomic>

#include "lptrain/base/document.h"
#include "lptrain/train/trainer.h"

using namespace lp;

namespace {

RunConfig config_with(const std::string& precision, const std::string& train, bool numerics,
                      const std::string& model = R"("tiny_mlp")", const std::string& data = "spirals") {
  return read_config(Document::parse(
      fmt::format(R"({{"model": {}, "dataset": {{"name": "{}", "limit": 150}}, "precision": {}, "train": {}, "numerics": {}}})",
                  model, data, precision, train, numerics),
      "t"));
}

struct Finished {
  Dataset data;
  Trainer trainer;
  explicit Finished(const RunConfig& config) : data(load_dataset(config.dataset, data_folders())), trainer(config, data, {}) {
    const std::atomic<int> stop = 0;
    trainer.run(stop, [](Trainer::Moment) {});
  }
  const EpochScores& last() { return trainer.progress().history.back(); }
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

// One linear layer of 2 weights and 1 output, without bias, and a step of SGD along a given gradient.
struct OneStep {
  Numerics numerics;
  std::vector<float> after;

  OneStep(const std::string& precision_text, std::vector<float> w, std::vector<float> dw, double lr) {
    Precision precision;
    read(Document::parse(precision_text, "t"), precision);
    ModelSpec spec;
    read(Document::parse(R"({"layers": [{"linear": {"out": 1, "bias": false}}]})", "m"), spec);
    Model model(spec, Shape{std::ssize(w)}, 2, precision, DType::f32, Key(1));
    Param& p = *model.params()[0];
    p.value = Tensor::of<float>(p.value.shape(), w);
    Choice<Optimizer> sgd("sgd");
    UpdateProbe probe(model);
    const UpdateStep how{lr, 1, true};
    std::vector<Tensor> slots(sgd->slots().size(), Tensor::zeros(p.value.shape()));
    const Tensor gradient = Tensor::of<float>(p.value.shape(), dw);
    probe.expect(p, *sgd, how, gradient, slots);
    sgd->update(how, p.value, gradient, slots);
    if (const Quantizer master = precision.of(Role::master, "fc1"); !master.is_identity())
      p.value = quantized(p.value, master, 0, Key(2));
    probe.count(precision, numerics);
    after.assign(p.value.data<float>().begin(), p.value.data<float>().end());
  }
};

constexpr const char* kNarrow = R"({
  "input": "int8", "biases": "f16", "errors": "e5m2", "weight_grads": {"format": "e4m3", "scale": "absmax"},
  "weights": {"format": "int8", "narrow": true, "per": "channel"}, "activations": {"format": "int8", "scale": "ema"},
  "state": "bf16", "master": {"format": "bf16", "rounding": "stochastic"}})";

}  // namespace

TEST_CASE("an update is lost if the master copy stays, and none if the gradient is 0") {
  // bf16 at 1 has steps of 2^-7 upwards and 2^-8 downwards: 2^-10 is lost, 2^-6 is not.
  const OneStep step(R"({"master": "bf16", "weights": "int8"})", {1, 1, 1}, {0x1p-10f, 0x1p-6f, 0}, 1);
  CHECK(step.after == std::vector<float>{1, 1 - 0x1p-6f, 1});
  REQUIRE(step.numerics.updates.size() == 1);
  const UpdateNumerics& u = step.numerics.updates[0];
  CHECK(u.layer == "fc1");
  CHECK(u.master == "bf16");
  CHECK(u.weights == "int8");
  CHECK(u.updates == 2);
  CHECK(u.lost == 1);
  CHECK(u.coded == 2);
}

TEST_CASE("f32 loses what is below its own step; without a quantizer there are no codes") {
  const OneStep step("{}", {1, 1}, {1, 1}, 0x1p-26);
  const UpdateNumerics& u = step.numerics.updates.at(0);
  CHECK(u.updates == 2);
  CHECK(u.lost == 2);
  CHECK(u.coded == 0);
  CHECK(step.after == std::vector<float>{1, 1});
}

TEST_CASE("an update that does not leave the code's interval changes no code") {
  // int4 of scale 1: 3 -> 2.9 keeps the code 3, 2.6 -> 2.4 does not.
  const OneStep step(R"({"weights": {"format": "int4", "scale": "fixed"}})", {3, 2.6f}, {0.1f, 0.2f}, 1);
  const UpdateNumerics& u = step.numerics.updates.at(0);
  CHECK(u.lost == 0);
  CHECK(u.coded == 2);
  CHECK(u.same_code == 1);
}

TEST_CASE("the run is the same to the bit, watched or not") {
  struct Case {
    const char *precision, *train, *model, *data;
  };
  for (const Case& c :
       {Case{kNarrow, R"({"epochs": 2, "batch": 32, "optimizer": "adam", "loss_scale": "dynamic"})", R"("tiny_mlp")", "spirals"},
        Case{R"({"weights": {"format": "int4", "scale": "learned"}, "activations": {"format": "uint4", "scale": "learned"}})",
             R"({"epochs": 2, "batch": 32})", R"("tiny_mlp")", "spirals"},
        Case{R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "scale": "ema"},
                                 "errors": {"format": "int8", "rounding": "stochastic"}})",
             R"({"epochs": 1, "batch": 32})", R"("tiny_cnn")", "shapes"},
        Case{
            R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "scale": "ema"},
                 "errors": {"format": "int8"}})",
            R"({"epochs": 1, "batch": 32})",
            R"({"layers": [{"conv2d": {"out": 8, "bias": false}}, "batch_norm", "relu", "max_pool2d",
                 {"conv2d": {"out": 8, "bias": false}},
                 "batch_norm", "relu", "global_avg_pool", "linear"]})",
            "shapes"},
        Case{// so large that the unwatched run updates it block by block of rows
             R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "scale": "ema"},
                 "errors": {"format": "int8"}, "state": {"format": "bf16", "rounding": "stochastic"},
                 "weight_grads": {"format": "int8", "per": "channel", "rounding": "stochastic"},
                 "master": {"format": "f16", "rounding": "stochastic"}})",
             R"({"epochs": 1, "batch": 32, "optimizer": {"sgd": {"momentum": 0.9}}, "clip_norm": 1})",
             R"({"layers": ["flatten", {"linear": {"out": 200}}, "relu", "linear"]})", "shapes"}}) {
    CAPTURE(c.precision);
    Finished plain(config_with(c.precision, c.train, false, c.model, c.data));
    Finished watched(config_with(c.precision, c.train, true, c.model, c.data));
    CHECK_FALSE(plain.last().numerics);
    REQUIRE(watched.last().numerics);
    CHECK(plain.last().train.loss == watched.last().train.loss);
    const auto a = plain.trainer.model().params(), b = watched.trainer.model().params();
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i]->value, b[i]->value));
  }
}

TEST_CASE("every narrow role of every layer has its row, with as many numbers as went through it") {
  Finished run(
      config_with(kNarrow, R"({"epochs": 1, "batch": 50, "optimizer": "adam", "loss_scale": {"static": {"scale": 8}}})", true));
  const Numerics& n = *run.last().numerics;
  const auto numbers = [&](const std::string& layer, Role role) {
    for (const RoleNumerics& r : n.roles)
      if (r.layer == layer && r.role == role) return r.tally.numbers;
    return int64_t{0};
  };
  const int64_t examples = run.last().train.examples, steps = run.last().step, weights = 2 * 32, biases = 32;
  CHECK(numbers("", Role::input) == 2 * examples);
  CHECK(numbers("fc1", Role::activations) == 0);  // they carry the input's codes
  CHECK(numbers("fc2", Role::activations) == 32 * examples);
  CHECK(numbers("fc1", Role::errors) == 32 * examples);
  CHECK(numbers("fc1", Role::weights) == weights * steps);
  CHECK(numbers("fc1", Role::biases) == biases * steps);
  CHECK(numbers("fc1", Role::weight_grads) == (weights + biases) * steps);
  CHECK(numbers("fc1", Role::master) == (weights + biases) * steps);
  CHECK(numbers("fc1", Role::state) == 2 * (weights + biases) * steps);
  REQUIRE(n.loss_scale.size() == 1);
  CHECK(n.loss_scale[0].scale == 8);
  CHECK(n.updates.size() == 3);
}

TEST_CASE("a run that was stopped and gone on with counts the same") {
  const RunConfig config = config_with(kNarrow, R"({"epochs": 2, "batch": 32, "optimizer": "adam"})", true);
  Finished whole(config);
  const Dataset data = load_dataset(config.dataset, data_folders());
  struct StopAt : Watch {
    std::atomic<int> stop = 0;
    void step_done(const StepDone& done) override {
      if (done.position.step == 3) stop = 1;
    }
  } stop;
  Trainer first(config, data, {&stop});
  CHECK_FALSE(first.run(stop.stop, [](Trainer::Moment) {}));
  REQUIRE(first.progress().numerics);
  Progress restored;
  read(Document::parse(write(first.progress()).dump(), "state"), restored);  // as a checkpoint keeps it
  first.progress() = restored;
  stop.stop = 0;
  CHECK(first.run(stop.stop, [](Trainer::Moment) {}));
  REQUIRE(first.progress().history.size() == whole.trainer.progress().history.size());
  for (size_t i = 0; i < restored.history.size() + 2; ++i)
    CHECK(write(*first.progress().history[i].numerics) == write(*whole.trainer.progress().history[i].numerics));
}

TEST_CASE("a scale that changes is traced") {
  Numerics n;
  for (const auto& [step, scale] : {std::pair<int64_t, double>{0, 4}, {1, 4}, {2, 2}, {3, 2}, {4, 4}})
    n.note_loss_scale(step, scale);
  REQUIRE(n.loss_scale.size() == 3);
  CHECK(n.loss_scale[1].step == 2);
  CHECK(n.loss_scale[2].scale == 4);
}

TEST_CASE("additions in modelled accumulators are counted by layer and product; others are none") {
  const auto sums = [](const std::string& precision) {
    return Finished(config_with(precision, R"({"epochs": 1, "batch": 45})", true)).last().numerics->sums;
  };
  const std::vector<SumNumerics> rows = sums(R"({"accumulator": {"format": "e4m3", "chunk": 8, "outer": "bf16"}})");
  std::vector<std::string> places;
  for (const SumNumerics& r : rows) places.push_back(fmt::format("{} {}", r.layer, word_of(r.of)));
  CHECK(places == std::vector<std::string>{"fc1 y", "fc1 dw", "fc2 y", "fc2 dx", "fc2 dw", "fc3 y", "fc3 dx", "fc3 dw"});
  constexpr int64_t kExamples = 150, kSteps = 4;  // 2 - 32 - 32 - 2, three batches of 45 and one of 15
  CHECK(rows[2].accumulator == "e4m3");
  CHECK(rows[2].counts.sums == kExamples * 32);
  CHECK(rows[2].counts.additions == kExamples * 32 * (32 + 32 / 8));
  CHECK(rows[1].counts.sums == kSteps * 32 * 2);
  CHECK(rows[1].counts.additions == 32 * 2 * (3 * (45 + 6) + 15 + 2));  // 45 = 5 * 8 + 5
  for (const SumNumerics& r : rows) CHECK(r.counts.rounded > 0);
  CHECK(sums("{}").empty());
  CHECK(sums(R"({"weights": "int8", "activations": "int8", "accumulator": "int32"})").empty());  // no sum leaves it
}
