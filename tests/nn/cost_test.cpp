// Costs: by hand for small networks, and the rules that they follow.
#include "lptrain/nn/cost.h"

#include <doctest/doctest.h>

#include "nn/networks.h"

using namespace lp;

namespace {

constexpr const char* kLayers =
    R"([{"conv2d": {"out": 4, "kernel": 3, "pad": 1}}, "relu", "max_pool2d", "flatten", {"linear": {}}])";

ModelCost cost_with(const char* precision, DType compute = DType::f32) {
  Model model = model_of(kLayers, Shape{4, 4, 2}, precision, compute);
  return cost_of(model);
}

double pico(std::string_view a, std::string_view b) { return 1e12 * mac_joules(Format::parse(a), Format::parse(b)); }

}  // namespace

TEST_CASE("the energy of a multiply-accumulate is the table's at its own widths") {
  CHECK(pico("int8", "uint8") == doctest::Approx(0.2 + 0.1));
  CHECK(pico("int32", "int32") == doctest::Approx(3.1 + 0.1));
  CHECK(pico("f16", "f16") == doctest::Approx(1.1 + 0.9));
  CHECK(pico("bf16", "f16") == doctest::Approx(1.1 + 0.9));
  CHECK(pico("f32", "f32") == doctest::Approx(3.7 + 0.9));
  CHECK(pico("f64", "f32") == doctest::Approx(4 * 3.7 + 2 * 0.9));
  CHECK(pico("int8", "f32") == pico("f32", "f32"));  // runs on reals
  CHECK(pico("binary", "binary") == doctest::Approx(0.1 + 0.2 / 64));
  CHECK(pico("q3.4", "ternary") == doctest::Approx(0.1 + 0.2 * 16 / 64));
  for (const auto& [a, b] : {std::pair("int4", "uint8"), {"e4m3", "int8"}, {"f64", "int2"}}) CHECK(pico(a, b) == pico(b, a));
}

TEST_CASE("narrower integers, and narrower reals, cost less") {
  for (const std::vector<const char*>& formats :
       {std::vector{"int32", "int16", "int8", "int4", "ternary", "binary"}, std::vector{"f64", "f32", "bf16", "e4m3", "e2m1"}})
    for (size_t i = 1; i < formats.size(); ++i) CHECK(pico(formats[i], formats[i]) < pico(formats[i - 1], formats[i - 1]));
}

TEST_CASE("a small network, counted by hand") {
  const ModelCost c =
      cost_with(R"({"weights": "int4", "activations": "uint8", "biases": "bf16", "overrides": {"fc1": {"weights": "f32"}}})");
  REQUIRE(c.layers.size() == 5);
  const LayerCost &conv = c.layers[0], &linear = c.layers[4];
  CHECK(conv.weight_count == 4 * 9 * 2);
  CHECK(conv.parameters == conv.weight_count + 4);
  CHECK(conv.bytes == (conv.weight_count * 4 + 32 + 4 * 16 + 32) / 8);  // a scale each
  CHECK(conv.macs == 4 * 4 * 4 * 9 * 2);
  CHECK(conv.bit_operations == conv.macs * 4 * 8);
  CHECK(conv.energy_joules == doctest::Approx(static_cast<double>(conv.macs) * 1e-12 * (0.1 + 0.1)));
  CHECK(conv.output == "[4,4,4]");
  CHECK(conv.weights == "int4");
  CHECK(conv.activations == "uint8");
  CHECK(conv.bits_per_weight == 4);
  CHECK(linear.weight_count == 16 * 3);
  CHECK(linear.weights == "f32");
  CHECK(linear.bit_operations == 16 * 3 * 32 * 8);
  CHECK(c.layers[1].parameters + c.layers[1].macs + c.layers[1].bytes == 0);
  CHECK(c.parameters == conv.parameters + linear.parameters);
  CHECK(c.bytes == conv.bytes + linear.bytes);
  CHECK(c.macs == conv.macs + linear.macs);
  CHECK(c.bit_operations == conv.bit_operations + linear.bit_operations);
  CHECK(c.energy_joules == doctest::Approx(conv.energy_joules + linear.energy_joules));
  CHECK(c.bits_per_weight == doctest::Approx((4.0 * 72 + 32.0 * 48) / 120));
}

TEST_CASE("scales of blocks count as bits of the weights") {
  const auto bits = [](const char* weights) {
    Model model = model_of(R"([{"linear": {"bias": false}}])", Shape{64}, fmt::format(R"({{"weights": {}}})", weights));
    return cost_of(model).bits_per_weight;
  };
  CHECK(bits(R"("mxfp4")") == 4.25);
  CHECK(bits(R"({"format": "int4", "per": "block:16"})") == 4 + 32.0 / 16);
  CHECK(bits(R"({"format": "int4", "per": "channel"})") == 4);
}

TEST_CASE("trained widths count as what they have reached") {
  Model model = model_of(R"([{"linear": {"bias": false}}])", Shape{64},
                         R"({"weights": {"format": "int8", "scale": {"learned_bits": {"bits": 5}}}})");
  CHECK(cost_of(model).bits_per_weight == 8);  // nothing is known yet
  descend(model, random_normal({4, 64}, Key(1)), labels_for(4, 3), 0);
  CHECK(cost_of(model).bits_per_weight == 5);
  CHECK(cost_of(model).layers[0].weights == "int5");
}

TEST_CASE("what a rule only calls 8 bits counts as the reals that it leaves") {
  const auto cost = [](const char* rule, DType compute) {
    Model model =
        model_of(R"([{"linear": {"bias": false}}])", Shape{64},
                 fmt::format(R"({{"weights": {{"format": "int8", "scale": {{"errata": {{"rule": "{}"}}}}}}}})", rule), compute);
    return cost_of(model);
  };
  const ModelCost reals = cost("unrounded_32_bits", DType::f32);
  CHECK(reals.bits_per_weight == 32);
  CHECK(reals.bytes == 64 * 3 * 4);
  CHECK(reals.layers[0].weights == "f32");
  CHECK(cost("unrounded_32_bits", DType::f64).bits_per_weight == 64);
  CHECK(cost("times_2n", DType::f32).bits_per_weight == 8);  // wrong, but rounded
  CHECK(cost("farther_neighbour", DType::f32).bits_per_weight == 8);
}

TEST_CASE("what is not quantized has the width of the arithmetic") {
  CHECK(cost_with("{}").bits_per_weight == 32);
  const ModelCost wide = cost_with("{}", DType::f64);
  CHECK(wide.layers[0].weights == "f64");
  CHECK(wide.layers[0].bit_operations == wide.layers[0].macs * 64 * 64);
  CHECK(wide.bytes == wide.parameters * 8);
}

TEST_CASE("codes that enter the network reach the first product past its own lens") {
  const ModelCost c = cost_with(R"({"input": "uint4", "weights": "int8", "activations": "uint8"})");
  CHECK(c.layers[0].activations == "uint4");
  CHECK(c.layers[4].activations == "uint8");
  CHECK(cost_with(R"({"input": "e4m3", "activations": "uint8"})").layers[0].activations == "uint8");  // has no codes
}

TEST_CASE("zeros are counted behind mask and quantizer") {
  CHECK(cost_with("{}").sparsity == 0);
  Model model = model_of(R"([{"linear": {"out": 4, "bias": false}}, {"linear": {"out": 3}}])", Shape{4},
                         R"({"overrides": {"fc1": {"weights": "ternary"}}})");
  Param& w = *model.params()[0];
  w.value = Tensor::of<float>(Shape{4, 4}, {1, -1, 0.1f, 0.1f, 1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1});
  ModelCost c = cost_of(model);
  CHECK(c.layers[0].sparsity == 2.0 / 16);
  CHECK(c.sparsity == doctest::Approx(2.0 / (16 + 12)));
  w.mask = Tensor::full(w.value.shape(), 1);
  w.mask.data<float>()[0] = 0;
  CHECK(cost_of(model).layers[0].sparsity == 3.0 / 16);
}

TEST_CASE("layers inside layers, and weights without a product") {
  Model model = model_of(R"([{"residual": {"layers": [{"conv2d": {"out": 2, "kernel": 3, "pad": 1}}, {"batch_norm": {}}]}},
                             "flatten", {"linear": {}}])",
                         Shape{4, 4, 2}, R"({"weights": "int8"})");
  const ModelCost c = cost_of(model);
  int64_t parameters = 0;
  for (const Param* p : model.params()) parameters += p->value.size();
  CHECK(c.parameters == parameters);
  CHECK(c.weight_count == 2 * 9 * 2 + 32 * 3);
}
