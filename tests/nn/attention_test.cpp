// What attention layers promise beyond PyTorch's numbers (recurrent_test.cpp), and weights that two layers share.
#include <doctest/doctest.h>

#include "lptrain/nn/cost.h"
#include "lptrain/nn/freeze.h"
#include "nn/networks.h"
#include "support/gradcheck.h"

using namespace lp;

namespace {

constexpr const char* kBlock = R"([
  "positions",
  {"residual": {"layers": ["layer_norm", {"attention": {"heads": 2}}]}},
  {"residual": {"layers": ["layer_norm", {"linear": {"out": 16}}, "gelu", {"linear": {"out": 8}}]}},
  "flatten", "linear"])";

constexpr const char* kTied = R"([
  {"embedding": {"vocabulary": 7, "dim": 4}}, {"gru": {"out": 4}}, {"linear": {"out": 7, "tied": "embedding1"}}])";

Tensor tokens(int64_t n, int64_t t) {
  return tensor_of(Shape{n, t}, DType::f32, [](uint64_t i) { return static_cast<double>(i * i % 7); });
}

}  // namespace

TEST_CASE("without positions, attention does not know the order; with causality, the future does not matter") {
  Model plain = model_of(R"([{"attention": {"heads": 2}}, "flatten"])", {5, 4}),
        causal = model_of(R"([{"attention": {"heads": 2, "causal": true}}, "flatten"])", {5, 4});
  const Tensor x = random_normal({1, 5, 4}, Key(3));
  std::vector<Tensor> turned;
  for (int64_t t = 5; t-- > 0;) turned.push_back(slice(x, 1, t, t + 1));
  const Tensor y = predict(plain, x), z = predict(plain, concat(turned, 1));
  for (size_t i = 0; i < 20; ++i)
    CHECK(y.data<float>()[i] == doctest::Approx(z.data<float>()[(4 - i / 4) * 4 + i % 4]).epsilon(1e-5));
  Tensor other = x.clone();
  for (size_t i = 12; i < 20; ++i) other.data<float>()[i] += 1;
  const Tensor a = predict(causal, x), b = predict(causal, other);
  CHECK(difference(slice(a, 1, 0, 12), slice(b, 1, 0, 12)) == 0);
  CHECK(difference(slice(a, 1, 12, 20), slice(b, 1, 12, 20)) > 0);
}

TEST_CASE("a block of a transformer learns, in floats and in int8") {
  const Tensor x = random_normal({9, 4, 8}, Key(5));
  const std::vector<int32_t> labels = labels_for(9, 3);
  for (const char* precision :
       {"{}", R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "int8", "scale": "ema"}})"}) {
    Model model = model_of(kBlock, {4, 8}, precision);
    double loss = 0;
    for (uint64_t step = 0; step < 120; ++step) loss = descend(model, x, labels, 0.1, Key(step));
    CHECK(loss < 0.2);
  }
}

TEST_CASE("tied weights are one parameter, visited, counted and trained once, seen through one lens") {
  Model model = model_of(kTied, {5}, R"({"weights": "int8"})", DType::f32, 7);
  const std::vector<Param*> all = model.params();
  CHECK(std::ranges::count(all, "embedding1.weight", &Param::name) == 1);
  CHECK(std::ranges::count(all, "fc1.weight", &Param::name) == 0);
  CHECK(cost_of(model).parameters == 7 * 4 + 2 * (4 * 12 + 12) + 7);
  const LayerCost line = cost_of(model).layers.back();
  CHECK(line.weights == "int8");
  CHECK(line.weight_count == 0);
  CHECK(line.energy_joules > 0);
  Tape tape;
  Context context(&tape, Mode::train);
  const Var y = model.forward(context, tokens(3, 5));
  CHECK(std::ranges::count_if(context.leaves(), [](const auto& leaf) { return leaf.first->name == "embedding1.weight"; }) == 1);
  // Its gradient is the sum of both uses: of the products with the last state, and of the rows that were looked up.
  const Tensor dy = random_normal(y.shape(), Key(4));
  const Gradients gradients = tape.backward(y, dy);
  const auto& shared =
      *std::ranges::find_if(context.leaves(), [](const auto& l) { return l.first->name == "embedding1.weight"; });
  Model apart = model_of(R"([{"embedding": {"vocabulary": 7, "dim": 4}}, {"gru": {"out": 4}}, {"linear": {"out": 7}}])", {5},
                         R"({"weights": "int8"})", DType::f32, 7);
  for (Param* p : apart.params())
    for (Param* q : all)
      if (q->name == (p->name == "fc1.weight" ? "embedding1.weight" : p->name)) p->value = q->value.clone();
  Tape other;
  Context second(&other, Mode::train);
  const Gradients two = other.backward(apart.forward(second, tokens(3, 5)), dy);
  Tensor sum = Tensor::zeros(Shape{7, 4});
  for (const auto& leaf : second.leaves())
    if (leaf.first->name == "embedding1.weight" || leaf.first->name == "fc1.weight") sum = add(sum, two.of(leaf.second));
  CHECK(difference(gradients.of(shared.second), sum) < 1e-6);
}

TEST_CASE("a frozen model still finds its tied weights") {
  Model model = model_of(kTied, {5}, R"({"weights": "int4", "activations": "int8"})", DType::f32, 7);
  const Tensor y = predict(model, tokens(3, 5));
  freeze(model);
  CHECK(difference(predict(model, tokens(3, 5)), y) == 0);
}

TEST_CASE("weights that cannot be shared are refused by name and shape") {
  const auto error = [](const char* layers) { return error_of([&] { model_of(layers, {5}, "{}", DType::f32, 7); }); };
  const auto has = [](const std::string& text, const char* part) { CHECK_MESSAGE(text.find(part) != std::string::npos, text); };
  has(error(R"([{"embedding": {"vocabulary": 7, "dim": 4}}, "flatten", {"linear": {"tied": "embeding1"}}])"),
      "layer 3 (linear \"fc1\"): \"tied\": no embedding or linear layer before this one is called \"embeding1\"; did you mean "
      "\"embedding1\"?");
  has(error(R"([{"embedding": {"vocabulary": 7, "dim": 4}}, "flatten", {"linear": {"tied": "embedding1"}}])"),
      "the weights of embedding1 are [7,4], but this layer has 7 outputs and 20 inputs: wanted [7,20]");
  has(error(R"([{"linear": {"out": 5}}, {"linear": {"out": 5, "tied": "fc1"}}, {"batch_norm": {"fold": "batch"}}])"),
      "two layers share");
  has(error(R"([{"linear": {"out": 5}}, {"batch_norm": {"fold": "batch"}}, {"linear": {"out": 5, "tied": "fc1"}}])"),
      "two layers share");
}
