// Frozen networks: the same bits out of a fraction of the bytes.
#include "lptrain/nn/freeze.h"

#include <doctest/doctest.h>

#include "lptrain/nn/cost.h"
#include "nn/networks.h"

using namespace lp;

namespace {

constexpr std::string_view kLayers = R"([{"conv2d": {"out": 32, "kernel": 3, "pad": 1}}, "relu",
  {"conv2d": {"out": 32, "kernel": 3, "stride": 2}}, "batch_norm", "relu", "flatten",
  {"linear": {"out": 40}}, "relu", "linear"])";
const Shape kInput{8, 8, 16};

std::string precision(std::string_view weights, std::string_view activations) {
  return fmt::format(R"({{"weights": {}, "activations": {}}})", weights, activations);
}

}  // namespace

TEST_CASE("a frozen network gives the same bits, whatever its weights are") {
  const Tensor x = random_normal({4, 8, 8, 16}, Key(3));
  for (const std::string& p : {
           precision(R"({"format": "binary", "per": "channel"})", R"({"format": "binary", "scale": {"fixed": {"value": 1}}})"),
           precision(R"({"format": "ternary", "per": "channel"})", R"({"format": "uint2", "scale": "ema"})"),
           precision(R"({"format": "int4", "narrow": true, "per": "channel"})", R"({"format": "uint8", "scale": "ema"})"),
           precision(R"({"format": "int3"})", R"({"format": "int8", "zero_point": true})"),
           precision(R"({"format": "int2", "scale": "learned"})", R"({"format": "uint4", "scale": "learned"})"),
           precision(R"({"format": "int4", "per": "network"})", R"({"format": "int16"})"),
           precision(R"({"format": "int5", "per": "channel"})", R"("f32")"),
           precision(R"("int8")", R"("uint8")"),
           precision(R"("bf16")", R"("bf16")"),
           precision(R"("mxfp4")", R"("f32")"),
           std::string("{}"),
       }) {
    CAPTURE(p);
    Model model = model_of(kLayers, kInput, p);
    for (int step = 0; step < 2; ++step) descend(model, x, labels_for(4, 3), 0.1);
    const Tensor before = predict(model, x), one = predict(model, x.rows(1, 2));
    freeze(model);
    freeze(model);
    CHECK(numbers_of(predict(model, x)) == numbers_of(before));
    CHECK(numbers_of(predict(model, x.rows(1, 2))) == numbers_of(one));
  }
}

TEST_CASE("frozen weights take their own width, before and after they were used; masters are gone") {
  const auto parameters = [](std::string_view weights) {
    Model model = model_of(kLayers, kInput, precision(weights, R"({"format": "uint8", "scale": "ema"})"));
    const int64_t counted = cost_of(model).bytes, whole = held_bytes(model);
    const Tensor x = random_normal({2, 8, 8, 16}, Key(3));
    freeze(model);
    const int64_t held = held_bytes(model);
    predict(model, x);
    CHECK(held_bytes(model) == held);
    for (const Param* p : model.params())
      if (p->lens && !p->lens->is_identity()) CHECK((!p->value && p->frozen));
    CHECK(held < whole);
    return std::pair(held, counted);
  };
  for (const char* weights :
       {R"({"format": "binary", "per": "channel"})", R"({"format": "ternary"})", R"({"format": "int4", "per": "channel"})"}) {
    const auto [held, counted] = parameters(weights);
    CHECK(static_cast<double>(held) == doctest::Approx(static_cast<double>(counted)).epsilon(0.02));
  }
}
