// Low-rank factors: two layers that compute what the truncated matrix does, at the error that the singular values tell.
#include <doctest/doctest.h>

#include "lptrain/tensor/svd.h"
#include "odd_network.h"

using namespace lp;

namespace {

constexpr const char* kLayers =
    R"({"layers": [{"conv2d": {"out": 8, "kernel": 3, "pad": 1, "stride": 2}}, "relu", {"repeat": {"times": 2,
    "layers": [{"residual": {"layers": [{"conv2d": {"out": 8, "kernel": 3, "pad": 1, "bias": false}}, "batch_norm"]}}]}},
    "flatten", {"linear": {"out": 20}}, "relu", "linear"]})";
const Shape kInput{6, 6, 4};

LowRank how(std::vector<std::string> layers, std::optional<int64_t> rank, std::optional<double> energy = {}) {
  return {std::move(layers), rank, energy};
}

bool says(const Rewritten& r, const std::string& part) {
  for (const std::string& line : r.changes)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

// w with all but its r largest singular values taken away.
Tensor truncated(const Tensor& w, int64_t r) {
  const Svd parts = svd(w.reshape({w.shape()[0], w.shape().after(0)}));
  Tensor y = Tensor::zeros(w.shape(), DType::f64);
  const int64_t O = w.shape()[0], I = w.shape().after(0), R = parts.s.size();
  for (int64_t o = 0; o < O; ++o)
    for (int64_t i = 0; i < I; ++i)
      for (int64_t k = 0; k < r; ++k)
        y.data<double>()[static_cast<size_t>(o * I + i)] += parts.u.data<double>()[static_cast<size_t>(o * R + k)] *
                                                            parts.s.data<double>()[static_cast<size_t>(k)] *
                                                            parts.v.data<double>()[static_cast<size_t>(k * I + i)];
  return y;
}

}  // namespace

TEST_CASE("factors compute what the truncated weights compute: convolutions, blocks, linear layers") {
  for (const auto& [name, r] : {std::pair{"conv1", 3}, {"block1.conv1", 2}, {"block2.conv1", 5}, {"fc1", 4}}) {
    const std::string layer = name;
    CAPTURE(layer);
    Model model = odd_model(spec_of(kLayers), kInput);
    const Tensor x = random_normal(kInput.behind(3), Key(4), DType::f64);
    const Rewritten made = factor(network_of(model), how({layer}, r));
    CHECK(made.changes.size() == 1);
    Tensor& w = *Holder(model).all.at(layer + ".weight");
    w = truncated(w, r);
    const Tensor y = predict(model, x);
    CHECK(farthest(output_of(made.network, x), y) < 1e-9 * (1 + largest_magnitude(y)));
    CHECK(made.network.tensors.at(layer + "_v.weight").shape()[0] == r);
  }
}

TEST_CASE("the error that is told is the tail of the singular values; energy chooses the rank") {
  Model model = odd_model(spec_of(R"({"layers": [{"linear": {"out": 3}}, "linear"]})"), {3});
  *Holder(model).all.at("fc1.weight") =
      Tensor::of<double>(Shape{3, 3}, {12, 0, 0, 0, 0, 4, 0, 3, 0});  // 12, 4, 3: squares 144 16 9
  const Network n = network_of(model);
  CHECK(says(factor(n, how({"fc1"}, 1)), "rank 1 of 3, 6 numbers in place of 9, relative error of the weights 0.385"));  // 5/13
  CHECK(says(factor(n, how({"fc1"}, {}, 144.0 / 169)), "rank 1 of 3"));
  CHECK(says(factor(n, how({"fc1"}, {}, 0.86)), "fc1 stays: factors of rank 2 would hold 12 numbers, it holds 9"));
  CHECK(says(factor(n, how({"fc1"}, {}, 0)), "rank 1 of 3"));
}

TEST_CASE("full rank is exact, names of other layers do not move, masks end in the factors") {
  Model model = odd_model(spec_of(R"({"layers": [{"linear": {"out": 30}}, "relu", {"linear": {"out": 40}}, "linear"]})"), {20});
  Tensor& w = *Holder(model).all.at("fc2.weight");
  for (size_t i = 0; i < 1200; ++i)
    w.data<double>()[i] = std::sin(static_cast<double>(i / 30)) * static_cast<double>(i % 30);  // rank 1
  Param& masked = *Holder(model).params.at("fc2.weight");
  masked.mask = Tensor::full(w.shape(), 1, DType::f64);
  for (size_t i = 0; i < 30; ++i) masked.mask.data<double>()[30 + i] = 0;
  const Tensor x = random_normal(Shape{5, 20}, Key(4), DType::f64), y = predict(model, x);
  const Rewritten r = factor(network_of(model), how({"*"}, {}, 1 - 1e-12));
  CHECK(farthest(output_of(r.network, x), y) < 1e-8 * (1 + largest_magnitude(y)));
  CHECK(r.network.tensors.contains("fc1.weight"));
  CHECK(r.network.tensors.contains("fc2_u.bias"));
  CHECK_FALSE(r.network.tensors.contains("fc2.weight.mask"));
  CHECK(r.network.tensors.contains("fc3.weight"));
}

TEST_CASE("shared weights stay") {
  Model model =
      odd_model(spec_of(R"({"layers": [{"linear": {"out": 9}}, {"linear": {"out": 9, "tied": "fc1"}}, "linear"]})"), {9});
  const Rewritten r = factor(network_of(model), how({"fc1", "fc2"}, 1));
  CHECK(r.changes == std::vector<std::string>{"fc1 stays: it shares its weights", "fc2 stays: it shares its weights"});
}

TEST_CASE("groups stay, unknown layers and contradictions are refused") {
  Model model = odd_model(spec_of(R"({"layers": [{"conv2d": {"depthwise": true}}, "flatten", "linear"]})"), kInput);
  CHECK(says(factor(network_of(model), how({"conv1"}, 1)), "conv1 stays: it has groups"));
  CHECK(error_of([&] { factor(network_of(model), how({"conv7"}, 1)); }).find("named like conv7") != std::string::npos);
  struct Holder {
    Choice<Rewriting> rewriting;
    void fields(Fields& f) { f("rewriting", rewriting, ""); }
  } into;
  const auto read_as = [&](const char* text) { read(Document::parse(text, "t"), into); };
  CHECK(error_of([&] { read_as(R"({"rewriting": "low_rank"})"); }).find("one of") != std::string::npos);
  CHECK(error_of([&] { read_as(R"({"rewriting": {"low_rank": {"rank": 2, "energy": 0.5}}})"); }).find("one of") !=
        std::string::npos);
  read_as(R"({"rewriting": {"low_rank": {"rank": 2, "layers": ["fc*"]}}})");
  CHECK(into.rewriting.name() == "low_rank");
}
