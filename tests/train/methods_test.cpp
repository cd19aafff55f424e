// Every method of configs/methods takes the steps that an independent implementation takes (tests/golden/methods.py): two layers
// behind the quantizers of the shipped config, with plain gradient descent.
#include <doctest/doctest.h>

#include "lptrain/train/step.h"
#include "support/random_tensor.h"
#include "train/golden.h"

using namespace lp;

namespace {

struct NamedNumbers {
  std::string name;
  golden::Numbers numbers;
  void fields(Fields& f) {
    f("name", name, "");
    f("numbers", numbers, "");
  }
};

struct GoldenStep {
  double loss = 0;
  std::vector<NamedNumbers> params;
  void fields(Fields& f) {
    f("loss", loss, "");
    f("params", params, "");
  }
};

struct GoldenPhase {
  std::vector<GoldenStep> steps;
  void fields(Fields& f) { f("steps", steps, ""); }
};

struct Method {
  std::string name, config, activation;
  std::vector<std::string> changes;  // assignments to the shipped config
  bool fold = false;
  golden::Numbers x;
  std::vector<int32_t> labels;
  std::vector<NamedNumbers> params;
  std::vector<GoldenPhase> phases;
  void fields(Fields& f) {
    f("name", name, "");
    f("config", config, "");
    f("changes", changes, "");
    f("activation", activation, "");
    f("fold", fold, "");
    f("x", x, "");
    f("labels", labels, "");
    f("params", params, "");
    f("phases", phases, "");
  }
};

struct Methods {
  std::vector<Method> methods;
  void fields(Fields& f) { f("methods", methods, ""); }
};

const std::vector<Method>& all_methods() {
  static const Methods loaded = [] {
    Methods m;
    read(Document::load(source_dir() + "/tests/golden/methods.json"), m);
    return m;
  }();
  return loaded.methods;
}

// The shipped config's quantizers for every layer, and its clipping; the rest as the golden steps want it.
std::vector<PhaseSpec> phases_of(const Method& m) {
  std::vector<PhaseSpec> phases = load_config(source_dir() + "/configs/methods/" + m.config + ".json", m.changes).phases;
  for (PhaseSpec& phase : phases) {
    phase.precision.overrides.clear();
    phase.train.seed = 1;
  }
  return phases;
}

Model model_for(const Method& m, const PhaseSpec& phase) {
  const std::string norm = m.fold ? R"({"batch_norm": {"fold": "batch"}}, )" : "";
  ModelSpec spec;
  read(Document::parse(
           fmt::format(R"({{"layers": [{{"linear": {{"out": 8, "bias": false}}}}, {}"{}", {{"linear": {{"bias": false}}}}]}})",
                       norm, m.activation),
           "test"),
       spec);
  Model model(spec, {9}, 4, phase.precision, DType::f64, Key(1));
  size_t set = 0;
  for (Param* p : model.params())
    for (const NamedNumbers& n : m.params)
      if (n.name == p->name) p->value = n.numbers.tensor(DType::f64), ++set;
  REQUIRE(set == m.params.size());
  return model;
}

// Compares after every step; updates are counted over phases that keep what the optimizer remembers.
void follow(const Method& m, Model& model) {
  const std::vector<PhaseSpec> phases = phases_of(m);
  REQUIRE(phases.size() == m.phases.size());
  OptimizerState state;
  Choice<LossScale> none("none");
  StepPlace place{0, 0, 1};
  for (size_t p = 0; p < m.phases.size(); ++p) {
    CAPTURE(p);
    model.set_precision(phases[p].precision);
    if (!phases[p].keep) state.clear(), place.updates = 0;
    for (const GoldenStep& golden : m.phases[p].steps) {
      CAPTURE(place.step);
      const StepOutcome outcome = train_step(model, phases[p], m.x.tensor(DType::f64), m.labels, place, *none, state);
      CHECK(outcome.loss == doctest::Approx(golden.loss).epsilon(1e-5));
      for (const Param* param : model.params())
        for (const NamedNumbers& n : golden.params)
          if (n.name == param->name) CHECK(golden::distance(param->value, n.numbers) < 3e-5);
      ++place.step, ++place.updates;
    }
  }
}

}  // namespace

TEST_CASE("three steps in every phase of every method") {
  REQUIRE(all_methods().size() == 17);
  for (const Method& m : all_methods()) {
    CAPTURE(m.name);
    Model model = model_for(m, phases_of(m)[0]);
    follow(m, model);
  }
}

TEST_CASE("weights behind a fixed scale are held within their grid, others are not") {
  const Method& m = all_methods()[0];
  PhaseSpec phase = phases_of(m)[0];
  phase.train.optimizer->lr = 100;
  phase.train.clip_weights = 2;
  const std::pair<const char*, double> kCases[] = {{R"({"format": "binary", "scale": {"fixed": {"value": 0.25}}})", 0.5},
                                                   {R"({"format": "int4", "scale": {"fixed": {"value": 0.01}}})", 0.14},
                                                   {R"({"format": "binary", "scale": "mean_abs"})", 1e9}};
  for (const auto& [weights, most] : kCases) {
    read(Document::parse(fmt::format(R"({{"weights": {}}})", weights), "test"), phase.precision);
    Model model = model_for(m, phase);
    OptimizerState state;
    Choice<LossScale> none("none");
    train_step(model, phase, m.x.tensor(DType::f64), m.labels, {0, 0, 1}, *none, state);
    const double found = largest_magnitude(model.params()[0]->value);
    CHECK(found <= most * (1 + 1e-6));
    CHECK(found >= std::min(most * (1 - 1e-6), 1.0));  // the step was long enough to matter
  }
}

namespace {

// Forty steps with the precision and loss scale of a shipped config on one batch of 512, to be learned by heart.
struct Learned {
  double loss = 0;
  Tally first, last;  // errors of the first layer, and of those behind it, in the first step

  explicit Learned(const char* name) {
    const RunConfig config = load_config(source_dir() + "/configs/methods/" + name + ".json");
    const PhaseSpec& phase = config.phases[0];
    ModelSpec spec;
    read(
        Document::parse(R"({"layers": [{"linear": {"out": 64}}, "relu", {"linear": {"out": 64}}, "relu", {"linear": {}}]})", "m"),
        spec);
    Model model(spec, {20}, 10, phase.precision, DType::f32, Key(1));
    const Tensor x = random_normal({phase.train.batch, 20}, Key(2));
    std::vector<int32_t> labels;
    for (int64_t i = 0; i < phase.train.batch; ++i)
      labels.push_back(static_cast<int32_t>(Key(3).below(static_cast<uint64_t>(i), 10)));
    Choice<LossScale> loss_scale = phase.train.loss_scale;
    OptimizerState state;
    Numerics numerics;
    for (int64_t i = 0; i < 40; ++i)
      loss = train_step(model, phase, x, labels, {i, i, 1}, *loss_scale, state, i == 0 ? &numerics : nullptr).loss;
    for (const RoleNumerics& row : numerics.roles)
      if (row.role == Role::errors) (row.layer == "fc1" ? first : last) += row.tally;
  }
};

}  // namespace

TEST_CASE("fp8 without a loss scale: errors of large batches become 0, and nothing is learned; with one they do not") {
  const Learned unscaled("fp8_unscaled"), scaled("fp8_loss_scaled");
  CHECK(unscaled.first.share(&Tally::underflows) > 0.9);
  CHECK(scaled.first.share(&Tally::underflows) < 0.1);
  CHECK(unscaled.last.share(&Tally::underflows) > 0.9);
  CHECK(scaled.last.share(&Tally::underflows) < 0.1);
  CHECK(unscaled.loss > 2);
  CHECK(scaled.loss < 1.7);
}
