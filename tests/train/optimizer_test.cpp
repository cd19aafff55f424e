// Optimizers against their formulas, written once more in plain double arithmetic. PyTorch's numbers are in golden_test.cpp.
#include "lptrain/train/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

struct Holder {
  Choice<Optimizer> optimizer;
  void fields(Fields& f) { f("optimizer", optimizer, ""); }
};

Choice<Optimizer> made(const std::string& text) {
  Holder h;
  read(Document::parse("{\"optimizer\": " + text + "}", "test"), h);
  return h.optimizer;
}

std::vector<Tensor> fresh_slots(const Optimizer& optimizer, const Tensor& w) {
  std::vector<Tensor> slots;
  for (size_t i = 0; i < optimizer.slots().size(); ++i) slots.push_back(Tensor::zeros(w.shape(), w.dtype()));
  return slots;
}

// w after steps along the given gradients, starting from 1.
double walked(const Choice<Optimizer>& optimizer, std::initializer_list<double> gradients, bool decays = true) {
  Tensor w = Tensor::of<double>({1}, {1.0});
  std::vector<Tensor> slots = fresh_slots(*optimizer, w);
  int64_t step = 0;
  for (double g : gradients) optimizer->update({optimizer->lr, ++step, decays}, w, Tensor::of<double>({1}, {g}), slots);
  return w.item();
}

bool is_refused(const std::string& text) {
  try {
    made(text);
    return false;
  } catch (const DocumentError&) {
    return true;
  }
}

}  // namespace

TEST_CASE("sgd, by hand") {
  CHECK(walked(made(R"({"sgd": {"lr": 0.5}})"), {0.5, 0.25}) == doctest::Approx(1 - 0.25 - 0.125));
  CHECK(walked(made(R"({"sgd": {"lr": 0.5, "momentum": 0.5}})"), {0.5, 0.25}) == doctest::Approx(1 - 0.25 - 0.5 * (0.25 + 0.25)));
  const double v1 = 0.5, v2 = 0.5 * v1 + 0.25;
  CHECK(walked(made(R"({"sgd": {"lr": 0.5, "momentum": 0.5, "nesterov": true}})"), {0.5, 0.25}) ==
        doctest::Approx(1 - 0.5 * (0.5 + 0.5 * v1) - 0.5 * (0.25 + 0.5 * v2)));
  CHECK(walked(made(R"({"sgd": {"lr": 0.5, "weight_decay": 0.1}})"), {0.5}) == doctest::Approx(1 - 0.5 * 0.6));
}

TEST_CASE("the first step of adam has the size lr, whatever the gradient's") {
  for (double g : {1e-3, -1.0, 1e3})
    CHECK(walked(made("\"adam\""), {g}) == doctest::Approx(1 - std::copysign(0.001, g)).epsilon(1e-6));
  CHECK(walked(made(R"({"adamw": {"lr": 0.1, "weight_decay": 0.5}})"), {0.0}) == doctest::Approx(0.95));
  CHECK(walked(made(R"({"adam": {"lr": 0.1, "weight_decay": 0.5}})"), {0.0}) == doctest::Approx(0.9));
}

TEST_CASE("parameters that do not decay do not") {
  for (const char* text : {R"({"sgd": {"lr": 0.1, "weight_decay": 0.5}})", R"({"adam": {"weight_decay": 0.5}})",
                           R"({"adamw": {"weight_decay": 0.5}})"})
    CHECK(walked(made(text), {0.0, 0.0}, false) == 1.0);
}

TEST_CASE("the rate of a step is the caller's") {
  const Choice<Optimizer> sgd = made(R"({"sgd": {"lr": 0.5}})");
  Tensor w = Tensor::of<float>({2}, {1.0f, 2.0f});
  sgd->update({0.25, 1, true}, w, Tensor::of<float>({2}, {1.0f, -1.0f}), {});
  CHECK(w.data<float>()[0] == 0.75f);
  CHECK(w.data<float>()[1] == 2.25f);
}

TEST_CASE("defaults") {
  CHECK(Choice<Optimizer>("sgd")->lr == 0.01);
  CHECK(Choice<Optimizer>("adam")->lr == 0.001);
  CHECK(Choice<Optimizer>("sgd")->slots().empty());
  CHECK(made(R"({"sgd": {"momentum": 0.9}})")->slots() == std::vector<std::string_view>{"velocity"});
  CHECK(Choice<Optimizer>("adamw")->slots() == std::vector<std::string_view>{"m", "v"});
}

TEST_CASE("a copy is a deep one, and keeps what kind it is") {
  Choice<Optimizer> a = made(R"({"adamw": {"lr": 0.1, "weight_decay": 0.5}})");
  const Choice<Optimizer> b = a;
  a->lr = 7;
  CHECK(b->lr == 0.1);
  CHECK(walked(b, {0.0}) == doctest::Approx(0.95));
}

TEST_CASE("impossible settings are refused") {
  for (const char* text :
       {"\"sgdd\"", R"({"sgd": {"lr": -1}})", R"({"sgd": {"nesterov": true}})", R"({"sgd": {"momentum": 1.5}})",
        R"({"adam": {"beta1": 1}})", R"({"adam": {"eps": 0}})", R"({"adam": {"momentum": 0.9}})"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
}

TEST_CASE("tensors that do not belong together are refused") {
  const Choice<Optimizer> adam("adam");
  Tensor w = Tensor::zeros({3});
  auto slots = fresh_slots(*adam, w);
  CHECK_THROWS_AS(adam->update({0.1, 1, true}, w, Tensor::zeros({2}), slots), Error);
  CHECK_THROWS_AS(adam->update({0.1, 1, true}, w, Tensor::zeros({3}, DType::f64), slots), Error);
  CHECK_THROWS_AS(adam->update({0.1, 0, true}, w, Tensor::zeros({3}), slots), Error);
  CHECK_THROWS_AS(adam->update({0.1, 1, true}, w, Tensor::zeros({3}), {}), Error);
}
