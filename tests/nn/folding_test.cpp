// Batch norms folded into the weights before them: the same function and gradients in full precision, and a lens that sees what
// is deployed.
#include <doctest/doctest.h>

#include "nn/networks.h"

using namespace lp;

namespace {

std::string layers(std::string_view fold) {
  const std::string norm = fmt::format(R"({{"batch_norm": {{"fold": "{}"}}}})", fold);
  return R"([{"conv2d": {"out": 5, "kernel": 3, "pad": 1}}, )" + norm +
         R"(, "relu", "max_pool2d", "flatten", {"linear": {"out": 6, "bias": false}}, )" + norm + R"(, "tanh", "linear"])";
}

const Shape kInput{6, 6, 2};

Model network(std::string_view fold, std::string_view precision = "{}") {
  return model_of(layers(fold), kInput, precision, DType::f64);
}

Tensor batch(uint64_t key) { return random_normal({12, 6, 6, 2}, Key(key), DType::f64); }

struct State : Visitor {
  std::vector<std::pair<std::string, Tensor>> all;
  explicit State(Model& m) { m.visit(*this); }
  void param(Param& p) override { all.emplace_back(p.name, p.value); }
  void buffer(const std::string& name, Tensor& t) override { all.emplace_back(name, t); }
};

}  // namespace

TEST_CASE("in full precision, folding by the batch changes nothing: outputs, every gradient, running statistics") {
  Model plain = network("none"), folded = network("batch");
  for (int step = 0; step < 4; ++step) {
    const Tensor x = batch(static_cast<uint64_t>(step));
    const std::vector<int32_t> labels = labels_for(12, 3);
    CHECK(descend(plain, x, labels, 0.2) == doctest::Approx(descend(folded, x, labels, 0.2)).epsilon(1e-9));
  }
  const State a(plain), b(folded);
  REQUIRE(a.all.size() == b.all.size());
  for (const auto& [full_name, tensor] : a.all) {
    const std::string& name = full_name;  // clang 14 does not capture bindings
    const auto found = std::ranges::find(b.all, name, &std::pair<std::string, Tensor>::first);
    REQUIRE(found != b.all.end());
    CHECK_MESSAGE(difference(tensor, found->second) < 1e-7, name);
  }
  CHECK(difference(predict(plain, batch(9)), predict(folded, batch(9))) < 1e-7);
}

TEST_CASE("by the running statistics: w gamma / sqrt(var + eps) with var a constant (Jacob et al. 2018, eq. 14)") {
  Model model =
      model_of(R"([{"linear": {"out": 3, "bias": false}}, {"batch_norm": {"fold": "running"}}])", {4}, "{}", DType::f64);
  for (Param* p : model.params())
    if (p->name.starts_with("bn1")) p->value = random_uniform({3}, Key(3), 0.5, 1.5, DType::f64);
  const Tensor x = random_normal({10, 4}, Key(1), DType::f64);
  const auto labels = labels_for(10, 3);
  Tape tape;
  Context c(&tape, Mode::train);
  const Var y = model.forward(c, x);
  CHECK(difference(y.tensor(), predict(model, x)) < 1e-12);  // before anything moved: the same in evaluation
  const Tensor dy = random_normal({10, 3}, Key(5), DType::f64);
  const Gradients g = tape.backward(y, dy);
  for (const auto& [p, leaf] : c.leaves()) {
    if (p->name != "fc1.weight") continue;
    const double gamma = model.params()[1]->value.data<double>()[0], gain = gamma / std::sqrt(1 + 1e-5);
    double wanted = 0;
    for (size_t n = 0; n < 10; ++n) wanted += gain * dy.data<double>()[3 * n] * x.data<double>()[4 * n];
    CHECK(g.of(leaf).data<double>()[0] == doctest::Approx(wanted));
  }
  c.apply_changes();
  const Model& moved = model;
  CHECK(moved.layers().size() == 1);
  CHECK(difference(y.tensor(), predict(model, x)) > 1e-3);  // the running statistics took in this batch
}

TEST_CASE("the lens of the weights sees them folded, the lens of the biases too") {
  Model model =
      model_of(R"([{"linear": {"out": 3}}, {"batch_norm": {"fold": "batch"}}])", {4},
               R"({"weights": {"format": "int8", "narrow": true}, "biases": {"format": "int16", "narrow": true}})", DType::f64);
  const Tensor x = random_normal({10, 4}, Key(1), DType::f64);
  descend(model, x, labels_for(10, 3), 0.1);
  const State state(model);
  const auto at = [&](const char* name) {
    return numbers_of(std::ranges::find(state.all, name, &std::pair<std::string, Tensor>::first)->second);
  };
  Context c(nullptr, Mode::eval);
  int looks = 0;
  c.watch([&](const Look& look) {
    if (look.lens.name != "fc1.weight") return;
    ++looks;
    const std::vector<double> seen = numbers_of(look.x.tensor());
    for (size_t o = 0; o < 3; ++o)
      for (size_t i = 0; i < 4; ++i)
        CHECK(seen[4 * o + i] ==
              doctest::Approx(at("fc1.weight")[4 * o + i] * at("bn1.weight")[o] / std::sqrt(at("bn1.running_var")[o] + 1e-5)));
    CHECK(look.y.value.codes());
  });
  model.forward(c, x);
  CHECK(looks == 1);
}

TEST_CASE("a batch norm that has nothing to be folded into says so") {
  for (const char* wrong : {R"(["flatten", {"batch_norm": {"fold": "batch"}}, "linear"])",
                            R"([{"batch_norm": {"fold": "batch"}}, "flatten", "linear"])",
                            R"([{"conv2d": {"out": 2}}, "relu", {"batch_norm": {"fold": "running"}}, "flatten", "linear"])"}) {
    const std::string error = error_of([&] { model_of(wrong, kInput); });
    CHECK_MESSAGE(error.find("\"fold\" needs a linear or conv2d right before it") != std::string::npos, error);
    CHECK(error.find("(batch_norm \"bn1\")") != std::string::npos);
  }
}
