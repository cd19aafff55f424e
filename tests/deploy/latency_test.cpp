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

TEST_CASE("networks that read tokens are timed on tokens") {
  Model model = model_of(
      R"([{"reshape": {"shape": [2, 3]}}, {"embedding": {"vocabulary": 5, "dim": 4}}, "flatten", {"linear": {}}])", Shape{6});
  CHECK(batch_seconds(model, 2) > 0);
}
