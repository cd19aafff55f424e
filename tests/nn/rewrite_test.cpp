// Networks written anew compute the same.
#include "lptrain/nn/rewrite.h"

#include <doctest/doctest.h>

#include "odd_network.h"

using namespace lp;

namespace {

// The rewritten network, which must compute what the model does.
Rewritten same_after(Rewritten (*how)(Network), std::string_view layers, const Shape& input) {
  Model model = odd_model(spec_of(fmt::format(R"({{"layers": {}}})", layers)), input);
  const Tensor x = random_normal(input.behind(5), Key(77), DType::f64), y = predict(model, x);
  Rewritten r = how(network_of(model));
  CHECK(farthest(output_of(r.network, x), y) < 1e-9 * (1 + largest_magnitude(y)));
  return r;
}

}  // namespace

TEST_CASE("a batch norm becomes part of the convolution before it, by hand") {
  Network n{spec_of(R"({"layers": [{"conv2d": {"out": 2, "kernel": 1, "bias": false}}, {"batch_norm": {"eps": 0}}]})"), {}};
  n.tensors["conv1.weight"] = Tensor::of<float>(Shape{2, 1, 1, 1}, {3, -2});
  n.tensors["bn1.weight"] = Tensor::of<float>(Shape{2}, {4, 1});
  n.tensors["bn1.bias"] = Tensor::of<float>(Shape{2}, {10, 0});
  n.tensors["bn1.running_mean"] = Tensor::of<float>(Shape{2}, {1, 5});
  n.tensors["bn1.running_var"] = Tensor::of<float>(Shape{2}, {4, 0.25f});
  const Rewritten r = fold_batch_norm(n);
  REQUIRE(r.changes == std::vector<std::string>{"bn1 folded into conv1"});
  CHECK(r.network.spec.layers.size() == 1);
  CHECK(r.network.tensors.size() == 2);
  const Tensor &w = r.network.tensors.at("conv1.weight"), &b = r.network.tensors.at("conv1.bias");
  CHECK(w.data<float>()[0] == 6);   // gain 4 / 2
  CHECK(w.data<float>()[1] == -4);  // gain 1 / 0.5
  CHECK(b.data<float>()[0] == 8);   // (0 - 1) 2 + 10
  CHECK(b.data<float>()[1] == -10);
}

TEST_CASE("folded networks compute the same: convolutions, groups, linear layers, blocks, repeats, sequences") {
  CHECK(same_after(fold_batch_norm, R"([{"conv2d": {"out": 4, "pad": 1, "bias": false}}, "batch_norm", "relu",
      {"conv2d": {"out": 6, "groups": 2}}, "batch_norm", "flatten", {"linear": {"out": 5}}, "batch_norm", "relu", "linear"])",
                   {6, 6, 2})
            .changes.size() == 3);
  CHECK(same_after(fold_batch_norm,
                   R"([{"conv2d": {"out": 4}}, {"residual": {"layers": [{"conv2d": {"out": 4, "pad": 1}}, "batch_norm",
      "relu", {"conv2d": {"out": 4, "pad": 1}}, "batch_norm"]}}, "relu", "global_avg_pool", "linear"])",
                   {5, 5, 1})
            .changes == std::vector<std::string>{"block1.bn1 folded into block1.conv1", "block1.bn2 folded into block1.conv2"});
  CHECK(same_after(fold_batch_norm, R"([{"repeat": {"times": 3, "layers": [{"conv2d": {"out": 2, "pad": 1}}, "batch_norm"]}},
      "flatten", "linear"])",
                   {4, 4, 2})
            .changes.size() == 3);
  CHECK(same_after(fold_batch_norm,
                   R"([{"sequential": {"name": "head", "layers": [{"conv2d": {"out": 2}}]}}, "batch_norm", "flatten",
      "linear"])",
                   {4, 4, 2})
            .changes == std::vector<std::string>{"bn1 folded into head.conv1"});
}

TEST_CASE("batch norms that stand elsewhere stay, also where only some copies of a repeat could be folded") {
  for (const char* layers :
       {R"(["flatten", "batch_norm", "linear"])", R"([{"conv2d": {"out": 2}}, "relu", "batch_norm", "flatten", "linear"])",
        R"([{"conv2d": {"out": 2}}, {"residual": {"layers": ["batch_norm", "relu"]}}, "flatten", "linear"])",
        R"([{"repeat": {"times": 2, "layers": ["batch_norm", {"conv2d": {"out": 2, "pad": 1}}]}}, "flatten", "linear"])",
        R"(["flatten", "linear"])"}) {
    CAPTURE(layers);
    CHECK(same_after(fold_batch_norm, layers, {4, 4, 2}).changes.empty());
  }
}

TEST_CASE("equalized channels have one range on both sides, by hand") {
  Network n{spec_of(R"({"layers": [{"linear": {"out": 2}}, "relu", {"linear": {"out": 1}}]})"), {}};
  n.tensors["fc1.weight"] = Tensor::of<float>(Shape{2, 1}, {16, 1});
  n.tensors["fc1.bias"] = Tensor::of<float>(Shape{2}, {8, 3});
  n.tensors["fc2.weight"] = Tensor::of<float>(Shape{1, 2}, {1, 4});
  n.tensors["fc2.bias"] = Tensor::of<float>(Shape{1}, {0});
  const Rewritten r = equalize(n);
  const auto at = [&](const char* name, size_t i) { return r.network.tensors.at(name).data<float>()[i]; };
  CHECK(r.changes == std::vector<std::string>{"fc1 and fc2 equalized"});
  CHECK(at("fc1.weight", 0) == doctest::Approx(4));
  CHECK(at("fc2.weight", 0) == doctest::Approx(4));
  CHECK(at("fc1.bias", 0) == doctest::Approx(2));
  CHECK(at("fc1.weight", 1) == doctest::Approx(2));
  CHECK(at("fc2.weight", 1) == doctest::Approx(2));
  CHECK(at("fc1.bias", 1) == doctest::Approx(6));
}

TEST_CASE("equalized networks compute the same: pooling, flatten, groups, depthwise, chains of layers") {
  CHECK(same_after(equalize,
                   R"([{"conv2d": {"out": 4, "pad": 1}}, "relu", "max_pool2d", {"conv2d": {"out": 6, "groups": 2}}, "relu",
      "flatten", {"linear": {"out": 5}}, "relu", "linear"])",
                   {8, 8, 2})
            .changes.size() == 3);
  CHECK(same_after(equalize, R"([{"conv2d": {"out": 4}}, "relu", {"conv2d": {"depthwise": true}}, "relu", {"conv2d": {"out": 3,
      "kernel": 1}}, "global_avg_pool", "linear"])",
                   {7, 7, 2})
            .changes.size() == 3);
}

TEST_CASE("nothing is equalized through what does not scale, nor past a fork; a dead channel does no harm") {
  for (const char* layers :
       {R"([{"linear": {"out": 3}}, "tanh", "linear"])", R"([{"linear": {"out": 3}}, "batch_norm", "linear"])",
        R"([{"linear": {"out": 3}}, {"residual": {"layers": [{"linear": {"out": 3}}]}}, "linear"])"}) {
    CAPTURE(layers);
    CHECK(same_after(equalize, layers, {4}).changes.empty());
  }
  Network n{spec_of(R"({"layers": [{"linear": {"out": 2, "bias": false}}, {"linear": {"out": 1, "bias": false}}]})"), {}};
  n.tensors["fc1.weight"] = Tensor::of<float>(Shape{2, 1}, {0, 1});
  n.tensors["fc2.weight"] = Tensor::of<float>(Shape{1, 2}, {5, 1});
  const Rewritten r = equalize(n);
  CHECK(r.network.tensors.at("fc2.weight").data<float>()[0] == 5);
}

TEST_CASE("tensors that are missing or too short are told by name") {
  Network n{spec_of(R"({"layers": [{"linear": {"out": 2}}, "batch_norm", "relu", "linear"]})"), {}};
  CHECK(error_of([&] { fold_batch_norm(n); }).find("fc1.weight") != std::string::npos);
  CHECK(error_of([&] { equalize(fold_batch_norm(n).network); }).find("fc1.weight") != std::string::npos);
  n.tensors["fc1.weight"] = Tensor::zeros(Shape{2, 3});
  n.tensors["bn1.weight"] = Tensor::zeros(Shape{1});
  CHECK(error_of([&] { fold_batch_norm(n); }).find("bn1.weight holds 1 numbers, wanted 2") != std::string::npos);
}

TEST_CASE("weights that two layers share stay as they are") {
  CHECK(same_after(equalize, R"([{"linear": {"out": 5}}, "relu", {"linear": {"out": 5, "tied": "fc1"}}, "relu", "linear"])", {5})
            .changes.empty());
  CHECK(
      same_after(equalize, R"([{"linear": {"out": 5}}, "relu", {"linear": {"out": 5}}, {"lstm": {"out": 4}}, "linear"])", {6, 5})
          .changes.size() == 1);
}
