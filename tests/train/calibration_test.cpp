// Scales and biases measured on examples.
#include "lptrain/train/calibration.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "lptrain/train/config.h"
#include "nn/networks.h"

using namespace lp;

namespace {

Lens* lens_of(Model& model, const std::string& name) {
  struct Find : Visitor {
    std::string name;
    Lens* found = nullptr;
    void lens(Lens& l) override {
      if (l.name == name) found = &l;
    }
  } find;
  find.name = name;
  model.visit(find);
  REQUIRE(find.found);
  return find.found;
}

float scale_in(const Lens& l) { return fit(l.observed, l.quantizer).scale.data<float>()[0]; }

constexpr const char* kLayers = R"([{"conv2d": {"out": 4, "pad": 1}}, "relu", "flatten", "linear"])";

struct Twins {
  Model model, reals;
  explicit Twins(std::string_view precision, std::string_view layers = kLayers, const Shape& input = {5, 5, 2})
      : model(model_of(layers, input, precision)), reals(model_of(layers, input)) {}
};

double mean_gap(Twins& t, const Tensor& x) {
  const Tensor y = predict(t.model, x), right = predict(t.reals, x);
  const Tensor gap = scaled(sum(zip(y, right, [](auto a, auto b) { return a - b; }), {0}), 1 / static_cast<double>(x.shape()[0]));
  return largest_magnitude(gap);
}

}  // namespace

TEST_CASE("observed scales cover what flows through the real network, over all batches") {
  Twins t(R"({"input": {"format": "int8", "scale": "widest"}, "activations": {"format": "uint8", "scale": "widest"}})");
  const std::vector<Tensor> batches{random_normal(Shape{3, 5, 5, 2}, Key(1)), random_normal(Shape{4, 5, 5, 2}, Key(2))};
  calibrate(t.model, t.reals, batches);
  double most = 0;
  for (const Tensor& b : batches) most = std::max(most, largest_magnitude(b));
  CHECK(static_cast<double>(lens_of(t.model, "input")->observed.high.data<float>()[0]) == doctest::Approx(most));
  CHECK(scale_in(*lens_of(t.model, "input")) == doctest::Approx(most / 127));
  REQUIRE(lens_of(t.model, "fc1.input")->observed.high);
  const double noise =
      largest_magnitude(zip(predict(t.model, batches[0]), predict(t.reals, batches[0]), [](auto a, auto b) { return a - b; }));
  CHECK(noise > 0);
  CHECK(noise < 0.1);
}

TEST_CASE("averages blend batches as training does; measured and fixed scales need nothing") {
  Twins t(R"({"activations": {"format": "uint8", "scale": {"ema": {"decay": 0.5}}}, "weights": "int8"})", R"(["linear"])", {2});
  const std::vector<Tensor> batches{Tensor::of<float>(Shape{1, 2}, {1, 4}), Tensor::of<float>(Shape{1, 2}, {8, 0})};
  calibrate(t.model, t.reals, batches);
  CHECK(lens_of(t.model, "fc1.input")->observed.high.data<float>()[0] == doctest::Approx(6));
  CHECK_FALSE(lens_of(t.model, "fc1.weight")->observed.high);
}

TEST_CASE("parameters show themselves once, masks applied; learned scales get a value") {
  Twins t(
      R"({"weights": {"format": "int4", "scale": "widest", "per": "channel"},
              "activations": {"format": "int4", "scale": "learned"}})",
      R"([{"linear": {"bias": false}}])", {2});
  Param& p = *t.model.params()[0];
  p.value = Tensor::of<float>(p.value.shape(), {1, -9, 2, 3, 5, 4});
  p.mask = Tensor::of<float>(p.value.shape(), {1, 0, 1, 1, 1, 1});
  const std::vector<Tensor> batches{random_normal(Shape{3, 2}, Key(1))};
  calibrate(t.model, t.reals, batches);
  const auto high = lens_of(t.model, "fc1.weight")->observed.high.data<float>();
  CHECK(high[0] == 1);
  CHECK(high[1] == 3);
  CHECK(high[2] == 5);
  REQUIRE(lens_of(t.model, "fc1.input")->scale->value);
  CHECK(lens_of(t.model, "fc1.input")->scale->value.data<float>()[0] > 0);
}

TEST_CASE("bias correction takes the mean error of every output away") {
  Twins t(R"({"weights": "int2", "activations": {"format": "uint4", "scale": "widest"}})");
  std::vector<Tensor> batches;
  for (uint64_t i = 0; i < 4; ++i) batches.push_back(random_normal(Shape{16, 5, 5, 2}, Key(i + 1)));
  calibrate(t.model, t.reals, batches);
  const Tensor all = concat(batches, 0);
  const double before = mean_gap(t, all);
  const std::vector<std::string> lines = correct_bias(t.model, t.reals, batches);
  CHECK(lines.size() == 2);
  CHECK(lines[0].starts_with("conv1: bias corrected by at most"));
  CHECK(before > 0.05);
  CHECK(mean_gap(t, all) < 1e-4);
}

TEST_CASE("layers without a bias are told and left") {
  Twins t(R"({"weights": "int2"})", R"([{"linear": {"bias": false}}])", {3});
  const std::vector<Tensor> batches{random_normal(Shape{4, 3}, Key(1))};
  CHECK(correct_bias(t.model, t.reals, batches) == std::vector<std::string>{"fc1: has no bias to correct"});
}

TEST_CASE("calibration examples: as many as asked for, or as there are; the same for the same seed") {
  DatasetSpec spec;
  spec.name = "spirals";
  spec.limit = 100;
  const Dataset data = load_dataset(spec, data_folders());
  const auto count = [](const std::vector<Tensor>& batches) {
    int64_t n = 0;
    for (const Tensor& b : batches) n += b.shape()[0];
    return n;
  };
  const std::vector<Tensor> some = calibration_batches(data, 50, 1), same = calibration_batches(data, 50, 1);
  CHECK(count(some) == 50);
  CHECK(some.size() == 2);
  CHECK(count(calibration_batches(data, 100000, 1)) == data.train.size());
  CHECK(std::memcmp(some[0].raw(), same[0].raw(), static_cast<size_t>(some[0].bytes())) == 0);
}

TEST_CASE("noise against the twin: none without quantizers, by hand with one") {
  Twins same("{}");
  const std::vector<Tensor> x{random_normal(Shape{4, 5, 5, 2}, Key(1))};
  for (const LayerNoise& n : noise_by_layer(same.model, same.reals, x)) CHECK(std::isinf(n.output_db));
  Twins t(R"({"weights": {"format": "int8", "scale": {"fixed": {"value": 1}}}})", R"([{"linear": {"out": 1}}])", {2});
  for (Model* m : {&t.model, &t.reals}) m->params()[0]->value = Tensor::of<float>(Shape{1, 2}, {3.3f, 4.4f});
  const auto noise = noise_by_layer(t.model, t.reals, std::vector{Tensor::of<float>(Shape{1, 2}, {1, 1})});
  REQUIRE(noise.size() == 1);
  CHECK(noise[0].layer == "fc1");
  CHECK(noise[0].weights_db == doctest::Approx(10 * std::log10((3.3 * 3.3 + 4.4 * 4.4) / (0.09 + 0.16))));
  CHECK(std::isinf(noise[0].input_db));
  CHECK(noise[0].output_db == doctest::Approx(20 * std::log10(7.7 / 0.7)));
}

TEST_CASE("layers that run step by step are calibrated and corrected over all their steps; borrowed weights count as seen") {
  Twins t(R"({"weights": "int3", "activations": {"format": "int8", "scale": "widest"}})",
          R"([{"gru": {"out": 6}}, {"linear": {"out": 6}}, {"linear": {"out": 6, "tied": "fc1"}}, {"linear": {}}])", {5, 4});
  const std::vector<Tensor> batches{random_normal(Shape{16, 5, 4}, Key(1))};
  calibrate(t.model, t.reals, batches);
  REQUIRE(lens_of(t.model, "gru1.h.input")->observed.high);
  REQUIRE(lens_of(t.model, "gru1.gates")->observed.high);
  const double before = mean_gap(t, batches[0]);
  CHECK(correct_bias(t.model, t.reals, batches).size() == 5);
  CHECK(mean_gap(t, batches[0]) < before / 4);
  for (const LayerNoise& n : noise_by_layer(t.model, t.reals, batches)) {
    CAPTURE(n.layer);
    CHECK(std::isfinite(n.weights_db));
    CHECK(n.output_db > 0);
  }
}
