// Losses as configs choose them: PyTorch's values and gradients, and what class the logits name.
#include "lptrain/train/loss.h"

#include <doctest/doctest.h>

#include "train/golden.h"

using namespace lp;

TEST_CASE("values and gradients agree with PyTorch's") {
  REQUIRE(golden::training().losses.size() >= 9);
  for (const golden::LossCase& c : golden::training().losses)
    for (DType type : {DType::f64, DType::f32}) {
      CAPTURE(c.loss.name());
      CAPTURE(c.logits.shape[1]);
      CAPTURE(name_of(type));
      const double tolerance = type == DType::f64 ? 1e-12 : 1e-6;
      Tape tape;
      const Var logits = tape.leaf(c.logits.tensor(type));
      const Var loss = (*c.loss)(logits, c.labels);
      CHECK(loss.shape() == Shape{});
      CHECK(std::abs(loss.tensor().item() - c.value) < tolerance * (1 + c.value));
      CHECK(golden::distance(tape.backward(loss).of(logits), c.gradient) < tolerance);
    }
}

TEST_CASE("the class of a row of logits is the largest, the first of equals; of one column, a threshold") {
  const std::vector<double> row{0.5, 2, -1, 2}, above{0.25}, below{-0.25}, most{0.75};
  for (const ChoiceRow<Loss>& kind : choices<Loss>()) CHECK(kind.make()->predict(row) == 1);
  for (const char* name : {"binary_cross_entropy", "squared_hinge"}) {
    CHECK(Choice<Loss>(name)->predict(above) == 1);
    CHECK(Choice<Loss>(name)->predict(below) == 0);
  }
  CHECK(Choice<Loss>("mse")->predict(above) == 0);  // its targets are 0 and 1
  CHECK(Choice<Loss>("mse")->predict(most) == 1);
}

TEST_CASE("classes of a batch") {
  const Choice<Loss> loss("cross_entropy");
  CHECK(classes_of(*loss, Tensor::of<float>({2, 3}, {0, 1, 0, 5, 1, 2})) == std::vector<int32_t>{1, 0});
  CHECK(classes_of(*loss, Tensor::of<double>({1, 2}, {0, 1})) == std::vector<int32_t>{1});
}

TEST_CASE("a loss falls along its gradient, and is least where the class is right") {
  const std::vector<int32_t> labels{2, 0};
  for (const ChoiceRow<Loss>& row : choices<Loss>()) {
    CAPTURE(row.name);
    const auto loss = row.make();
    const Tensor right = Tensor::of<double>({2, 3}, {0, 0, 1, 1, 0, 0}), wrong = Tensor::of<double>({2, 3}, {1, 0, 0, 0, 1, 0});
    CHECK((*loss)(Var(right), labels).tensor().item() < (*loss)(Var(wrong), labels).tensor().item());
  }
}

TEST_CASE("labels that do not fit are refused") {
  const Tensor logits = Tensor::zeros({2, 3});
  for (const ChoiceRow<Loss>& row : choices<Loss>()) {
    CAPTURE(row.name);
    const auto loss = row.make();
    CHECK_THROWS_AS((*loss)(Var(logits), std::vector<int32_t>{0}), Error);
    CHECK_THROWS_AS((*loss)(Var(logits), std::vector<int32_t>{0, 3}), Error);
    CHECK_THROWS_AS((*loss)(Var(logits), std::vector<int32_t>{-1, 0}), Error);
  }
}
