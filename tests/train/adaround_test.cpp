// Learned rounding: against every possible rounding of a small layer, and the cases in which nothing is to be learned.
#include "lptrain/train/adaround.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/networks.h"

using namespace lp;

namespace {

constexpr const char* kInt3 = R"({"weights": {"format": "int3", "scale": {"fixed": {"value": 0.25}}}})";

struct Twins {
  Model model, reals;
  Twins(std::string_view precision, std::string_view layers, const Shape& input)
      : model(model_of(layers, input, precision)), reals(model_of(layers, input)) {}
};

double squared_error(Model& a, Model& b, const Tensor& x) {
  return sum_of_squares(zip(predict(a, x), predict(b, x), [](auto y, auto right) { return y - right; }));
}

// Inputs whose elements go together, so that errors of neighbouring weights can cancel each other.
Tensor correlated(int64_t rows, int64_t columns) {
  Tensor x = random_normal(Shape{rows, columns}, Key(5));
  for (size_t r = 0; r < static_cast<size_t>(rows); ++r)
    for (size_t c = 1; c < static_cast<size_t>(columns); ++c)
      x.data<float>()[r * static_cast<size_t>(columns) + c] =
          x.data<float>()[r * static_cast<size_t>(columns)] + 0.2f * x.data<float>()[r * static_cast<size_t>(columns) + c];
  return x;
}

}  // namespace

TEST_CASE("what is learned is near the best of all roundings, and better than nearest") {
  constexpr int kWeights = 7;
  Twins t(kInt3, R"([{"linear": {"out": 1, "bias": false}}])", {kWeights});
  Param &p = *t.model.params()[0], &real = *t.reals.params()[0];
  const std::vector<float> w{0.11f, 0.12f, 0.13f, -0.36f, 0.1f, 0.62f, 0.115f};
  real.value = Tensor::of<float>(real.value.shape(), w);
  p.value = real.value.clone();
  const Tensor x = correlated(64, kWeights);
  const double nearest = squared_error(t.model, t.reals, x);
  double best = nearest;
  for (int choice = 0; choice < 1 << kWeights; ++choice) {
    for (int i = 0; i < kWeights; ++i)
      p.value.data<float>()[static_cast<size_t>(i)] =
          0.25f * (std::floor(w[static_cast<size_t>(i)] / 0.25f) + static_cast<float>(choice >> i & 1));
    best = std::min(best, squared_error(t.model, t.reals, x));
  }
  p.value = real.value.clone();
  const std::vector<std::string> lines = adaround(t.model, t.reals, std::vector{x}, {.steps = 800});
  const double learned = squared_error(t.model, t.reals, x);
  CAPTURE(nearest);
  CAPTURE(best);
  CHECK(best < 0.5 * nearest);
  CHECK(learned < 0.5 * nearest);
  CHECK(learned <= 3 * best);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("lower than with nearest rounding") != std::string::npos);
  for (size_t i = 0; i < w.size(); ++i) {
    const float code = p.value.data<float>()[i] / 0.25f;
    CHECK(code == std::round(code));
    CHECK(std::abs(p.value.data<float>()[i] - w[i]) < 0.25f);  // one of the two neighbours
  }
}

TEST_CASE("layers in a row, scales by channel, zero points of activations: never worse on the calibration examples") {
  Twins t(
      R"({"weights": {"format": "int4", "scale": "widest", "per": "channel"},
              "activations": {"format": "uint8", "zero_point": true}})",
      R"([{"conv2d": {"out": 4, "pad": 1}}, "relu", {"conv2d": {"out": 4, "groups": 2}}, "relu", "flatten", "linear"])",
      {5, 5, 2});
  for (Param* p : t.model.params())
    if (p->lens && p->lens->role == Role::weights) p->lens->observed = measure(p->value, p->lens->quantizer, 0);
  const std::vector<Tensor> batches{random_normal(Shape{16, 5, 5, 2}, Key(3)), random_normal(Shape{16, 5, 5, 2}, Key(4))};
  const Tensor all = concat(batches, 0);
  const double before = squared_error(t.model, t.reals, all);
  CHECK(adaround(t.model, t.reals, batches, {.steps = 100}).size() == 3);
  CHECK(squared_error(t.model, t.reals, all) < before);
}

TEST_CASE("a scale that is measured on the weights is refused; other formats are left") {
  const std::vector<Tensor> x{random_normal(Shape{4, 3}, Key(1))};
  Twins measured(R"({"weights": "int4"})", R"(["linear"])", {3});
  const std::string error = error_of([&] { adaround(measured.model, measured.reals, x, {}); });
  CHECK(error.find("fc1.weight") != std::string::npos);
  CHECK(error.find("widest") != std::string::npos);
  for (const char* precision : {R"({"weights": "e4m3"})", R"({"weights": "binary"})", "{}",
                                R"({"weights": {"format": "int4", "scale": "ema", "offset": "mean"}})"}) {
    CAPTURE(precision);
    Twins left(precision, R"(["linear"])", {3});
    const Tensor was = left.model.params()[0]->value.clone();
    const std::vector<std::string> lines = adaround(left.model, left.reals, x, {.steps = 5});
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("fc1: left as it is"));
    CHECK(std::memcmp(was.raw(), left.model.params()[0]->value.raw(), static_cast<size_t>(was.bytes())) == 0);
  }
}

TEST_CASE("weights on the grid already stay") {
  Twins t(kInt3, R"([{"linear": {"out": 1, "bias": false}}])", {3});
  for (Model* m : {&t.model, &t.reals}) m->params()[0]->value = Tensor::of<float>(Shape{1, 3}, {0.25f, -0.5f, 0.75f});
  const std::vector<std::string> lines =
      adaround(t.model, t.reals, std::vector{random_normal(Shape{8, 3}, Key(1))}, {.steps = 20});
  CHECK(lines[0].find("nearest rounding stays") != std::string::npos);
  CHECK(t.model.params()[0]->value.data<float>()[2] == 0.75f);
}

TEST_CASE("a recurrent layer's products learn to round, borrowed weights do not") {
  Twins t(kInt3, R"([{"lstm": {"out": 4}}, {"linear": {"out": 4}}, {"linear": {"out": 4, "tied": "fc1"}}, {"linear": {}}])",
          {5, 3});
  const std::vector<Tensor> batches{random_normal(Shape{16, 5, 3}, Key(1))};
  const std::vector<std::string> lines = adaround(t.model, t.reals, batches, {.steps = 50});
  CHECK(lines.size() == 5);
  CHECK(lines[3] == "fc2: left as it is: its weights are those of fc1");
}
