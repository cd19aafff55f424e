// Ops with intricate formulas against PyTorch's numbers (tests/golden/ops.json, made by ops.py beside it).
#include <doctest/doctest.h>

#include <map>

#include "lptrain/base/document.h"
#include "op_cases.h"
#include "support/gradcheck.h"
#include "support/numbers.h"
#include "support/places.h"

namespace lp {
namespace {

using test::Numbers;

struct Golden {
  std::string op;
  std::vector<Numbers> inputs, gradients, statistics;
  Numbers y, dy;
  std::vector<int32_t> indices;
  void fields(Fields& f) {
    f("op", op, "name of the op");
    f("inputs", inputs, "in the order of its arguments");
    f("y", y, "its value");
    f("dy", dy, "dL/dy");
    f("gradients", gradients, "dL/d(input)");
    f("statistics", statistics, "mean and variance; or what a teacher says");
    f("indices", indices, "labels or rows");
  }
};

struct GoldenFile {
  std::vector<Golden> cases;
  void fields(Fields& f) { f("cases", cases, "one a call"); }
};

using Call = std::function<Var(const Inputs&, const Golden&)>;

const std::map<std::string, Call>& calls() {
  static const Pool2d pool{.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 1};
  static const Conv2d conv{.stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 2, .dilation_h = 1, .dilation_w = 2, .groups = 2};
  static const std::map<std::string, Call> table{
      {"batch_norm", [](auto& v, auto&) { return batch_norm(v[0], v[1], v[2], 1e-5).y; }},
      {"batch_norm_fixed",
       [](auto& v, auto& g) {
         return batch_norm_fixed(v[0], v[1], v[2], g.statistics[0].tensor(), g.statistics[1].tensor(), 1e-5);
       }},
      {"layer_norm", [](auto& v, auto&) { return layer_norm(v[0], v[1], v[2], 1e-5); }},
      {"conv2d", [](auto& v, auto&) { return conv2d(v[0], v[1], v[2], conv); }},
      {"embedding",
       [](auto& v, auto& g) {
         return embedding(v[0], g.indices, {2, 3});
       }},
      {"max_pool2d", [](auto& v, auto&) { return max_pool2d(v[0], pool); }},
      {"avg_pool2d", [](auto& v, auto&) { return avg_pool2d(v[0], pool); }},
      {"cross_entropy", [](auto& v, auto& g) { return cross_entropy(v[0], g.indices); }},
      {"cross_entropy_smoothed", [](auto& v, auto& g) { return cross_entropy(v[0], g.indices, 0.1); }},
      {"binary_cross_entropy", [](auto& v, auto& g) { return binary_cross_entropy(v[0], g.indices); }},
      {"distillation", [](auto& v, auto& g) { return distillation(v[0], g.statistics[0].tensor(), 3); }},
      {"similarity", [](auto& v, auto& g) { return similarity(v[0], g.statistics[0].tensor()); }},
      {"squared_hinge", [](auto& v, auto& g) { return squared_hinge(v[0], g.indices); }},
      {"mse", [](auto& v, auto&) { return mse(v[0], v[1]); }},
  };
  return table;
}

Var call(const Golden& golden, const Inputs& inputs) {
  const auto row = calls().find(golden.op);
  return row == calls().end() ? activation(golden.op, inputs[0]) : row->second(inputs, golden);
}

const std::vector<Golden>& golden_cases() {
  static const std::vector<Golden> cases = [] {
    GoldenFile file;
    read(Document::load(source_dir() + "/tests/golden/ops.json"), file);
    return file.cases;
  }();
  return cases;
}

}  // namespace

TEST_CASE("values and gradients are PyTorch's") {
  CHECK(golden_cases().size() >= 25);
  for (const Golden& golden : golden_cases()) {
    CAPTURE(golden.op);
    const auto run = [&](const Inputs& v) { return call(golden, v); };
    std::vector<Tensor> inputs;
    for (const Numbers& n : golden.inputs) inputs.push_back(n.tensor());
    CHECK(difference(value_at(run, inputs), golden.y.tensor()) <= 1e-12);
    const std::vector<Tensor> gradients = pulled_back(run, inputs, golden.dy.tensor());
    for (size_t i = 0; i < inputs.size(); ++i) {
      CAPTURE(i);
      CHECK(difference(gradients[i], golden.gradients[i].tensor()) <= 1e-12);
    }
  }
}

TEST_CASE("batch_norm reports the mean and the unbiased variance, as PyTorch's running averages take them") {
  const auto golden = std::ranges::find(golden_cases(), "batch_norm", &Golden::op);
  REQUIRE(golden != golden_cases().end());
  const BatchNorm bn = batch_norm(golden->inputs[0].tensor(), golden->inputs[1].tensor(), golden->inputs[2].tensor(), 1e-5);
  CHECK(difference(bn.mean, golden->statistics[0].tensor()) <= 1e-12);
  CHECK(difference(bn.variance, golden->statistics[1].tensor()) <= 1e-12);
}

TEST_CASE("every activation of the list has golden numbers") {
  for (const ActivationRow& a : activations()) {
    CAPTURE(a.name);
    CHECK(std::ranges::find(golden_cases(), a.name, &Golden::op) != golden_cases().end());
  }
}

}  // namespace lp
