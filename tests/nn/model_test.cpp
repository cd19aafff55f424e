// Every shipped model builds and learns; whole networks overfit; names, errors and precision of models.
#include "lptrain/nn/model.h"

#include <doctest/doctest.h>

#include "lptrain/tensor/math.h"
#include "nn/networks.h"
#include "support/places.h"

using namespace lp;

namespace {

const std::vector<std::filesystem::path> kFolders{source_dir() + "/models"};

struct Shipped {
  std::string name;
  Shape input;
  int64_t params;
};
const std::vector<Shipped> kShipped{
    {"cnn", {28, 28, 1}, 1625866},
    {"cnn_bn", {28, 28, 1}, 207098},
    {"cnn_bn_folded", {28, 28, 1}, 207098},
    {"cnn_signs", {28, 28, 1}, 824810},
    {"gru_rows", {28, 28, 1}, 61962},
    {"lenet300", {28, 28, 1}, 266610},
    {"lenet5", {28, 28, 1}, 431080},
    {"lstm_rows", {28, 28, 1}, 81674},
    {"mlp", {28, 28, 1}, 235146},
    {"resnet20", {32, 32, 3}, 269722},
    {"rnn_rows", {28, 28, 1}, 21386},
    {"tiny_cnn", {24, 24, 3}, 1562},
    {"tiny_mlp", {2}, 1482},
    {"vit_tiny", {28, 28, 1}, 81546},
};

struct Names : Visitor {
  std::vector<std::string> params, buffers, lenses;
  void param(Param& p) override { params.push_back(p.name); }
  void buffer(const std::string& name, Tensor&) override { buffers.push_back(name); }
  void lens(Lens& l) override { lenses.push_back(l.name); }
};

constexpr std::string_view kMlp = R"(["flatten", {"linear": {"out": 24}}, "relu", "linear"])";
constexpr std::string_view kCnn = R"([{"conv2d": {"out": 8, "kernel": 3, "pad": 1}}, "relu", "max_pool2d",
    {"conv2d": {"out": 8}}, "batch_norm", "relu", "flatten", "linear"])";

double overfit(std::string_view layers, std::string_view precision, double lr, int steps) {
  Model model = model_of(layers, {8, 8, 1}, precision);
  const Tensor x = random_uniform({32, 8, 8, 1}, Key(3), 0, 1);
  const std::vector<int32_t> labels = labels_for(32, 3);
  double loss = 0;
  for (int i = 0; i < steps; ++i) loss = descend(model, x, labels, lr, Key(5).with(static_cast<uint64_t>(i)));
  return loss;
}

}  // namespace

TEST_CASE("every file in models/ is known here") {
  std::vector<std::string> names;
  for (const Shipped& s : kShipped) names.push_back(s.name);
  CHECK(model_names(kFolders) == names);
}

TEST_CASE("every shipped model builds, has its parameters, and makes one finite step") {
  for (const Shipped& s : kShipped) {
    CAPTURE(s.name);
    Model model(find_model(s.name, kFolders), s.input, 10, Precision{}, DType::f32, Key(1));
    CHECK(model.output() == Shape{10});
    CHECK_FALSE(model.spec().description.empty());
    int64_t params = 0, listed = 0;
    for (const Param* p : model.params()) params += p->value.size();
    for (const LayerLine& line : model.lines()) listed += line.cost.params;
    CHECK(params == s.params);
    CHECK(listed == s.params);
    std::vector<int64_t> batch{2};
    batch.insert(batch.end(), s.input.begin(), s.input.end());
    const Tensor x = random_uniform(Shape(batch), Key(2), 0, 1);
    CHECK(std::isfinite(descend(model, x, labels_for(2, 10), 0.01)));
    for (const Param* p : model.params()) CHECK_MESSAGE(std::isfinite(largest_magnitude(p->value)), p->name);
    CHECK(predict(model, x).shape() == Shape{2, 10});
  }
}

TEST_CASE("costs are those of the textbook") {
  const auto lines = summarize(find_model("cnn", kFolders), {28, 28, 1}, 10);
  CHECK(lines[0].name == "conv1");
  CHECK(lines[0].cost.macs == 28 * 28 * 32 * 9);
  CHECK(lines[2].cost.macs == 28 * 28 * 64 * 9 * 32);
  CHECK(lines[4].output == Shape{14, 14, 64});
  CHECK(lines.back().cost.macs == 1280);
  CHECK(lines.back().cost.params == 1290);
}

TEST_CASE("names are stable, unique and nested") {
  Model model(find_model("resnet20", kFolders), {32, 32, 3}, 10, Precision{}, DType::f32, Key(1));
  CHECK(model.layers().front() == "conv1");
  CHECK(model.layers()[1] == "block1.conv1");
  CHECK(model.layers()[2] == "block1.conv2");
  CHECK(model.layers()[18] == "block9.conv2");
  CHECK(model.layers().back() == "fc1");
  Names names;
  model.visit(names);
  CHECK(names.params[0] == "conv1.weight");
  CHECK(names.params[1] == "bn1.weight");
  CHECK(names.buffers[0] == "bn1.running_mean");
  CHECK(names.lenses[0] == "input");
  CHECK(names.lenses[1] == "conv1.input");
  CHECK(names.lenses[3] == "conv1.error");
  std::ranges::sort(names.params);
  CHECK(std::ranges::adjacent_find(names.params) == names.params.end());
}

TEST_CASE("the same seed gives the same weights, another seed others") {
  const ModelSpec spec = find_model("mlp", kFolders);
  auto first_weight = [&](uint64_t seed) {
    return Model(spec, {28, 28, 1}, 10, Precision{}, DType::f32, Key(seed)).params()[0]->value;
  };
  CHECK(difference(first_weight(1), first_weight(1)) == 0);
  CHECK(difference(first_weight(1), first_weight(2)) > 0.01);
  CHECK(largest_magnitude(first_weight(1)) <= std::sqrt(6.0 / 784));
}

TEST_CASE("networks overfit 32 examples, in f32, in f64 and in 8 bits") {
  constexpr std::string_view kInt8 = R"({"input": "uint8", "weights": {"format": "int8", "narrow": true, "per": "channel"},
      "activations": {"format": "uint8", "scale": "ema"}, "errors": {"format": "int8", "rounding": "stochastic"}})";
  constexpr std::string_view kLearned = R"({"weights": {"format": "int4", "scale": "learned", "per": "channel"},
      "activations": {"format": "uint4", "scale": "learned"}})";
  CHECK(overfit(kMlp, "{}", 0.5, 300) < 0.05);
  CHECK(overfit(kCnn, "{}", 0.2, 100) < 0.05);
  CHECK(overfit(kMlp, kInt8, 0.5, 300) < 0.1);
  CHECK(overfit(kCnn, kInt8, 0.2, 100) < 0.1);
  CHECK(overfit(kCnn, kLearned, 0.1, 150) < 0.3);
}

TEST_CASE("a step repeats itself bit for bit, stochastic rounding and dropout included") {
  auto run = [] {
    Model m = model_of(
        R"(["flatten", {"linear": {"out": 16}}, "relu", "dropout", "linear"])", {8, 8, 1},
        R"({"weights": {"format": "int4", "rounding": "stochastic"}, "errors": {"format": "int8", "rounding": "stochastic"}})");
    for (uint64_t i = 0; i < 5; ++i)
      descend(m, random_uniform({8, 8, 8, 1}, Key(i), 0, 1), labels_for(8, 3), 0.1, Key(9).with(i));
    return m.params()[0]->value;
  };
  CHECK(difference(run(), run()) == 0);
}

TEST_CASE("set_precision keeps parameters and unchanged lenses, and forgets what belonged to others") {
  constexpr std::string_view kEma =
      R"({"activations": {"format": "uint8", "scale": "ema"}, "weights": {"format": "int8", "scale": "learned"}})";
  Model model = model_of(kMlp, {8, 8, 1}, kEma);
  const Tensor x = random_uniform({4, 8, 8, 1}, Key(1), 0, 1);
  descend(model, x, labels_for(4, 3), 0.1);
  const Tensor before = predict(model, x), weight = model.params()[0]->value;
  CHECK(model.params().size() == 6);  // two layers of weight, bias, learned scale
  model.set_precision(precision_of(kEma));
  CHECK(difference(predict(model, x), before) == 0);
  model.set_precision(Precision{});
  CHECK(model.params().size() == 4);
  CHECK(difference(model.params()[0]->value, weight) == 0);
  CHECK(difference(predict(model, x), before) > 0);
  CHECK(error_of([&] { model.set_precision(precision_of(R"({"overrides": {"conv*": "int4"}})")); }).find("matches no layer") !=
        std::string::npos);
}

TEST_CASE("overrides reach layers by name") {
  Model model = model_of(kMlp, {8, 8, 1}, R"({"weights": "int8", "overrides": {"fc*": "int4", "fc2": {"weights": "ternary"}}})");
  struct Formats : Visitor {
    std::vector<std::string> list;
    void lens(Lens& l) override { list.push_back(l.name + " " + l.quantizer.format.name()); }
  } formats;
  model.visit(formats);
  CHECK(formats.list == std::vector<std::string>{"input f32", "fc1.input int4", "fc1.weight int4", "fc1.bias f32",
                                                 "fc1.error f32", "fc2.input int4", "fc2.weight ternary", "fc2.bias f32",
                                                 "fc2.error f32"});
}

TEST_CASE("mistakes are located") {
  auto error = [](std::string_view layers, const Shape& input = {8, 8, 1}) { return error_of([&] { model_of(layers, input); }); };
  auto holds = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  const std::string nested = error(R"(["relu", {"residual": {"layers": [{"conv2d": {"out": 4, "kernel": 9}}]}}])");
  CHECK_MESSAGE(holds(nested, "layer 2 (residual \"block1\"): layer 1 (conv2d): the input [8,8,1]"), nested);
  CHECK(holds(error(R"([{"conv2d": {"out": 2}}, "flatten", {"conv2d": {"out": 2, "name": "late"}}])"),
              "layer 3 (conv2d \"late\"): the input is [72], wanted [H,W,C]"));
  CHECK(holds(error(R"([{"residual": {"layers": [{"conv2d": {"out": 4, "pad": 1}}]}}])"),
              "the layers give [8,8,4], the shortcut gives [8,8,1]"));
  CHECK(holds(error(R"([{"conv2d": {"out": 2}}])"), "ends with [6,6,2], wanted a vector"));
  CHECK(holds(error(R"(["flatten", {"linear": {"out": 2, "name": "a"}}, {"linear": {"out": 2, "name": "a"}}])"),
              "two layers are named \"a\""));
  CHECK(holds(error(R"(["flatten", {"linear": {"out": 2, "name": "a.b"}}])"), "which have a meaning"));
  const std::string unknown = error(R"(["flaten"])");
  CHECK_MESSAGE(holds(unknown, "test.json:1:"), unknown);
  CHECK(holds(unknown, "flatten"));
  CHECK(holds(error(R"([{"conv2d": {"kernel": 3}}])"), "\"out\" is missing"));
  CHECK(holds(error(R"([{"conv2d": {"out": 0}}])"), "out"));
  const std::string missing = error_of([] { find_model("cn", kFolders); });
  CHECK_MESSAGE(holds(missing, "did you mean \"cnn\""), missing);
  CHECK(holds(error_of([] { find_model("", kFolders); }), "neither"));
  Model model = model_of(kMlp, {8, 8, 1});
  CHECK(holds(error_of([&] { predict(model, Tensor::zeros({4, 8, 9, 1})); }), "wants examples [8,8,1], found a batch [4,8,9,1]"));
}

TEST_CASE("a model survives writing and reading") {
  for (const Shipped& s : kShipped) {
    const ModelSpec spec = find_model(s.name, kFolders);
    ModelSpec again;
    read(write(spec, true), again);
    CHECK(write(again) == write(spec));
  }
}

TEST_CASE("accumulators reach the products of their layer, forward and backward, and leave with their phase") {
  constexpr const char* kLayers = R"([{"conv2d": {"out": 3, "kernel": 3}}, "relu", "flatten", {"linear": {}}])";
  const Tensor x = random_normal({4, 5, 5, 2}, Key(3));
  const auto gradients = [&](Model& model) {
    Tape tape;
    Context context(&tape, Mode::train, Key(1));
    const Gradients g = tape.backward(cross_entropy(model.forward(context, x), labels_for(4, 3)));
    std::vector<std::vector<float>> list;  // of the weights
    for (const auto& leaf : context.leaves())
      if (leaf.first->value.shape().rank() > 1) {
        const Tensor dw = g.of(leaf.second);
        list.emplace_back(dw.data<float>().begin(), dw.data<float>().end());
      }
    return list;
  };
  Model plain = model_of(kLayers, {5, 5, 2}), narrow = model_of(kLayers, {5, 5, 2}, R"({"accumulator": "e5m2"})"),
        random = model_of(kLayers, {5, 5, 2}, R"({"accumulator": {"format": "e5m2", "rounding": "stochastic"}})");
  const auto exact = gradients(plain), coarse = gradients(narrow);
  const Format e5m2 = Format::parse("e5m2");
  REQUIRE(coarse.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(coarse[i] != exact[i]);
    for (const float dw : coarse[i]) CHECK(e5m2.value(e5m2.floor(static_cast<double>(dw))) == static_cast<double>(dw));
  }
  CHECK(gradients(random) == gradients(random));
  CHECK(gradients(random) != coarse);
  narrow.set_precision(Precision{});
  CHECK(gradients(narrow) == exact);
}
