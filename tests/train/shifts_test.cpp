// WAGE, dynamic fixed point and NITI: steps as independent programs made them from the papers (tests/golden/shifts.py, niti.py).
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

Shifts golden_of(const std::string& name) {
  Shifts shifts;
  read(Document::load(source_dir() + "/tests/golden/" + name + ".json"), shifts);
  return shifts;
}

std::string linear(int64_t out, bool has_bias) {
  return fmt::format(R"({{"linear": {{"out": {}, "bias": {}}}}})", out, has_bias);
}

// The small network of each method.
std::string layers_of(const std::string& method) {
  if (method == "niti_cnn")
    return R"({"conv2d": {"out": 5, "kernel": 3, "pad": 1, "bias": false}}, "relu", {"max_pool2d": {"kernel": 2}}, "flatten", )" +
           linear(4, false);
  if (method.starts_with("niti"))
    return R"("flatten", )" + linear(10, false) + R"(, "relu", )" + linear(6, false) + R"(, "relu", )" + linear(4, false);
  return linear(6, method != "wage") + R"(, "relu", )" + linear(4, method != "wage");
}

// The shipped config on it; what is not integer-only has f64 to compare with.
RunConfig config_of(const std::string& method) {
  std::vector<std::string> changes{fmt::format(R"(model={{"layers": [{}]}})", layers_of(method))};
  if (!method.starts_with("niti")) changes.push_back("compute=f64");
  return load_config(source_dir() + "/configs/methods/" + method + ".json", changes);
}

void follow(const Case& golden, const Shifts& shifts) {
  const RunConfig config = config_of(golden.name);
  const Tensor x = shifts.x.tensor(config.dtype());
  Model model(config.model, x.shape().without(0), 4, config.phases[0].precision, config.dtype(), Key(1));
  const std::vector<Param*> params = model.params();
  REQUIRE(params.size() == golden.params.size());
  for (size_t i = 0; i < params.size(); ++i) params[i]->value = golden.params[i].tensor(config.dtype());
  OptimizerState state;
  Choice<LossScale> none("none");
  for (int64_t step = 0; step < shifts.steps; ++step)
    train_step(model, config.phases[0], x, shifts.labels, {step, step, 1}, *none, state);
  for (size_t i = 0; i < params.size(); ++i) {
    CAPTURE(params[i]->name);
    CHECK(golden::distance(params[i]->value, golden.after[i]) < 1e-12);
    CHECK(golden::distance(params[i]->value, golden.params[i]) > 1e-3);
  }
}

}  // namespace

TEST_CASE("every weight after all steps is the golden one, random rounding included") {
  size_t count = 0;
  for (const char* name : {"shifts", "niti"}) {
    const Shifts shifts = golden_of(name);
    for (const Case& golden : shifts.cases) {
      CAPTURE(golden.name);
      follow(golden, shifts);
      ++count;
    }
  }
  CHECK(count == 5);
}
