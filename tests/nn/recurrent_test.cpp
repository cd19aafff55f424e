// Recurrent layers and attention against PyTorch's numbers (tests/golden/sequence.json, made by sequence.py beside it), and
// through lenses.
#include <doctest/doctest.h>

#include <set>

#include "lptrain/nn/cost.h"
#include "lptrain/nn/freeze.h"
#include "nn/networks.h"
#include "support/gradcheck.h"
#include "support/numbers.h"
#include "support/places.h"

using namespace lp;

namespace {

using test::Numbers;

struct GoldenParam {
  std::string name;
  Numbers value, gradient;
  void fields(Fields& f) {
    f("name", name, "ours");
    f("value", value, "of the parameter");
    f("gradient", gradient, "dL/d(value)");
  }
};

struct Golden {
  std::string layer;
  Numbers x, y, dy, dx;
  std::vector<GoldenParam> parameters;
  void fields(Fields& f) {
    f("layer", layer, "as a model writes it");
    f("x", x, "input [N,T,C]");
    f("y", y, "output");
    f("dy", dy, "dL/dy");
    f("dx", dx, "dL/dx");
    f("parameters", parameters, "by name");
  }
};

struct GoldenFile {
  std::vector<Golden> cases;
  void fields(Fields& f) { f("cases", cases, "one a layer"); }
};

// A model's own parts: no classes, no output check.
struct Built {
  Precision precision;
  Builder builder;
  std::unique_ptr<Module> module;
  Built(const std::string& layer, const Shape& input, DType compute, const char* numbers = "{}")
      : precision(precision_of(numbers)), builder(precision, 3, compute, Key(11)) {
    module = build_chain(spec_of(fmt::format(R"({{"layers": [{}]}})", layer)).layers, builder, input);
  }
};

struct Names : Visitor {
  std::map<std::string, Param*> params;
  std::map<std::string, Lens*> lenses;
  void param(Param& p) override { params[p.name] = &p; }
  void lens(Lens& l) override { lenses[l.name] = &l; }
};

constexpr const char* kInt8 = R"({
  "weights": {"format": "int8", "narrow": true, "scale": "absmax", "per": "channel"},
  "activations": {"format": "int8", "scale": "ema"},
  "errors": {"format": "int8", "narrow": true, "scale": "absmax"}})";

}  // namespace

TEST_CASE("recurrent layers and attention are PyTorch's, forward and backward") {
  GoldenFile file;
  read(Document::load(source_dir() + "/tests/golden/sequence.json"), file);
  CHECK(file.cases.size() == 9);
  for (const Golden& golden : file.cases) {
    CAPTURE(golden.layer);
    const Tensor x = golden.x.tensor();
    Built built(golden.layer, x.shape().dropped_front(1), DType::f64);
    Names names;
    built.module->visit(names);
    CHECK(names.params.size() == golden.parameters.size());
    for (const GoldenParam& p : golden.parameters) {
      REQUIRE_MESSAGE(names.params.contains(p.name), p.name);
      CHECK(names.params[p.name]->value.shape() == Shape(p.value.shape));
      names.params[p.name]->value = p.value.tensor();
    }
    Tape tape;
    Context context(&tape, Mode::train);
    const Var leaf = tape.leaf(x), y = built.module->forward(context, leaf);
    CHECK(difference(y.tensor(), golden.y.tensor()) <= 1e-12);
    const Gradients gradients = tape.backward(y, golden.dy.tensor());
    CHECK(difference(gradients.of(leaf), golden.dx.tensor()) <= 1e-12);
    for (const auto& leaf_of : context.leaves())
      for (const GoldenParam& p : golden.parameters)
        if (p.name == leaf_of.first->name)
          CHECK_MESSAGE(difference(gradients.of(leaf_of.second), p.gradient.tensor()) <= 1e-12, p.name);
  }
}

TEST_CASE("a backward layer reads the sequence from its end") {
  for (const char* kind : {"rnn", "lstm", "gru"}) {
    Built there(fmt::format(R"({{"{}": {{"out": 5}}}})", kind), {6, 2}, DType::f64),
        back(fmt::format(R"({{"{}": {{"out": 5, "direction": "backward"}}}})", kind), {6, 2}, DType::f64);
    const Tensor x = random_normal({3, 6, 2}, Key(1), DType::f64);
    std::vector<Tensor> steps;
    for (int64_t t = 6; t-- > 0;) steps.push_back(slice(x, 1, t, t + 1));
    Context context(nullptr, Mode::eval);
    const Tensor y = there.module->forward(context, Var(x)).tensor(),
                 z = back.module->forward(context, Var(concat(steps, 1))).tensor();
    CHECK(difference(y, z) == 0);
  }
}

TEST_CASE("both products of a recurrent layer run on codes, and the state is seen through a lens") {
  for (const char* kind : {"rnn", "lstm", "gru"}) {
    CAPTURE(kind);
    Built built(fmt::format(R"({{"{}": {{"out": 8, "name": "r"}}}})", kind), {5, 4}, DType::f32, kInt8);
    std::map<std::string, int> looks;
    bool all_coded = true;
    Tape tape;
    Context context(&tape, Mode::train, Key(1));
    context.watch([&](const Look& look) {
      ++looks[look.lens.name];
      all_coded = all_coded && (look.lens.is_identity() || look.y.value.codes());
    });
    const Var y = built.module->forward(context, Var(random_normal({3, 5, 4}, Key(2))));
    CHECK(all_coded);
    CHECK(looks["r.x.input"] == 1);
    CHECK(looks["r.x.weight"] == 1);
    CHECK(looks["r.h.input"] == 4);
    CHECK(looks["r.gates"] == (std::string(kind) == "gru" ? 6 : 5));
    tape.backward(y, random_normal(y.shape(), Key(3)));
    CHECK(looks["r.h.error"] == 4);
    CHECK(looks["r.x.error"] == 1);
  }
}

TEST_CASE("gates have lenses of their own, which overrides name") {
  const auto model = [](const char* gates) {
    return model_of(R"([{"lstm": {"out": 6}}, "linear"])", {5, 4},
                    fmt::format(R"({{"activations": "int8", "overrides": {{"lstm1": {{"activations": "{}"}}}}}})", gates));
  };
  Model narrow = model("int2"), wide = model("f32");
  Names names;
  wide.visit(names);
  CHECK(names.lenses.at("lstm1.gates")->is_identity());
  CHECK_FALSE(names.lenses.at("lstm1.h.input")->is_identity());
  const Tensor x = random_normal({2, 5, 4}, Key(1));
  CHECK(difference(predict(narrow, x), predict(wide, x)) > 0);
}

TEST_CASE("an LSTM's memory starts open") {
  Built built(R"({"lstm": {"out": 3}})", {4, 2}, DType::f32);
  Names names;
  built.module->visit(names);
  const auto b = std::as_const(names.params.at("lstm1.x.bias")->value).data<float>();
  CHECK(std::vector<float>(b.begin(), b.end()) == std::vector<float>{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("recurrent networks learn, in floats and in int8") {
  const Tensor x = random_normal({12, 6, 3}, Key(5));
  const std::vector<int32_t> labels = labels_for(12, 3);
  for (const char* kind : {"rnn", "lstm", "gru"})
    for (const char* precision : {"{}", kInt8}) {
      CAPTURE(kind);
      CAPTURE(precision);
      Model model = model_of(fmt::format(R"([{{"{}": {{"out": 24}}}}, "linear"])", kind), {6, 3}, precision);
      double loss = 0;
      for (uint64_t step = 0; step < 300; ++step) loss = descend(model, x, labels, 0.3, Key(step));
      CHECK(loss < 0.2);
    }
}

TEST_CASE("frozen, a recurrent network gives the same bits") {
  Model model = model_of(R"([{"gru": {"out": 8, "output": "all", "direction": "both"}}, {"lstm": {"out": 5}}, "linear"])", {6, 3},
                         R"({"weights": "int4", "activations": {"format": "int8", "scale": "ema"}})");
  const Tensor x = random_normal({4, 6, 3}, Key(5));
  descend(model, x, labels_for(4, 3), 0.1);
  const Tensor y = predict(model, x);
  freeze(model);
  CHECK(difference(predict(model, x), y) == 0);
}

TEST_CASE("costs: every product of every step") {
  Model model = model_of(R"([{"gru": {"out": 8}}, "linear"])", {6, 3}, R"({"weights": "int4"})");
  const ModelCost cost = cost_of(model);
  std::map<std::string, LayerCost> lines;
  for (const LayerCost& line : cost.layers) lines[line.name] = line;
  CHECK(lines.at("gru1.x").macs == 6 * 3 * 24);
  CHECK(lines.at("gru1.h").macs == 5 * 8 * 24);  // the first state is zero
  CHECK(lines.at("gru1.h").weights == "int4");
  CHECK(lines.at("gru1").macs == 0);
  CHECK(lines.at("gru1").output == "[8]");
  CHECK(cost.parameters == 3 * 24 + 24 + 8 * 24 + 24 + 8 * 3 + 3);
}
