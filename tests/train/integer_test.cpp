// Integer-only training, repeated by a program that knows nothing but 64-bit integers: every weight, after every step.
#include "lptrain/train/integer.h"

#include <doctest/doctest.h>

#include "lptrain/base/parallel.h"
#include "lptrain/tensor/product.h"
#include "lptrain/train/step.h"
#include "support/random_tensor.h"
#include "train/integer_program.h"

using namespace lp;
using namespace lp::test;

namespace {

constexpr int64_t kBatch = 8, kSide = 6, kClasses = 4;
const std::vector<int32_t> kLabels{0, 1, 2, 3, 3, 1, 0, 2};

// The network in lptrain.
std::string text(std::string_view layers, std::string_view master, int shift, std::string_view rounding = "stochastic") {
  return fmt::format(
      R"({{"compute": "integer", "model": {{"layers": [{}"flatten", {{"linear": {{"out": 24, "bias": false}}}}, "relu",
        {{"linear": {{"bias": false}}}}]}},
      "dataset": "shapes", "precision": {{"input": "uq0.8",
        "weights": {{"format": "int8", "narrow": true, "scale": "layer_shift"}},
        "activations": {{"format": "uint8", "scale": {{"pow2": {{"rule": "reach"}}}}}},
        "errors": {{"format": "int8", "narrow": true, "scale": {{"pow2": {{"rule": "reach"}}}}, "rounding": "{}"}},
        "weight_grads": {{"format": "{}", "narrow": true, "scale": "layer_shift",
          "decision": {{"pow2": {{"rule": "reach", "shift": {}}}}}, "rounding": "{}"}},
        "master": {{"format": "{}", "narrow": true, "scale": "layer_shift"}}, "accumulator": "int32"}},
      "train": {{"batch": 8, "optimizer": {{"sgd": {{"lr": 1}}}}, "loss": "integer_cross_entropy", "seed": 5}}}})",
      layers, rounding, master, shift, rounding, master);
}
constexpr std::string_view kConvolution =
    R"({"conv2d": {"out": 6, "kernel": 3, "pad": 1, "bias": false}}, "relu", {"max_pool2d": {"kernel": 2}}, )";

struct Run {
  RunConfig config;
  Model model;
  OptimizerState state;

  explicit Run(const std::string& json)
      : config(read_config(Document::parse(json, "test"))),
        model(config.model, {kSide, kSide, 1}, kClasses, config.precision, config.dtype(), Key(3)) {
    require_integers(config, model);
    store_masters(model, config.phases[0], 0);
  }
  void step(int64_t i, const std::vector<int64_t>& pixels, std::span<const int32_t> labels) {
    const Tensor x =
        tensor_of({kBatch, kSide, kSide, 1}, DType::f32, [&](uint64_t k) { return static_cast<double>(pixels[k]) / 256; });
    Choice<LossScale> none("none");
    train_step(model, config.phases[0], x, labels, {i, i, 1}, *none, state);
  }
  // The integers of a weight tensor on a grid of 2^e.
  std::vector<int64_t> codes(const std::string& name, int e) {
    for (const Param* p : model.params())
      if (p->name == name) {
        std::vector<int64_t> list;
        for (const float v : p->value.data<float>()) list.push_back(static_cast<int64_t>(std::ldexp(static_cast<double>(v), -e)));
        for (size_t i = 0; i < list.size(); ++i)
          CHECK(std::ldexp(static_cast<double>(list[i]), e) == static_cast<double>(p->value.data<float>()[i]));
        return list;
      }
    FAIL(name);
    return {};
  }
};

std::vector<int64_t> pixels_of(int64_t step) {
  std::vector<int64_t> p;
  for (uint64_t i = 0; i < kBatch * kSide * kSide; ++i)
    p.push_back(static_cast<int64_t>(Key(99).with(static_cast<uint64_t>(step)).below(i, 256)));
  return p;
}

// log2 of where the grid of a layer ends: the power of two nearest to 2 sqrt(3 / fan-in).
int end_of(int64_t fan_in) {
  int k = 0;
  while (12 * (int64_t{1} << (2 * k + 1)) < fan_in) ++k;  // 2 sqrt(3 / fan-in) < 2^(-k - 1/2)
  return -k;
}

Product product(const Size& size, const std::string& name, int master_bits, int shift, Run& run) {
  const int end = end_of(size.K * size.K * size.C);
  Product p{size, name, (int64_t{1} << (master_bits - 1)) - 1, shift, {}, {}, {}, {}, {}};
  p.w.e = end - 7;
  p.master.e = end - (master_bits - 1);
  p.master.v = run.codes(name + ".weight", p.master.e);
  return p;
}

// Five steps of both; the integers of all weights after each.
void compare(bool has_convolution, int master_bits, int shift, Rounds how, int threads) {
  set_thread_count(threads);
  Run run(text(has_convolution ? kConvolution : "", master_bits == 8 ? "int8" : "int16", shift,
               how == Rounds::by_halves ? "pseudo_stochastic" : "stochastic"));
  std::vector<Product> layers;
  int64_t features = kSide * kSide;
  if (has_convolution) {
    layers.push_back(product({kBatch, kSide, kSide, 1, 6, 3}, "conv1", master_bits, shift, run));
    features = kSide / 2 * kSide / 2 * 6;
  }
  layers.push_back(product({kBatch, 1, 1, features, 24, 1}, "fc1", master_bits, shift, run));
  layers.push_back(product({kBatch, 1, 1, 24, kClasses, 1}, "fc2", master_bits, shift, run));
  for (int64_t i = 0; i < 5; ++i) {
    const std::vector<int64_t> pixels = pixels_of(i);
    program_step(layers, {pixels, -8}, kLabels, how, Key(5).with("step").with(static_cast<uint64_t>(i)));
    run.step(i, pixels, kLabels);
    for (const Product& p : layers) {
      CAPTURE(p.name);
      CAPTURE(i);
      CHECK(run.codes(p.name + ".weight", p.master.e) == p.master.v);
    }
  }
  set_thread_count(1);
}

}  // namespace

TEST_CASE("a program of 64-bit integers makes the same weights, whatever the number of threads") {
  for (const int threads : {1, 3})
    for (const bool has_convolution : {false, true})
      for (const int bits : {8, 16})
        for (const Rounds how : {Rounds::randomly, Rounds::by_halves}) {
          CAPTURE(threads);
          CAPTURE(has_convolution);
          CAPTURE(bits);
          CAPTURE(static_cast<int>(how));
          compare(has_convolution, bits, bits == 8 ? 4 : 5, how, threads);
        }
}

TEST_CASE("sums of more than 24 bits keep their 24 leading ones") {
  constexpr int64_t n = 2000;  // 2000 * 255 * 127 = 2^25.9
  const auto codes = [](DType type, int64_t rows, int64_t most) {
    Tensor t(Shape{rows, n}, type);
    for (int64_t i = 0; i < t.size(); ++i) {
      const int64_t v = most - static_cast<int64_t>(Key(1).with(static_cast<uint64_t>(most)).below(static_cast<uint64_t>(i), 3));
      if (type == DType::u8) t.data<uint8_t>()[static_cast<size_t>(i)] = static_cast<uint8_t>(v);
      if (type == DType::i8) t.data<int8_t>()[static_cast<size_t>(i)] = static_cast<int8_t>(v);
    }
    return t;
  };
  const Tensor x = codes(DType::u8, 3, 255), w = codes(DType::i8, 5, 127), scale = Tensor::full({1}, 0x1p-9);
  const Tensor y =
      matmul(Value(Codes{x, Format::parse("uint8"), scale}), false, Value(Codes{w, Format::parse("int8"), scale}), true);
  bool has_lost = false;
  for (size_t i = 0; i < 15; ++i) {
    int64_t sum = 0;
    for (size_t k = 0; k < n; ++k) sum += int64_t{x.data<uint8_t>()[i / 5 * n + k]} * w.data<int8_t>()[i % 5 * n + k];
    CHECK(std::ldexp(static_cast<double>(y.data<float>()[i]), 18) == static_cast<double>(carried(sum)));
    has_lost = has_lost || carried(sum) != sum;
  }
  CHECK(has_lost);
}

namespace {

// The complaint about the network above with an assignment.
std::string complaint(const std::string& assignment) {
  try {
    const RunConfig config = read_config(Document::parse(text("", "int8", 4), "test"), std::vector<std::string>{assignment});
    Model model(config.model, {kSide, kSide, 1}, kClasses, config.precision, config.dtype(), Key(3));
    require_integers(config, model);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("what is not integer only is named, with what to do") {
  CHECK(complaint("name=other").empty());
  constexpr std::pair<const char*, const char*> kCases[] = {
      {R"(precision.activations="f32")", "precision.activations of fc1, fc2 is not quantized"},
      {R"(precision.activations="bf16")", "is no grid of integers"},
      {R"(precision.errors={"format": "int8", "scale": "absmax"})", "no power of two; try pow2"},
      {R"(precision.weights={"format": "int8", "scale": {"fixed": {"value": 0.3}}})",
       "has the scale \"fixed\", which is no power of two"},
      {R"(precision.weights={"format": "int8", "per": "channel", "scale": "pow2"})", "one scale for the tensor"},
      {R"(precision.master={"format": "int8", "scale": "pow2"})", "need a scale that does not move"},
      {R"(precision.master={"format": "int4", "scale": "layer_shift"})", "0.0625 steps of the master weights' grid"},
      {"train.loss=cross_entropy", "train.loss: has real arithmetic"},
      {R"(train.optimizer={"sgd": {"lr": 0.3}})", "learning rate is no power of two"},
      {R"(train.optimizer={"sgd": {"lr": 1, "momentum": 0.5}})", "train.optimizer: does more"},
      {R"(train.optimizer={"sgd": {"lr": 1, "weight_decay": 0.5}})", "train.optimizer: does more"},
      {"train.schedule=cosine", "train.schedule"},
      {"train.clip_norm=1", "train.clip_norm"},
      {"train.loss_scale=dynamic", "train.loss_scale"},
      {R"(model={"layers": ["flatten", {"linear": {"out": 5}}, "tanh", {"linear": {"bias": false}}]})",
       "layer tanh has real arithmetic"},
      {R"(model={"layers": ["flatten", {"linear": {"out": 5}}, "tanh", {"linear": {"bias": false}}]})", "fc1.bias is no weight"},
  };
  for (const auto& each : kCases) {
    CAPTURE(each.first);
    const std::string message = complaint(each.first);
    CAPTURE(message);
    CHECK(message.find(each.second) != std::string::npos);
  }
}
