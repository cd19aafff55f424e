// Structured removal: smaller networks that compute what the masked ones do, with nothing left that could go and nothing gone
// that could not.
#include <doctest/doctest.h>

#include <set>

#include "lptrain/prune/mask.h"
#include "odd_network.h"

using namespace lp;

namespace {

// Masks of whole rows, each with that probability; not of the last layer with weights, unless asked.
void mask_rows(Model& model, double probability, uint64_t seed, bool masks_weights_alone = true) {
  Holder holder(model);
  const std::string last = model.layers().back() + ".weight";
  for (const std::string& layer : model.layers()) {
    Param& w = *holder.params.at(layer + ".weight");
    if (w.name == last) continue;
    w.mask = Tensor::full(w.value.shape(), 1, DType::f64);
    const int64_t row = w.value.shape().after(0);
    for (int64_t o = 0; o < w.value.shape()[0]; ++o) {
      if (Key(seed).with(layer).uniform64(static_cast<uint64_t>(o)) >= probability) continue;
      for (int64_t i = 0; i < row; ++i) w.mask.data<double>()[static_cast<size_t>(o * row + i)] = 0;
      if (!masks_weights_alone && holder.all.contains(layer + ".bias"))
        holder.all.at(layer + ".bias")->data<double>()[static_cast<size_t>(o)] = 0;
    }
  }
}

// With biases, gains and shifts, as pruning of rows does it.
void mask_rows_and_beside(Model& model, double probability, uint64_t seed) {
  mask_rows(model, probability, seed);
  const Holder holder(model);
  const auto& lines = model.lines();
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto w = holder.params.find(lines[i].name + ".weight");
    if (w == holder.params.end() || !w->second->mask) continue;
    const std::string norm = lines[i + 1].kind == "batch_norm" ? lines[i + 1].name : "none";
    const Tensor mask = w->second->mask;
    for (const std::string& name : {lines[i].name + ".weight", lines[i].name + ".bias", norm + ".weight", norm + ".bias"}) {
      const auto beside = holder.params.find(name);
      if (beside == holder.params.end()) continue;
      Param& p = *beside->second;
      p.mask = Tensor(p.value.shape(), DType::f64);
      for (int64_t k = 0; k < p.value.size(); ++k)
        p.mask.data<double>()[static_cast<size_t>(k)] =
            mask.data<double>()[static_cast<size_t>(k * mask.size() / p.value.size())];
      hold(p.mask, p.value);
    }
  }
}

Rewritten same_after_shrinking(Model& model, const Shape& input, int64_t classes = 3, const Precision& precision = {}) {
  const Tensor x = random_normal(input.behind(3), Key(77), DType::f64), y = predict(model, x);
  Rewritten r = remove_pruned(network_of(model));
  CHECK(farthest(output_of(r.network, x, classes, precision), y) < 1e-9 * (1 + largest_magnitude(y)));
  return r;
}

int64_t numbers_in(const Network& n) {
  int64_t all = 0;
  for (const auto& entry : n.tensors) all += entry.second.size();
  return all;
}

Model model_from(const char* layers, const Shape& input) {
  return odd_model(spec_of(fmt::format(R"({{"layers": {}}})", layers)), input);
}

// Zeros in the rows of a tensor that a list names.
void clear_rows(Model& model, const std::string& name, std::initializer_list<int64_t> rows) {
  Tensor& t = *Holder(model).all.at(name);
  const int64_t row = t.shape().after(0);
  for (const int64_t o : rows)
    for (int64_t i = 0; i < row; ++i) t.data<double>()[static_cast<size_t>(o * row + i)] = 0;
}

}  // namespace

TEST_CASE("shipped models with random masks of rows: smaller, and the same outputs") {
  const struct {
    const char* name;
    Shape input;
  } subjects[] = {{"cnn", {12, 12, 1}},    {"cnn_bn", {12, 12, 1}}, {"cnn_bn_folded", {12, 12, 1}}, {"lenet300", {6, 6, 1}},
                  {"lenet5", {16, 16, 1}}, {"resnet20", {8, 8, 3}}, {"cnn_signs", {16, 16, 1}}};
  for (const auto& subject : subjects)
    for (const double probability : {0.0, 0.5, 1.0})
      for (const bool has_biases : {true, false}) {
        CAPTURE(subject.name);
        CAPTURE(probability);
        CAPTURE(has_biases);
        Model model = odd_model(find_model(subject.name), subject.input);
        mask_rows(model, probability, 5, has_biases);
        const Rewritten r = same_after_shrinking(model, subject.input);
        CHECK(r.changes.empty() == (probability == 0));
        if (probability > 0) CHECK(numbers_in(r.network) < numbers_in(network_of(model)));
        CHECK(remove_pruned(r.network).changes.empty());  // nothing is left to remove
      }
}

TEST_CASE("quantized networks are the same, too, once the weights are masked that see what is pruned") {
  const struct {
    const char* name;
    Shape input;
  } subjects[] = {{"cnn", {12, 12, 1}}, {"cnn_bn_folded", {12, 12, 1}}, {"lenet300", {6, 6, 1}}, {"resnet20", {8, 8, 3}}};
  for (const auto& subject : subjects)
    for (const char* per : {"channel", "tensor"}) {
      CAPTURE(subject.name);
      CAPTURE(per);
      const Precision int8 = precision_of(fmt::format(
          R"({{"weights": {{"format": "int8", "narrow": true, "per": "{}"}},
              "activations": {{"format": "uint8", "scale": "ema"}}}})",
          per));
      Model model = odd_model(find_model(subject.name), subject.input);
      model.set_precision(int8);
      mask_rows_and_beside(model, 0.5, 5);
      mask_blind(model);
      CHECK_FALSE(same_after_shrinking(model, subject.input, 3, int8).changes.empty());
    }
}

TEST_CASE("blind is what sees zero whatever is trained: not what is zero today, nor what a bias or norm lifts") {
  Model model = model_from(R"([{"linear": {"out": 3}}, "relu", "batch_norm", {"linear": {"out": 2}}, "linear"])", {2});
  const Holder holder(model);
  const auto mask = [&](const char* name, std::vector<double> numbers) {
    Param& p = *holder.params.at(name);
    p.mask = Tensor::of<double>(p.value.shape(), numbers);
    hold(p.mask, p.value);
  };
  clear_rows(model, "fc1.weight", {0, 1, 2});
  clear_rows(model, "fc1.bias", {0, 1, 2});
  mask("fc1.weight", {0, 0, 0, 0, 1, 1});
  mask_blind(model);
  CHECK_FALSE(holder.params.at("fc2.weight")->mask);
  mask("fc1.bias", {0, 0, 1});
  mask_blind(model);
  CHECK_FALSE(holder.params.at("fc2.weight")->mask);  // the norm still has its shift
  mask("bn1.bias", {0, 1, 0});
  mask_blind(model);
  const auto blind = holder.params.at("fc2.weight")->mask.data<double>();
  CHECK(std::vector<double>(blind.begin(), blind.end()) == std::vector<double>{0, 1, 1, 0, 1, 1});
  CHECK_FALSE(holder.params.at("fc3.weight")->mask);
}

TEST_CASE("a depthwise filter is blind where its channel is; signs have no zero to be masked with") {
  Model model = model_from(R"([{"conv2d": {"out": 2, "bias": false}}, {"conv2d": {"depthwise": true, "bias": false}}, "flatten",
      "linear"])",
                           {6, 6, 1});
  mask_rows_and_beside(model, 1, 5);
  const Holder holder(model);
  holder.params.at("conv2.weight")->mask = {};
  holder.params.at("fc1.weight")->mask = {};
  model.set_precision(precision_of(R"({"overrides": {"fc1": {"weights": {"format": "binary", "scale": "mean_abs"}}}})"));
  mask_blind(model);
  CHECK(largest_magnitude(holder.params.at("conv2.weight")->mask) == 0);
  CHECK_FALSE(holder.params.at("fc1.weight")->mask);
}

TEST_CASE("a masked neuron says relu(b): it joins the biases that see it, by hand") {
  Model model = model_from(R"([{"linear": {"out": 3}}, "relu", {"linear": {"bias": false}}])", {2});
  clear_rows(model, "fc1.weight", {1});
  Holder(model).all.at("fc1.bias")->data<double>()[1] = 2;
  *Holder(model).all.at("fc2.weight") = Tensor::of<double>(Shape{3, 3}, {1, 10, 2, 3, 20, 4, 5, 30, 6});
  const Rewritten r = same_after_shrinking(model, {2});
  CHECK(r.changes ==
        std::vector<std::string>{"fc1: 2 of 3 channels stay", "fc2: its biases take up what removed channels always were"});
  const auto b = r.network.tensors.at("fc2.bias").data<double>(), w = r.network.tensors.at("fc2.weight").data<double>();
  CHECK(std::vector<double>(b.begin(), b.end()) == std::vector<double>{20, 40, 60});
  CHECK(std::vector<double>(w.begin(), w.end()) == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("behind a flatten, columns go in (H,W,C) order") {
  Model model = model_from(R"([{"conv2d": {"out": 3, "kernel": 1}}, "flatten", {"linear": {"out": 2}}, "linear"])", {2, 1, 1});
  clear_rows(model, "conv1.weight", {1});
  const Tensor was = Holder(model).all.at("fc1.weight")->clone();
  const Rewritten r = same_after_shrinking(model, {2, 1, 1});
  const Tensor& w = r.network.tensors.at("fc1.weight");
  REQUIRE(w.shape() == Shape{2, 4});
  for (size_t o = 0; o < 2; ++o)
    for (size_t i = 0; i < 4; ++i) CHECK(w.data<double>()[o * 4 + i] == was.data<double>()[o * 6 + std::array{0, 2, 3, 5}[i]]);
}

TEST_CASE("a constant that would meet padding keeps its unit; zero and what nobody sees do not") {
  constexpr const char* kLayers =
      R"([{"conv2d": {"out": 3, "pad": 1}}, "relu", {"conv2d": {"out": 2, "pad": 1}}, "global_avg_pool",
      "linear"])";
  Model model = model_from(kLayers, {4, 4, 1});
  clear_rows(model, "conv1.weight", {0, 1});
  double* b = Holder(model).all.at("conv1.bias")->data<double>().data();
  b[0] = 0.5;   // relu(b) > 0 meets the padding of conv2
  b[1] = -0.5;  // relu(b) = 0
  CHECK(same_after_shrinking(model, {4, 4, 1}).changes == std::vector<std::string>{"conv1: 2 of 3 channels stay"});
  Model unseen = model_from(R"([{"linear": {"out": 3}}, "tanh", {"linear": {"out": 2}}, "linear"])", {4});
  Tensor& w = *Holder(unseen).all.at("fc2.weight");
  for (const size_t at : {2, 5}) w.data<double>()[at] = 0;  // the third neuron is seen by none
  CHECK(same_after_shrinking(unseen, {4}).changes == std::vector<std::string>{"fc1: 2 of 3 channels stay"});
}

TEST_CASE("what fed a channel that goes may go, too") {
  Model model = model_from(R"([{"linear": {"out": 4}}, "relu", {"linear": {"out": 2}}, "relu", "linear"])", {3});
  Tensor& w = *Holder(model).all.at("fc2.weight");
  for (const size_t at : {0, 5, 6, 7}) w.data<double>()[at] = 0;  // fc2's second sees fc1's first alone
  clear_rows(model, "fc2.bias", {1});
  Tensor& last = *Holder(model).all.at("fc3.weight");
  for (const size_t at : {1, 3, 5}) last.data<double>()[at] = 0;
  CHECK(same_after_shrinking(model, {3}).changes ==
        std::vector<std::string>{"fc1: 3 of 4 channels stay", "fc2: 1 of 2 channels stay"});
}

TEST_CASE("channels that meet in a sum go together, or stay") {
  constexpr const char* kLayers = R"([{"conv2d": {"out": 4, "pad": 1, "bias": false}},
      {"residual": {"layers": [{"conv2d": {"out": 4, "pad": 1, "bias": false}}, "relu"]}}, "global_avg_pool", "linear"])";
  Model apart = model_from(kLayers, {4, 4, 2});
  clear_rows(apart, "conv1.weight", {0, 1});
  clear_rows(apart, "block1.conv1.weight", {2});
  CHECK(same_after_shrinking(apart, {4, 4, 2}).changes.empty());
  Model together = model_from(kLayers, {4, 4, 2});
  clear_rows(together, "conv1.weight", {0, 1});
  clear_rows(together, "block1.conv1.weight", {1, 3});
  CHECK(same_after_shrinking(together, {4, 4, 2}).changes ==
        std::vector<std::string>{"conv1: 3 of 4 channels stay", "block1.conv1: 3 of 4 channels stay"});
}

TEST_CASE("branches, sequences, repeats, depthwise convolutions, slices of pictures, padded channels") {
  for (
      const char* layers :
      {R"([{"branch": {"paths": [[{"conv2d": {"out": 5}}, "relu"], [{"conv2d": {"out": 4}}]]}}, {"conv2d": {"out": 3}}, "flatten",
            "linear"])",
       R"([{"sequential": {"name": "stem", "layers": [{"conv2d": {"out": 6}}, "relu"]}}, {"sequential": {"layers":
            [{"conv2d": {"out": 6}}]}}, "flatten", "linear"])",
       R"([{"repeat": {"times": 3, "layers": [{"conv2d": {"out": 6, "pad": 1}}, "batch_norm", "relu"]}}, "flatten", "linear"])",
       R"([{"conv2d": {"out": 6}}, "relu", {"conv2d": {"depthwise": true}}, "leaky_relu", {"conv2d": {"out": 3}}, "flatten",
            "linear"])",
       R"([{"conv2d": {"out": 6}}, {"conv2d": {"depthwise": true, "out": 6, "pad": 1}}, {"slice": {"axis": 1, "begin": 1}},
            {"avg_pool2d": {"kernel": 3, "pad": 1, "stride": 1}}, "flatten", {"linear": {"out": 9}}, "sigmoid", "linear"])",
       R"([{"conv2d": {"out": 4}}, {"pad_channels": {"to": 7}}, {"conv2d": {"out": 4}}, "flatten", "linear"])"})
    for (uint64_t seed = 1; seed < 5; ++seed) {
      CAPTURE(layers);
      Model model = model_from(layers, {8, 8, 2});
      mask_rows(model, 0.5, seed);
      CHECK_FALSE(same_after_shrinking(model, {8, 8, 2}).changes.empty());
    }
}

TEST_CASE("layers that look across channels, and groups, keep what they see") {
  for (const char* layers :
       {R"([{"linear": {"out": 4}}, "layer_norm", "linear"])", R"([{"linear": {"out": 4}}, "softmax", "linear"])",
        R"([{"linear": {"out": 4}}, {"slice": {"begin": 1}}, "linear"])",
        R"([{"linear": {"out": 4}}, {"reshape": {"shape": [2, 2, 1]}}, {"conv2d": {"out": 2, "kernel": 1}}, "flatten",
            "linear"])"}) {
    CAPTURE(layers);
    Model model = model_from(layers, {3});
    clear_rows(model, "fc1.weight", {1, 2});
    CHECK(same_after_shrinking(model, {3}).changes.empty());
  }
  for (const char* layers :
       {R"([{"linear": {"out": 4}}, {"linear": {"out": 4, "tied": "fc1", "bias": false}}, "flatten",
            "linear"])",
        R"([{"linear": {"out": 4}}, {"lstm": {"out": 3, "output": "all"}}, {"attention": {"heads": 1}}, "flatten", "linear"])"}) {
    CAPTURE(layers);
    Model model = model_from(layers, {3, 4});
    clear_rows(model, "fc1.weight", {1, 2});
    CHECK(same_after_shrinking(model, {3, 4}).changes.empty());
  }
  Model model = model_from(R"([{"conv2d": {"out": 4}}, {"conv2d": {"out": 4, "groups": 2}}, "flatten", "linear"])", {6, 6, 1});
  mask_rows(model, 0.5, 1);
  CHECK(same_after_shrinking(model, {6, 6, 1}).changes.empty());
}

TEST_CASE("what lenses remember of channels follows; what they remember of tensors stays") {
  Model model = model_from(R"([{"linear": {"out": 3, "bias": false}}, "relu", {"linear": {"bias": false}}])", {2});
  clear_rows(model, "fc1.weight", {1});
  Network n = network_of(model);
  n.tensors["fc1.weight.scale"] = Tensor::of<double>(Shape{3}, {1, 2, 3});
  n.tensors["fc2.weight.scale"] = Tensor::of<double>(Shape{2, 2}, {1, 2, 3, 4});
  n.tensors["fc2.input.high"] = Tensor::of<double>(Shape{1}, {5});
  n.tensors["fc1.error.high"] = Tensor::of<double>(Shape{3}, {1, 2, 3});
  const Network small = remove_pruned(n).network;
  CHECK(small.tensors.at("fc1.weight.scale").data<double>()[1] == 3);
  CHECK(small.tensors.at("fc1.error.high").size() == 2);
  CHECK(small.tensors.at("fc2.weight.scale").size() == 4);
  CHECK(small.tensors.at("fc2.input.high").size() == 1);
}

TEST_CASE("a network that does not fit its description is told by name") {
  Network n{spec_of(R"({"layers": [{"linear": {"out": 2}}, "batch_norm", "linear"]})"), {}, {3}, 3};
  CHECK(error_of([&] { remove_pruned(n); }).find("fc1.weight") != std::string::npos);
  n.tensors["fc1.weight"] = Tensor::zeros(Shape{2, 4});
  CHECK(error_of([&] { remove_pruned(n); }).find("fc1.weight holds 8 numbers, wanted 6") != std::string::npos);
  n.input = {};
  CHECK(error_of([&] { remove_pruned(n); }).find("must be known") != std::string::npos);
}
