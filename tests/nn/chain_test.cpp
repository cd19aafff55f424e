// A convolution that acts for the layers behind it changes nothing but the work.
#include <doctest/doctest.h>

#include <cstring>

#include "networks.h"

using namespace lp;

namespace {

constexpr std::string_view kApart = R"([{"conv2d": {"out": 6, "kernel": 3, "pad": 1}}, {"sequential": {"layers": ["relu"]}},
  {"conv2d": {"out": 8, "kernel": 3, "pad": 1}}, {"sequential": {"layers": ["relu"]}}, {"max_pool2d": {"kernel": 2}}, "flatten",
  {"linear": {"out": 12}}, "relu", "linear"])";
constexpr std::string_view kTogether = R"([{"conv2d": {"out": 6, "kernel": 3, "pad": 1}}, "relu",
  {"conv2d": {"out": 8, "kernel": 3, "pad": 1}}, "relu", {"max_pool2d": {"kernel": 2}}, "flatten",
  {"linear": {"out": 12}}, "relu", "linear"])";
constexpr std::string_view kInt8 = R"({"weights": {"format": "int8", "narrow": true, "per": "channel"},
  "activations": {"format": "uint8", "scale": "ema"},
  "errors": {"format": "int8", "narrow": true, "scale": "absmax", "rounding": "stochastic"}})";

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

int32_t nodes_of(Model& model, const Tensor& x) {
  Tape tape;
  Context context(&tape, Mode::train);
  model.forward(context, x);
  return tape.nodes();
}

}  // namespace

TEST_CASE("relu, pool and lens run in the block of a convolution; training gives the same bits") {
  const Shape input{8, 8, 2};
  const Tensor x = random_uniform({6, 8, 8, 2}, Key(1), 0, 1);
  const auto labels = labels_for(6, 3);
  for (const std::string_view precision : {kInt8, std::string_view("{}"), std::string_view(R"({"activations": "bf16"})")}) {
    CAPTURE(precision);
    Model apart = model_of(kApart, input, precision), together = model_of(kTogether, input, precision);
    for (int step = 0; step < 5; ++step) {
      const Key key = Key(3).with(static_cast<uint64_t>(step));
      CHECK(descend(apart, x, labels, 0.05, key) == doctest::Approx(descend(together, x, labels, 0.05, key)).epsilon(1e-5));
    }
    CHECK(nodes_of(together, x) < nodes_of(apart, x));
    const auto a = apart.params(), b = together.params();
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      CAPTURE(a[i]->name);
      CHECK((precision == kInt8 ? same_bits(a[i]->value, b[i]->value) : difference(a[i]->value, b[i]->value) < 1e-4));
    }
    CHECK(difference(predict(together, x), predict(apart, x)) < 1e-4);
  }
}

TEST_CASE("f64 and pools that overlap take the plain way") {
  const Tensor x = random_uniform({4, 9, 9, 1}, Key(1), 0, 1, DType::f64);
  Model precise = model_of(kTogether, {9, 9, 1}, "{}", DType::f64);
  CHECK(predict(precise, x).dtype() == DType::f64);
  Model overlapping = model_of(R"([{"conv2d": {"out": 4, "kernel": 3}}, "relu", {"max_pool2d": {"kernel": 3, "stride": 2}},
    "flatten", "linear"])",
                               {9, 9, 1});
  CHECK(descend(overlapping, convert(x, DType::f32), labels_for(4, 3), 0.1) > 0);
}
