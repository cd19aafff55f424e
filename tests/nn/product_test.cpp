// Standardized weights: what the product sees, that only their direction matters, and the gradient that follows.
#include <doctest/doctest.h>

#include <cmath>

#include "nn/networks.h"

using namespace lp;

namespace {

constexpr const char* kLayers =
    R"([{"conv2d": {"name": "conv", "out": 4, "kernel": 3, "standardize": true}}, "tanh", "flatten",
        {"linear": {"standardize": true}}])";
const Shape kInput{6, 6, 2};

Tensor batch() { return random_normal({9, 6, 6, 2}, Key(3), DType::f64); }

Param& weight(Model& model) { return *model.params().front(); }

double loss_of(Model& model, const std::vector<int32_t>& labels) {
  return cross_entropy(Var(predict(model, batch())), labels).tensor().item();
}

}  // namespace

TEST_CASE("the lens sees each output's weights with mean 0 and variance 2 / n, whatever their own") {
  Model model = model_of(kLayers, kInput, R"({"weights": {"format": "int8", "per": "channel"}})", DType::f64);
  weight(model).value = map(weight(model).value, [](auto w) { return 7 * w + 3; });
  Context eye(nullptr, Mode::eval);
  Tensor before, after;
  eye.watch([&](const Look& look) {
    if (look.lens.name == "conv.weight") before = look.x.tensor(), after = look.y.tensor();
  });
  model.forward(eye, batch());
  REQUIRE(before.size() == 4 * 18);
  for (size_t o = 0; o < 4; ++o) {
    double sum = 0, squares = 0;
    for (size_t i = o * 18; i < (o + 1) * 18; ++i)
      sum += before.data<double>()[i], squares += std::pow(before.data<double>()[i], 2);
    CHECK(sum == doctest::Approx(0).epsilon(1e-9));
    CHECK(squares / 18 == doctest::Approx(2.0 / 18).epsilon(1e-6));
  }
  CHECK(largest_magnitude(zip(before, after, [](auto a, auto b) { return a - b; })) > 0);  // then come 8 bits
}

TEST_CASE("their gradient is that of the loss, by differences, and turns them without making them longer") {
  Model model = model_of(kLayers, kInput, "{}", DType::f64);
  const std::vector<int32_t> labels = labels_for(9, 3);
  Tape tape;
  Context context(&tape, Mode::train);
  const Var loss = cross_entropy(model.forward(context, batch()), labels);
  const Gradients gradients = tape.backward(loss);
  const Tensor dw = gradients.of(context.leaves().front().second);
  REQUIRE(context.leaves().front().first == &weight(model));
  CHECK(std::abs(dot(dw, weight(model).value)) < 1e-6 * std::sqrt(dot(dw, dw)));
  const Tensor start = weight(model).value.clone(), v = random_normal(start.shape(), Key(8), DType::f64);
  const auto at = [&](double t) {
    weight(model).value = zip(start, v, [t](auto w, auto d) { return w + t * d; });
    return loss_of(model, labels);
  };
  CHECK((at(1e-5) - at(-1e-5)) / 2e-5 == doctest::Approx(dot(dw, v)).epsilon(1e-6));
}

TEST_CASE("layers that are not standardized are as they were; batch norms fold into those that are") {
  Model plain = model_of(R"([{"conv2d": {"out": 4, "kernel": 3}}, "flatten", "linear"])", kInput);
  CHECK_FALSE(weight(plain).is_remade);
  const auto layers = [](const char* fold) {
    return fmt::format(
        R"([{{"conv2d": {{"out": 4, "kernel": 3, "standardize": true}}}}, {{"batch_norm": {{"fold": "{}"}}}}, "flatten",
        "linear"])",
        fold);
  };
  Model apart = model_of(layers("none"), kInput, "{}", DType::f64), folded = model_of(layers("batch"), kInput, "{}", DType::f64);
  for (int step = 0; step < 3; ++step)
    CHECK(descend(apart, batch(), labels_for(9, 3), 0.2) ==
          doctest::Approx(descend(folded, batch(), labels_for(9, 3), 0.2)).epsilon(1e-9));
}
