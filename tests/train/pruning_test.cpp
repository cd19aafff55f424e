// Pruning in training: counts, patterns, what masks survive, rewinding, exchanges, and resuming bit for bit.
#include "lptrain/train/pruning.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "lptrain/base/files.h"
#include "lptrain/prune/mask.h"
#include "lptrain/train/checkpoint.h"
#include "lptrain/train/integer.h"
#include "lptrain/train/run.h"
#include "support/folder.h"
#include "support/places.h"
#include "support/random_tensor.h"

using namespace lp;
using lp::test::Folder;

namespace {

constexpr const char* kMlp = R"("flatten", {"linear": {"out": 24}}, "relu", {"linear": {"out": 12}}, "relu", {"linear": {}})";
constexpr const char* kCnn =
    R"({"conv2d": {"out": 8, "kernel": 3}}, "batch_norm", "relu", "max_pool2d", "flatten", {"linear": {"out": 12}}, "relu",
       {"linear": {}})";

RunConfig config_of(const std::string& prune, const std::string& more = "", const char* layers = kMlp) {
  return read_config(Document::parse(
      fmt::format(R"({{"name": "t", "model": {{"layers": [{}]}}, "dataset": {{"name": "shapes", "limit": 160}}, "prune": {}{},
        "train": {{"epochs": 4, "batch": 32, "optimizer": {{"adam": {{"lr": 0.01}}}}}}}})",
                  layers, prune, more.empty() ? "" : ", " + more),
      "t"));
}

const Dataset& shapes() {
  static const Dataset data = load_dataset(config_of("null").dataset, data_folders(source_dir() + "/datasets"));
  return data;
}

struct Pruned {
  RunConfig config;
  Trainer trainer;
  explicit Pruned(const RunConfig& c) : config(c), trainer(config, shapes(), {}) {
    const std::atomic<int> never{0};
    REQUIRE(trainer.run(never, [](Trainer::Moment) {}));
  }
  Param& param(const std::string& name) {
    for (Param* p : trainer.model().params())
      if (p->name == name) return *p;
    FAIL(name);
    std::abort();
  }
  double zeros(const std::string& name) { return share_of_zeros(std::vector{param(name).value}); }
};

// How many of the numbers are not zero where the mask is.
int64_t left_of(const Tensor& t, const Tensor& mask) {
  const auto x = numbers_of(t), m = numbers_of(mask);
  int64_t left = 0;
  for (size_t i = 0; i < m.size(); ++i) left += m[i] == 0 && x[i] != 0;
  return left;
}

// Every masked weight is zero as it is kept, as it is seen, and in what the optimizer remembers.
void check_held(Pruned& t) {
  Context eye(nullptr, Mode::eval);
  eye.survey(t.trainer.model().params());
  const auto slots = t.trainer.optimizer_state().named();
  for (Param* p : t.trainer.model().params()) {
    if (!p->mask) continue;
    CAPTURE(p->name);
    CHECK(left_of(p->value, p->mask) == 0);
    CHECK(left_of(eye.param(*p).tensor(), p->mask) == 0);
    for (const auto& [name, slot] : slots)
      if (name.starts_with(p->name + "/")) CHECK(left_of(slot, p->mask) == 0);
  }
}

}  // namespace

TEST_CASE("every criterion reaches the sparsity in every layer, or in all together; overrides and the last rows are left alone") {
  for (const char* criterion : {"magnitude", "random", "gradient", "movement", "l1", "l2"}) {
    CAPTURE(criterion);
    Pruned t(config_of(fmt::format(
        R"({{"sparsity": 0.8, "criterion": "{}", "schedule": {{"cubic": {{"times": 5}}}}, "overrides": {{"fc3": 0}}}})",
        criterion)));
    CHECK(t.zeros("fc1.weight") == doctest::Approx(0.8).epsilon(0.001));
    CHECK(t.zeros("fc2.weight") == doctest::Approx(0.8).epsilon(0.005));
    CHECK(t.zeros("fc3.weight") == 0);
    CHECK_FALSE(t.param("fc1.bias").mask);
    check_held(t);
    CHECK(t.trainer.progress().prunings == 5);
  }
  Pruned global(config_of(R"({"sparsity": 0.8, "scope": "global", "overrides": {"fc2": 0.5}})"));
  CHECK(global.zeros("fc2.weight") == 0.5);
  const double n1 = static_cast<double>(global.param("fc1.weight").value.size()),
               n3 = static_cast<double>(global.param("fc3.weight").value.size());
  CHECK(global.zeros("fc1.weight") * n1 + global.zeros("fc3.weight") * n3 == doctest::Approx(std::llround(0.8 * (n1 + n3))));
}

TEST_CASE("the metrics tell the sparsity as it grows; the best epoch is one at which the network was pruned") {
  Pruned t(config_of(R"({"sparsity": 0.9, "schedule": {"linear": {"end": 0.6, "times": 3}}})"));
  double before = 0;
  for (const EpochScores& e : t.trainer.progress().history) {
    REQUIRE(e.sparsity);
    CHECK(*e.sparsity >= before);
    before = *e.sparsity;
    CHECK(e.complete == (e.epoch >= 3));
  }
  CHECK(before == doctest::Approx(0.9).epsilon(0.005));
  CHECK(t.trainer.progress().best.epoch >= 3);
  Pruned dense(config_of("null"));
  CHECK_FALSE(dense.trainer.progress().history.back().sparsity);
  CHECK_FALSE(dense.trainer.progress().phases.back().sparsity);
  CHECK(t.trainer.progress().phases.back().sparsity == before);
}

TEST_CASE("rows go with their bias and norm: what a filter leaves behind is exactly zero") {
  Pruned t(config_of(R"({"sparsity": 0.5, "pattern": "filters", "criterion": "batch_norm", "overrides": {"fc1": 0}})", "", kCnn));
  const auto mask = numbers_of(t.param("conv1.weight").mask), bias = numbers_of(t.param("conv1.bias").value),
             gain = numbers_of(t.param("bn1.weight").value), shift = numbers_of(t.param("bn1.bias").value);
  int64_t gone = 0;
  for (size_t r = 0; r < 8; ++r) {
    if (mask[r * 27] != 0) continue;
    ++gone;
    CHECK(bias[r] == 0);
    CHECK(gain[r] == 0);
    CHECK(shift[r] == 0);
    const auto seen = numbers_of(t.param("fc1.weight").mask);  // in (H,W,C) order
    for (size_t i = r; i < seen.size(); i += 8) CHECK(seen[i] == 0);
  }
  CHECK(gone == 4);
  CHECK(t.zeros("fc1.weight") == 0.5);      // columns that see them, no others
  CHECK_FALSE(t.param("fc2.weight").mask);  // the network's outputs
  check_held(t);
}

TEST_CASE("masks hold through later phases, narrow numbers, narrow state and master copies, and in integer-only training") {
  for (const char* precision :
       {R"({"weights": {"format": "int8", "narrow": true, "per": "channel"}, "activations": "int8", "state": "bf16",
           "master": "bf16"})",
        R"({"weights": {"format": "int4", "scale": "learned"}, "weight_grads": {"format": "binary", "scale": "mean_abs"}})",
        R"({"weights": {"format": "ternary", "scale": "mean_abs"}})", R"({"weights": {"format": "int2", "scale": "kmeans"}})",
        R"({"weights": "mxfp4", "errors": {"format": "int8", "rounding": "stochastic"}})"}) {
    CAPTURE(precision);
    Pruned t(config_of(
        "null", fmt::format(R"("phases": [{{"prune": {{"sparsity": 0.7}}, "train": {{"epochs": 1}}}}, {{"precision": {}}}])",
                            precision)));
    CHECK(t.zeros("fc1.weight") >= 0.7 - 1e-3);
    CHECK(t.param("fc1.weight").mask);
    check_held(t);
  }
}

TEST_CASE("formats without a zero are refused with the place, for the phases from the first pruning on") {
  const auto made = [](const std::string& weights, const std::string& prune) {
    const RunConfig c = config_of(prune, fmt::format(R"("precision": {{"weights": {}}})", weights));
    return made_model(c, c.phases[0], shapes().shape, 2);
  };
  for (const char* weights : {R"({"format": "binary", "scale": "mean_abs"})", R"({"format": "uint8", "offset": "min"})"}) {
    CAPTURE(weights);
    CHECK_THROWS_WITH_AS(made(weights, R"({"sparsity": 0.5})"), doctest::Contains("what is pruned would come back"),
                         DocumentError);
    CHECK_NOTHROW(made(weights, "null"));
  }
  CHECK_THROWS_WITH_AS(made("\"int8\"", R"({"sparsity": 0.5, "overrides": {"fc9": 0}})"), doctest::Contains("did you mean"),
                       DocumentError);
  CHECK_THROWS_WITH_AS(made("\"int8\"", R"({"sparsity": 0.5, "pattern": "rows", "criterion": "batch_norm"})"),
                       doctest::Contains("fc1 has none"), DocumentError);
  CHECK_NOTHROW(made("\"int8\"", R"({"pattern": "2:4"})"));
}

TEST_CASE("rewinding: what is left begins again where the phase began; the control is drawn anew; masks stay") {
  const auto weights_at = [](const std::string& rewind) {
    RunConfig c =
        config_of(fmt::format(R"({{"sparsity": 0.5, "rewind": "{}", "schedule": {{"one_shot": {{"at": 0.5}}}}}})", rewind));
    c.phases[0].train.optimizer->lr = 0.003;
    return c;
  };
  const auto rewound = [&](const std::string& rewind, Tensor& first, Tensor& after) {
    const RunConfig c = weights_at(rewind);
    Model model = made_model(c, c.phases[0], shapes().shape, 2);
    Pruning pruning(c, 2);
    pruning.enter(model, c.phases[0]);
    int64_t prunings = 0;
    pruning.begin(0, prunings);
    Param& p = *model.params()[0];
    first = p.value.clone();
    for (float& w : p.value.data<float>()) w = 2 * w + 0.01f;
    CHECK_FALSE(pruning.before_step({3, 0.4}, prunings));
    CHECK(pruning.before_step({4, 0.5}, prunings) == (rewind != "none"));
    CHECK_FALSE(pruning.before_step({5, 0.6}, prunings));
    after = p.value;
    REQUIRE(p.mask);
    return p.mask;
  };
  Tensor first, after;
  const Tensor mask = rewound("start", first, after);
  for (size_t i = 0; i < mask.data<float>().size(); ++i)
    CHECK(after.data<float>()[i] == (mask.data<float>()[i] != 0 ? first.data<float>()[i] : 0));
  CHECK(numbers_of(rewound("random", first, after)) == numbers_of(mask));
  int64_t same = 0, zeros = 0;
  for (size_t i = 0; i < mask.data<float>().size(); ++i)
    same += after.data<float>()[i] != 0 && after.data<float>()[i] == first.data<float>()[i], zeros += after.data<float>()[i] == 0;
  CHECK(same == 0);
  CHECK(zeros == std::ranges::count(numbers_of(mask), 0.0));
  rewound("none", first, after);
  Pruned trained(weights_at("start"));
  CHECK(trained.trainer.progress().position.updates < trained.trainer.progress().position.step);  // the optimizer began anew
  check_held(trained);
}

TEST_CASE("regrowth exchanges weights and keeps their number; what comes had no past") {
  for (const char* by : {"gradient", "random"}) {
    CAPTURE(by);
    Pruned still(config_of(R"({"sparsity": 0.8, "criterion": "random"})"));
    Pruned t(config_of(fmt::format(R"({{"sparsity": 0.8, "criterion": "random", "regrow": {{"every": 3, "by": "{}"}}}})", by)));
    const auto before = numbers_of(still.param("fc1.weight").mask), after = numbers_of(t.param("fc1.weight").mask);
    CHECK(std::ranges::count(before, 0.0) == std::ranges::count(after, 0.0));
    CHECK(before != after);
    check_held(t);
  }
}

TEST_CASE("a step that hears gradients of weights that are gone moves the others as any step does") {
  const RunConfig c = config_of(R"({"sparsity": 0.8, "regrow": {"every": 1}})");
  const Tensor x = random_normal({16, 12, 12, 3}, Key(1));
  const std::vector<int32_t> labels(16, 1);
  const auto stepped = [&](bool listens) {
    Model model = made_model(c, c.phases[0], {12, 12, 3}, 2);
    Pruning pruning(c, 2);
    pruning.enter(model, c.phases[0]);
    int64_t prunings = 0;
    pruning.begin(0, prunings);
    pruning.before_step({0, 0}, prunings);
    if (listens) pruning.before_step({1, 0.1}, prunings);
    OptimizerState state;
    Choice<LossScale> none("none");
    train_step(model, c.phases[0], x, labels, {1, 0, 1}, *none, state, nullptr, pruning.hooks());
    REQUIRE(model.params()[0]->mask);
    return numbers_of(model.params()[0]->value);
  };
  CHECK(stepped(true) == stepped(false));
}

TEST_CASE("shrinking: exact zeros without a mask, which a later phase can keep") {
  Pruned t(config_of(
      "null",
      R"("phases": [{"prune": {"shrink": {"l1": {"strength": 0.05}}}, "train": {"epochs": 2, "optimizer": {"sgd": {"lr": 0.1}}}},
      {"prune": {"criterion": "zeros"}, "train": {"epochs": 1}}])"));
  CHECK(t.zeros("fc1.weight") > 0.3);
  CHECK(t.param("fc1.weight").mask);
  const auto& history = t.trainer.progress().history;
  CHECK(*history[1].sparsity == doctest::Approx(*history[2].sparsity));
  Pruned groups(
      config_of(R"({"pattern": "rows", "shrink": {"group_lasso": {"strength": 0.05}}})", R"("precision": {"master": "bf16"})"));
  CHECK_FALSE(groups.param("fc1.weight").mask);
  const auto w = numbers_of(groups.param("fc1.weight").value);
  const size_t columns = w.size() / 24;
  for (size_t r = 0; r < 24; ++r) {
    const auto zeros = std::ranges::count(std::span(w).subspan(r * columns, columns), 0.0);
    CHECK((zeros == std::ssize(w) / 24 || zeros < 5));
  }
}

TEST_CASE("a run stopped anywhere goes on to the same bits: masks, scores, what to rewind to, exchanges") {
  struct StopAfter : Watch {
    int64_t step;
    std::atomic<int> stop = 0;
    explicit StopAfter(int64_t s) : step(s) {}
    void step_done(const StepDone& s) override { stop = s.position.step == step ? 2 : stop.load(); }
  };
  const Folder folder;
  const std::atomic<int> never = 0;
  const auto file = [](const std::string& run) { return read_file(run + "/last.safetensors"); };
  for (const char* prune : {R"({"sparsity": 0.9, "schedule": "cubic", "scope": "global"})",
                            R"({"sparsity": 0.7, "criterion": "movement", "schedule": {"linear": {"times": 4}}})",
                            R"({"sparsity": 0.8, "schedule": {"iterative": {"rounds": 3}}, "rewind": "start"})",
                            R"({"sparsity": 0.8, "schedule": {"iterative": {"rounds": 2}}, "rewind": "random"})",
                            R"({"sparsity": 0.8, "criterion": "random", "regrow": {"every": 4}})", R"({"shrink": "l1"})"}) {
    CAPTURE(prune);
    const RunConfig c = config_of(prune);
    const std::string name = folder / std::to_string(std::hash<std::string>{}(prune));
    const Summary whole = start_run(c, {name, "", {}, {}}, never);
    CHECK(whole.cost.sparsity == share_of_zeros([&] {
            std::vector<Tensor> w;
            for (const auto& [n, t] : read_tensors(weights_file(name, false)).tensors)
              if (n.ends_with(".weight")) w.push_back(t.clone());
            return w;
          }()));
    for (const int64_t step : {1, 4, 9, 14}) {
      CAPTURE(step);
      StopAfter watch(step);
      const std::string run = fmt::format("{}-{}", name, step);
      REQUIRE(start_run(c, {run, "", {}, {&watch}}, watch.stop).status == "interrupted");
      CHECK(resume_run(run, {}, never).status == "finished");
      CHECK(file(run) == file(name));
    }
  }
}

TEST_CASE("a phase without epochs prunes at once, and its weights are saved; masks travel with init_from") {
  const Folder folder;
  const std::atomic<int> never = 0;
  start_run(config_of("null"), {folder / "dense", "", {}, {}}, never);
  const auto from = [&](const std::string& prune, const char* name, const char* epochs) {
    const std::string start =
        fmt::format(R"("init_from": "{}", "phases": [{{"train": {{"epochs": {}}}}}])", folder / name, epochs);
    return config_of(prune, start);
  };
  const double half =
      start_run(from(R"({"pattern": "2:4"})", "dense", "0"), {folder / "pruned", "", {}, {}}, never).cost.sparsity;
  CHECK(half == doctest::Approx(0.5).epsilon(0.01));
  CHECK(start_run(from("null", "pruned", "2"), {folder / "trained", "", {}, {}}, never).cost.sparsity == half);
  CHECK(resume_run(folder / "pruned", {}, never).cost.sparsity == half);
}

TEST_CASE("a mask of another shape, or that is none, is no mask; damaged state is told") {
  const RunConfig c = config_of("null");
  Model model = made_model(c, c.phases[0], shapes().shape, 2);
  TensorFile file;
  for (Param* p : model.params()) file.tensors.emplace_back(p->name, p->value);
  for (const Tensor& wrong : {Tensor::full({2, 2}, 1), Tensor::full(model.params()[0]->value.shape(), 0.5),
                              Tensor::zeros(model.params()[0]->value.shape(), DType::i32)}) {
    TensorFile with = file;
    with.tensors.emplace_back("fc1.weight.mask", wrong);
    CHECK_THROWS_WITH_AS(load_weights(with, "f", model), doctest::Contains("fc1.weight.mask"), Error);
    CHECK_FALSE(model.params()[0]->mask);
  }
  Pruning pruning(c, 2);
  pruning.enter(model, c.phases[0]);
  CHECK_THROWS_AS(pruning.restore("heard/fc1.weight", Tensor::zeros({2})), Error);
  CHECK_THROWS_AS(pruning.restore("heard/fc9.weight", Tensor::zeros({2})), Error);
  CHECK_THROWS_AS(pruning.restore("nothing", Tensor::zeros({2})), Error);
}

TEST_CASE("integer-only training can be pruned by comparisons, and by nothing else") {
  const auto config = [](const std::string& prune) {
    RunConfig c = load_config(source_dir() + "/configs/methods/niti_mlp.json",
                              std::vector<std::string>{"prune=" + prune, R"(dataset={"name": "digits", "limit": 300})"});
    c.phases.resize(1);
    c.phases[0].train.epochs = 1;
    return c;
  };
  const RunConfig c = config(R"({"sparsity": 0.6, "schedule": {"linear": {"times": 2, "end": 0.3}}})");
  const Dataset digits = load_dataset(c.dataset, data_folders(source_dir() + "/datasets"));
  Trainer trainer(c, digits, {});
  const std::atomic<int> never{0};
  REQUIRE(trainer.run(never, [](Trainer::Moment) {}));
  for (Param* p : trainer.model().params()) {
    CHECK(share_of_zeros(std::vector{p->value}) >= 0.6 - 1e-3);
    const double least = [&] {
      double step = 1e9;
      for (const double w : numbers_of(p->value))
        if (w != 0) step = std::min(step, std::abs(w));
      return step;
    }();
    for (const double w : numbers_of(p->value))
      CHECK(w / std::exp2(std::ilogb(least) - 8) == std::round(w / std::exp2(std::ilogb(least) - 8)));
  }
  for (const char* wrong :
       {R"({"sparsity": 0.5, "criterion": "l2"})", R"({"criterion": "standardized"})", R"({"shrink": "l1"})"}) {
    CAPTURE(wrong);
    const RunConfig bad = config(wrong);
    CHECK_THROWS_WITH_AS(Trainer(bad, digits, {}), doctest::Contains("prune."), DocumentError);
  }
}
