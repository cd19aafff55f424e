// WAGE and dynamic fixed point: steps as an independent program made them from the papers (tests/golden/shifts.py).
#include <doctest/doctest.h>

#include "lptrain/train/step.h"
#include "train/golden.h"

using namespace lp;

namespace {

struct Case {
  std::string name;
  std::vector<golden::Numbers> params, after;
  void fields(Fields& f) {
    f("name", name, "");
    f("params", params, "");
    f("after", after, "");
  }
};
struct Shifts {
  golden::Numbers x;
  std::vector<int32_t> labels;
  int64_t steps = 0;
  std::vector<Case> cases;
  void fields(Fields& f) {
    f("x", x, "");
    f("labels", labels, "");
    f("steps", steps, "");
    f("cases", cases, "");
  }
};

// The shipped config on the small network, deterministic.
RunConfig config_of(const std::string& method) {
  const std::string bias = method == "wage" ? "false" : "true";
  std::vector<std::string> changes{
      R"(model={"layers": [{"linear": {"out": 6, "bias": )" + bias + R"(}}, "relu", {"linear": {"bias": )" + bias + "}}]}",
      "compute=f64"};
  if (method == "wage") changes.push_back("precision.weight_grads.rounding=nearest_even");
  return load_config(source_dir() + "/configs/methods/" + method + ".json", changes);
}

}  // namespace

TEST_CASE("every weight after every step is the golden one") {
  Shifts shifts;
  read(Document::load(source_dir() + "/tests/golden/shifts.json"), shifts);
  REQUIRE(shifts.cases.size() == 2);
  for (const Case& golden : shifts.cases) {
    CAPTURE(golden.name);
    const RunConfig config = config_of(golden.name);
    Model model(config.model, {12}, 4, config.phases[0].precision, config.dtype(), Key(1));
    const std::vector<Param*> params = model.params();
    REQUIRE(params.size() == golden.params.size());
    for (size_t i = 0; i < params.size(); ++i) params[i]->value = golden.params[i].tensor(DType::f64);
    OptimizerState state;
    Choice<LossScale> none("none");
    for (int64_t step = 0; step < shifts.steps; ++step)
      train_step(model, config.phases[0], shifts.x.tensor(DType::f64), shifts.labels, {step, step, 1}, *none, state);
    for (size_t i = 0; i < params.size(); ++i) {
      CAPTURE(params[i]->name);
      CHECK(golden::distance(params[i]->value, golden.after[i]) < 1e-12);
      CHECK(golden::distance(params[i]->value, golden.params[i]) > 1e-3);
    }
  }
}
