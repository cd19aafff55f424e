// Tasks and modes of the training benchmark: the same networks, batches and optimizers as tests/bench/peer.py.
#include "lptrain/app/bench_cases.h"

#include <algorithm>

#include "lptrain/base/random.h"
#include "lptrain/base/text.h"

namespace lp {
namespace {

constexpr std::string_view kSgd = R"({"sgd": {"lr": 0.01, "momentum": 0.9}})", kAdam = R"("adam")";

constexpr std::string_view kCnn = R"([{"conv2d": {"out": 32, "kernel": 3, "pad": 1}}, "relu",
  {"conv2d": {"out": 64, "kernel": 3, "pad": 1}}, "relu", {"max_pool2d": {"kernel": 2}}, "flatten",
  {"linear": {"out": 128}}, "relu", "linear"])";

const std::vector<BenchTask> kTasks{
    {"mlp128", "784-128-10, Adam", {28, 28, 1}, 64, R"(["flatten", {"linear": {"out": 128}}, "relu", "linear"])", kAdam},
    {"mlp1000",
     "784-1000-1000-10, SGD",
     {28, 28, 1},
     64,
     R"(["flatten", {"linear": {"out": 1000}}, "relu", {"linear": {"out": 1000}}, "relu", "linear"])",
     kSgd},
    {"cnn16", "models/cnn.json on 16x16 pictures, SGD", {16, 16, 1}, 64, kCnn, kSgd},
    {"cnn28", "models/cnn.json on 28x28 pictures, SGD", {28, 28, 1}, 64, kCnn, kSgd},
    {"resnet20", "models/resnet20.json on 32x32x3 pictures, SGD", {32, 32, 3}, 128, "", kSgd},
};

constexpr std::string_view kInt8 = R"("weights": {"format": "int8", "narrow": true, "scale": "absmax", "per": "channel"},
  "activations": {"format": "uint8", "scale": "ema"})";
constexpr std::string_view kInt8Errors =
    R"("errors": {"format": "int8", "narrow": true, "scale": "absmax", "rounding": "stochastic"},
  "weight_grads": {"format": "int8", "narrow": true, "scale": "absmax", "per": "channel", "rounding": "stochastic"})";

const std::vector<std::string> kTexts{
    fmt::format(R"({{{}, "errors": "bf16"}})", kInt8),
    fmt::format("{{{}, {}}}", kInt8, kInt8Errors),
};

const std::vector<BenchMode> kModes{
    {"f32", "everything in 32-bit floats", "{}"},
    {"f16", "weights, activations and errors in half precision", R"({"weights": "f16", "activations": "f16", "errors": "f16"})",
     "\"dynamic\""},
    {"bf16", "weights, activations and errors in bfloat16", R"({"weights": "bf16", "activations": "bf16", "errors": "bf16"})"},
    {"int8", "int8 weights, uint8 activations, bfloat16 errors", kTexts[0]},
    {"int8_full", "int8 errors and weight gradients too", kTexts[1]},
    {"int4", "int4 weights, uint4 activations, bfloat16 errors",
     R"({"weights": {"format": "int4", "narrow": true, "scale": "absmax", "per": "channel"},
         "activations": {"format": "uint4", "scale": "ema"}, "errors": "bf16"})"},
    {"q16", "16-bit fixed point weights and activations, int16 errors",
     R"({"weights": "q1.14", "activations": "q7.8", "errors": {"format": "int16", "scale": "absmax"}})"},
    {"binary", "binary weights and activations, the first layer's input in 8 bits, bfloat16 errors",
     R"({"input": {"format": "uint8", "scale": "absmax"}, "weights": {"format": "binary", "per": "channel"},
         "activations": {"format": "binary", "scale": {"fixed": {"value": 1}}}, "errors": "bf16"})"},
};

template <class Row>
const Row& row_named(std::span<const Row> rows, std::string_view name, std::string_view what) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  std::vector<std::string> known;
  for (const Row& row : rows) known.emplace_back(row.name);
  require(found != rows.end(), "there is no {} \"{}\"; known: {}", what, name, join(known, ", "));
  return *found;
}

// Pictures as dark as digits are: each class lights a fifth of the pixels, of its own, in changing brightness over a faint noise.
Subset pictures(const Shape& example, int64_t size, Key key) {
  constexpr double kLit = 0.2;
  const Key classes(7);
  auto examples = std::make_shared<Examples>();
  examples->inputs = Tensor(example.behind(size), DType::u8);
  Subset subset{examples, {}};
  for (int64_t n = 0; n < size; ++n) {
    const auto label = static_cast<int32_t>(10 * key.with("label").uniform(static_cast<uint64_t>(n)));
    const Key own = classes.with(static_cast<uint64_t>(label)), noise = key.with(static_cast<uint64_t>(n));
    const auto pixels = examples->inputs.rows(n, n + 1).data<uint8_t>();
    for (size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<uint8_t>(own.uniform(i) < kLit ? 128 + 127 * noise.uniform(i) : 40 * noise.uniform(i));
    examples->labels.push_back(label);
    subset.rows.push_back(n);
  }
  return subset;
}

}  // namespace

std::span<const BenchTask> bench_tasks() { return kTasks; }
std::span<const BenchMode> bench_modes() { return kModes; }

RunConfig bench_config(std::string_view task, std::string_view mode) {
  const BenchTask& t = row_named(bench_tasks(), task, "task");
  const BenchMode& m = row_named(bench_modes(), mode, "mode");
  const std::string model =
      t.layers.empty() ? fmt::format("\"{}\"", t.name) : fmt::format(R"({{"name": "{}", "layers": {}}})", t.name, t.layers);
  const std::string text = fmt::format(
      R"({{"name": "{}_{}", "model": {}, "dataset": "digits", "precision": {},
          "train": {{"epochs": 1000000, "batch": {}, "optimizer": {}, "loss_scale": {}}}}})",
      t.name, m.name, model, m.precision, t.batch, t.optimizer, m.loss_scale);
  return read_config(Document::parse(text, "bench"));
}

Dataset bench_data(std::string_view task, int64_t batches) {
  const BenchTask& t = row_named(bench_tasks(), task, "task");
  Dataset data;
  data.name = "patterns";
  data.shape = t.input;
  for (int i = 0; i < 10; ++i) data.classes.push_back(std::to_string(i));
  data.train = pictures(t.input, batches * t.batch, Key(1));
  data.validation = data.test = pictures(t.input, t.batch, Key(2));
  const auto channels = static_cast<size_t>(t.input.back());
  data.normalization = {std::vector<float>(channels, 1.f / 255), std::vector<float>(channels, 0.f)};  // [0, 1]
  return data;
}

}  // namespace lp
