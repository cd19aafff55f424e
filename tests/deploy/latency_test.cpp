// Latency is a measurement: what can be tested is that it is one.
#include "lptrain/deploy/latency.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/networks.h"

using namespace lp;

TEST_CASE("a batch takes time, and measuring leaves the model as it was") {
  Model model = model_of(R"([{"linear": {"out": 8}}, "relu", {"linear": {}}])", Shape{4},
                         R"({"activations": {"format": "int8", "scale": "ema"}})");
  const Tensor x = random_normal(Shape{2, 4}, Key(3));
  const Tensor before = predict(model, x);
  const double seconds = batch_seconds(model, 64);
  CHECK(std::isfinite(seconds));
  CHECK(seconds > 0);
  CHECK(std::ranges::equal(predict(model, x).data<float>(), before.data<float>()));
}

TEST_CASE("what disturbs single passes does not make a network faster; what lasts makes the speed-up unmeasurable, by hand") {
  const std::vector<double> before{4, 9, 4, 4, 40, 4}, after{2, 2, 8, 2, 2, 50};
  const SpeedUp s = speed_up_in(before, after);
  CHECK(s.ratio() == 2);
  CHECK(s.low == 2);
  CHECK(s.high == 2);
  CHECK(s.is_measurable());
  const SpeedUp busy = speed_up_in(std::vector<double>{4, 4, 4, 4, 4, 4}, std::vector<double>{2, 2, 3, 3, 5, 5});
  CHECK(busy.ratio() == 2);
  CHECK(busy.low == 0.8);
  CHECK(busy.high == 2);
  CHECK_FALSE(busy.is_measurable());
  CHECK_THROWS_AS(speed_up_in(before, std::vector<double>{1}), Error);
}

TEST_CASE("two networks take turns, each as it is") {
  Model large = model_of(R"([{"linear": {"out": 512}}, "relu", {"linear": {"out": 512}}, "relu", {"linear": {}}])", Shape{512}),
        small = model_of(R"([{"linear": {"out": 8}}, "relu", {"linear": {}}])", Shape{512});
  const SpeedUp s = speed_up(large, small, 64);
  CHECK(s.ratio() > 2);
  CHECK(s.low <= s.high);
}

TEST_CASE("networks that read tokens are timed on tokens") {
  Model model = model_of(
      R"([{"reshape": {"shape": [2, 3]}}, {"embedding": {"vocabulary": 5, "dim": 4}}, "flatten", {"linear": {}}])", Shape{6});
  CHECK(batch_seconds(model, 2) > 0);
}
