// Every layer: the shape it promises is the shape it gives, gradients reach its parameters, and shapes that do not fit are
// refused.
#include <doctest/doctest.h>

#include <set>

#include "lptrain/grad/activation.h"
#include "lptrain/nn/layer.h"
#include "nn/networks.h"
#include "support/gradcheck.h"

using namespace lp;

namespace {

struct Case {
  std::string layer;
  Shape input, output;
  int params;
};
const std::vector<Case> kCases{
    {R"({"linear": {"out": 5}})", {7}, {5}, 2},
    {R"({"linear": {"bias": false}})", {2, 7}, {2, 3}, 1},
    {R"({"conv2d": {"out": 4}})", {7, 6, 2}, {5, 4, 4}, 2},
    {R"({"conv2d": {"out": 4, "kernel": {"h": 3, "w": 1}, "stride": {"size": 1, "w": 2}, "pad": 1, "bias": false}})",
     {7, 6, 2},
     {7, 4, 4},
     1},
    {R"({"conv2d": {"out": 6, "groups": 2, "dilation": 2}})", {7, 6, 4}, {3, 2, 6}, 2},
    {R"({"conv2d": {"depthwise": true, "pad": 1}})", {5, 5, 4}, {5, 5, 4}, 2},
    {R"({"conv2d": {"out": 8, "depthwise": true}})", {5, 5, 4}, {3, 3, 8}, 2},
    {R"("max_pool2d")", {7, 6, 2}, {3, 3, 2}, 0},
    {R"({"max_pool2d": {"kernel": 3, "stride": 2, "pad": 1}})", {7, 6, 2}, {4, 3, 2}, 0},
    {R"({"avg_pool2d": {"kernel": {"h": 2, "w": 3}}})", {7, 6, 2}, {3, 2, 2}, 0},
    {R"("global_avg_pool")", {7, 6, 2}, {2}, 0},
    {R"("batch_norm")", {7, 6, 2}, {7, 6, 2}, 2},
    {R"("layer_norm")", {7, 6, 2}, {7, 6, 2}, 2},
    {R"("softmax")", {5}, {5}, 0},
    {R"("log_softmax")", {5}, {5}, 0},
    {R"("dropout")", {50}, {50}, 0},
    {R"({"embedding": {"vocabulary": 9, "dim": 4}})", {6}, {6, 4}, 1},
    {R"({"rnn": {"out": 5}})", {4, 3}, {5}, 3},
    {R"({"rnn": {"out": 5, "activation": "relu", "direction": "both"}})", {4, 3}, {10}, 6},
    {R"({"lstm": {"out": 5, "output": "all"}})", {4, 3}, {4, 5}, 3},
    {R"({"gru": {"out": 5, "direction": "backward"}})", {4, 3}, {5}, 4},
    {R"({"attention": {"heads": 2}})", {5, 4}, {5, 4}, 8},
    {R"("positions")", {5, 4}, {5, 4}, 1},
    {R"("flatten")", {7, 6, 2}, {84}, 0},
    {R"({"reshape": {"shape": [4, -1]}})", {7, 6, 2}, {4, 21}, 0},
    {R"({"permute": {"order": [2, 0, 1]}})", {7, 6, 2}, {2, 7, 6}, 0},
    {R"({"slice": {"axis": 1, "begin": 1, "end": 6, "step": 2}})", {7, 6, 2}, {7, 3, 2}, 0},
    {R"({"slice": {"axis": 2, "begin": 1}})", {7, 6, 2}, {7, 6, 1}, 0},
    {R"("subsample")", {7, 6, 2}, {4, 3, 2}, 0},
    {R"({"pad_channels": {"to": 5}})", {7, 6, 2}, {7, 6, 5}, 0},
    {R"({"sequential": {"name": "head", "layers": ["flatten", {"linear": {"out": 4}}, "relu"]}})", {3, 2, 1}, {4}, 2},
    {R"({"repeat": {"times": 3, "layers": [{"linear": {"out": 4}}, "tanh"]}})", {6}, {4}, 6},
    {R"({"residual": {"layers": [{"conv2d": {"out": 2, "pad": 1}}, "batch_norm"]}})", {7, 6, 2}, {7, 6, 2}, 4},
    {R"({"branch": {"paths": [[{"linear": {"out": 4}}], [], ["tanh", {"linear": {"out": 2}}]]}})", {6}, {12}, 4},
};

struct Refused {
  std::string layer;
  Shape input;
  std::string message;
};
const std::vector<Refused> kRefused{
    {R"({"conv2d": {"out": 2}})", {9}, "wanted [H,W,C]"},
    {R"({"conv2d": {"out": 4, "groups": 3}})", {7, 6, 4}, "3 groups divide neither evenly: 4 input channels, 4 output channels"},
    {R"({"conv2d": {"out": 4, "kernel": 8}})", {7, 6, 4}, "smaller than the kernel 8x8"},
    {R"("max_pool2d")", {1, 6, 4}, "smaller than the window 2x2"},
    {R"("global_avg_pool")", {6, 4}, "wanted [H,W,C]"},
    {R"({"reshape": {"shape": [5, -1]}})", {7, 6, 2}, "holds 84 numbers, the shape wants [5,16]"},
    {R"({"permute": {"order": [1, 0]}})", {7, 6, 2}, "each of the axes 0..2"},
    {R"({"permute": {"order": [0, 1, 1]}})", {7, 6, 2}, "each of the axes 0..2"},
    {R"({"slice": {"axis": 3}})", {7, 6, 2}, "no axis 3"},
    {R"({"slice": {"axis": 0, "begin": 2, "end": 8}})", {7, 6, 2}, "no part 2..8"},
    {R"({"pad_channels": {"to": 1}})", {7, 6, 2}, "more channels than \"to\": 1"},
    {R"({"branch": {"paths": [[], ["flatten"]]}})", {7, 6, 2}, "path 2 gives [84], the paths before it [7,6,2]"},
    {R"({"lstm": {"out": 4}})", {7, 6, 2}, "wanted [T,C]"},
    {R"({"gru": {"out": 4}})", {1, 6}, "a single step; use linear"},
    {R"("lstm")", {5, 6}, "\"out\" is wanted"},
    {R"({"attention": {"heads": 4}})", {5, 6}, "4 heads do not divide 6 channels"},
    {R"("positions")", {7, 6, 2}, "wanted [T,C]"},
    {R"({"embedding": {"dim": 4}})", {6}, "\"vocabulary\" and \"dim\" are wanted"},
    {R"({"conv2d": {"out": 4, "depthwise": true, "groups": 2}})", {7, 6, 2}, "leave out \"groups\""},
    {R"({"max_pool2d": {"pad": 2}})", {7, 6, 2}, "at most half"},
};

struct Built {
  Precision precision;
  Builder builder;
  Layers layers;
  std::unique_ptr<Module> module;
  Built(const std::string& layer, const Shape& input, DType compute) : builder(precision, 3, compute, Key(11)) {
    layers = spec_of(fmt::format(R"({{"layers": [{}]}})", layer)).layers;
    module = build_chain(layers, builder, input);
  }
};

Shape batch_of(const Shape& shape, int64_t n) {
  std::vector<int64_t> extents{n};
  extents.insert(extents.end(), shape.begin(), shape.end());
  return Shape(extents);
}

std::string kind_of(const std::string& layer) {
  return layer.substr(layer.find('"') + 1, layer.find('"', layer.find('"') + 1) - layer.find('"') - 1);
}

Tensor input_for(const Case& c, int64_t n) {
  const Shape shape = batch_of(c.input, n);
  if (kind_of(c.layer) == "embedding") return tensor_of(shape, DType::f64, [](uint64_t i) { return static_cast<double>(i % 9); });
  return random_distinct(shape, Key(2), DType::f64);
}

}  // namespace

TEST_CASE("every row of the table has a case") {
  std::set<std::string> kinds;
  for (const Case& c : kCases) kinds.insert(kind_of(c.layer));
  for_each_activation([&]<class A>() { kinds.insert(std::string(A::name)); });
  for (const auto& row : choices<Layer>()) {
    CHECK_MESSAGE(kinds.contains(std::string(row.name)), row.name);
    CHECK_FALSE(row.doc.empty());
  }
}

TEST_CASE("layers give the shape they promise, and every parameter gets its gradient") {
  for (const Case& c : kCases) {
    CAPTURE(c.layer);
    Built built(c.layer, c.input, DType::f64);
    CHECK(output_of(built.layers, c.input, 3) == c.output);
    const Tensor x = input_for(c, 3);
    Tape tape;
    Context context(&tape, Mode::train, Key(4));
    const Var leaf = tape.leaf(x), y = built.module->forward(context, leaf);
    CHECK(y.shape() == batch_of(c.output, 3));
    CHECK(static_cast<int>(context.leaves().size()) == c.params);
    const Tensor u = random_normal(y.shape(), Key(5), DType::f64);
    const Gradients gradients = tape.backward(y, u);
    for (const auto& leaf_of : context.leaves()) CHECK_MESSAGE(gradients.find(leaf_of.second) != nullptr, leaf_of.first->name);
    if (kind_of(c.layer) != "embedding") CHECK(gradients.of(leaf).shape() == x.shape());
  }
}

TEST_CASE("layers without chance are the function of x that their gradient says") {
  for (const Case& c : kCases) {
    if (kind_of(c.layer) == "embedding" || kind_of(c.layer) == "dropout") continue;
    CAPTURE(c.layer);
    Built built(c.layer, c.input, DType::f64);
    const double error = gradient_error(
        [&](const std::vector<Var>& in) {
          Context context(in[0].tape, Mode::train, Key(4));
          return built.module->forward(context, in[0]);
        },
        {input_for(c, 3)}, Key(6));
    CHECK(error < 1e-6);
  }
}

TEST_CASE("activations are layers under their own name") {
  for_each_activation([]<class A>() {
    Built built(fmt::format("\"{}\"", A::name), {5}, DType::f32);
    const Tensor x = random_normal({2, 5}, Key(1));
    Context context(nullptr, Mode::eval);
    CHECK(difference(built.module->forward(context, Var(x)).tensor(), activation(A::name, Var(x)).tensor()) == 0);
  });
  Built leaky(R"({"leaky_relu": {"slope": 0.5}})", {1}, DType::f32);
  Context context(nullptr, Mode::eval);
  CHECK(leaky.module->forward(context, Var(Tensor::of<float>({1, 1}, {-2}))).tensor().item() == -1);
}

TEST_CASE("shapes that do not fit are refused with what was found and wanted") {
  for (const Refused& r : kRefused) {
    const std::string error = error_of([&] { Built(r.layer, r.input, DType::f32); });
    CHECK_MESSAGE(error.find(r.message) != std::string::npos, r.layer << ": " << error);
  }
}

TEST_CASE("batch norm: running statistics move after the step, and evaluation uses them") {
  Built built(R"({"batch_norm": {"momentum": 0.25, "eps": 0}})", {1}, DType::f64);
  const Tensor x = Tensor::of<double>({4, 1}, {1, 2, 3, 6});  // mean 3, unbiased variance 14/3
  auto evaluate = [&](double at) {
    Context context(nullptr, Mode::eval);
    return built.module->forward(context, Var(Tensor::full({1, 1}, at, DType::f64))).tensor().item();
  };
  Context training(nullptr, Mode::train);
  built.module->forward(training, Var(x));
  CHECK(evaluate(2) == 2);  // still mean 0, variance 1
  training.apply_changes();
  const double mean = 0.25 * 3, variance = 0.75 + 0.25 * 14 / 3;
  CHECK(evaluate(2) == doctest::Approx((2 - mean) / std::sqrt(variance)));
}

TEST_CASE("dropout: about `rate` zeros in training, nothing in evaluation, other zeros at every use") {
  Built built(R"({"dropout": {"rate": 0.25}})", {4000}, DType::f32);
  const Tensor x = Tensor::full({1, 4000}, 3);
  Context training(nullptr, Mode::train, Key(1)), evaluation(nullptr, Mode::eval);
  const Tensor a = built.module->forward(training, Var(x)).tensor(), b = built.module->forward(training, Var(x)).tensor();
  const auto zeros = std::ranges::count(a.data<float>(), 0.0f);
  CHECK(zeros > 850);
  CHECK(zeros < 1150);
  CHECK(std::ranges::all_of(a.data<float>(), [](float v) { return v == 0 || v == 4; }));
  CHECK(difference(a, b) > 0);
  CHECK(difference(built.module->forward(evaluation, Var(x)).tensor(), x) == 0);
}

TEST_CASE("embedding refuses what is no token") {
  Built built(R"({"embedding": {"vocabulary": 9, "dim": 4}})", {2}, DType::f32);
  Context context(nullptr, Mode::eval);
  for (float bad : {9.0f, -1.0f, 0.5f, std::numeric_limits<float>::quiet_NaN(), 1e20f}) {
    const std::string error = error_of([&] { built.module->forward(context, Var(Tensor::of<float>({1, 2}, {3, bad}))); });
    CHECK_MESSAGE(error.find("at position 1 of the batch; wanted whole numbers 0..8") != std::string::npos, error);
  }
}
