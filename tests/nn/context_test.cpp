// The door to weights and the looks through lenses: what is measured when, what an evaluation may not change, and where noise
// comes from.
#include "lptrain/nn/context.h"

#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "nn/networks.h"

using namespace lp;

namespace {

Quantizer quantizer(std::string_view json) {
  Quantizer q;
  read(Document::parse(json, "test"), q);
  return q;
}

Lens lens_of(std::string_view json, Role role = Role::activations, int axis = -1) {
  return Lens("here.input", role, axis, quantizer(json));
}

float scale_seen(Context& c, Lens& lens, const Tensor& x) { return c.look(lens, Var(x)).value.codes()->scale_of(0); }

Tensor up_to(float most) { return Tensor::of<float>({1, 4}, {0, most / 4, -most / 2, most}); }

}  // namespace

TEST_CASE("an identity lens and a value with codes pass untouched") {
  Context c(nullptr, Mode::train);
  Lens none = lens_of(R"({"format": "f32"})"), first = lens_of(R"({"format": "int8"})"),
       second = lens_of(R"({"format": "int2"})");
  const Var x(up_to(1)), q = c.look(first, x);
  CHECK(c.look(none, x).value.codes() == nullptr);
  REQUIRE(q.value.codes() != nullptr);
  CHECK(c.look(second, q).value.codes() == q.value.codes());
}

TEST_CASE("ema: the first training look initializes, later ones blend after the step only") {
  Lens lens = lens_of(R"({"format": "int8", "narrow": true, "scale": {"ema": {"decay": 0.75}}})");
  Context first(nullptr, Mode::train);
  CHECK(scale_seen(first, lens, up_to(127)) == 1);
  CHECK(scale_seen(first, lens, up_to(254)) == 1);  // within a step a scale stays
  CHECK(scale_seen(first, lens, up_to(254)) == 1);
  first.apply_changes();  // 127, then 254 twice: 127 (1 + 1/4), then (1 + 1/4 * 3/4 + 1/4)
  CHECK(lens.observed.high.item() == doctest::Approx(127 * 1.4375));
  Context skipped(nullptr, Mode::train);
  scale_seen(skipped, lens, up_to(1000));  // changes are dropped with the context
  CHECK(lens.observed.high.item() == doctest::Approx(127 * 1.4375));
}

TEST_CASE("evaluation reads what training left, and changes nothing") {
  Lens lens = lens_of(R"({"format": "int8", "narrow": true, "scale": "ema"})"),
       learned = lens_of(R"({"format": "int8", "scale": "learned"})");
  Context early(nullptr, Mode::eval);
  CHECK(scale_seen(early, lens, up_to(254)) == 2);  // nothing seen yet: measured
  CHECK(scale_seen(early, learned, up_to(254)) > 0);
  early.apply_changes();
  CHECK_FALSE(lens.observed.high);
  CHECK_FALSE(learned.scale->value);
  Context training(nullptr, Mode::train);
  scale_seen(training, lens, up_to(127));
  training.apply_changes();
  Context late(nullptr, Mode::eval);
  CHECK(scale_seen(late, lens, up_to(254)) == 1);
  late.apply_changes();
  CHECK(lens.observed.high.item() == 127);
}

TEST_CASE("a lens forgets what it observed and learned when its quantizer changes, and only then") {
  constexpr const char *kEma = R"({"format": "int8", "scale": "ema"})", *kLearned = R"({"format": "int8", "scale": "learned"})";
  Lens lens = lens_of(kEma);
  Context c(nullptr, Mode::train);
  c.look(lens, Var(up_to(1)));
  lens.set(quantizer(kEma));
  CHECK(lens.observed.high);
  lens.set(quantizer(R"({"format": "int4", "scale": "ema"})"));
  CHECK_FALSE(lens.observed.high);
  lens.set(quantizer(kLearned));
  c.look(lens, Var(up_to(1)));
  lens.set(quantizer(kLearned));
  CHECK(lens.scale->value);
  lens.set(quantizer(kEma));
  CHECK_FALSE(lens.scale.has_value());
  CHECK(lens.layer() == "here");
}

TEST_CASE("stored scales of another shape are refused") {
  Lens lens = lens_of(R"({"format": "int8", "per": "channel", "scale": "ema"})"),
       learned = lens_of(R"({"format": "int8", "per": "channel", "scale": "learned"})");
  lens.observed = {Tensor::full({3}, -1), Tensor::full({3}, 1)};
  learned.scale->value = Tensor::full({3}, 1);
  for (Mode mode : {Mode::train, Mode::eval}) {
    Context c(nullptr, mode);
    CHECK(error_of([&] { c.look(lens, Var(up_to(1))); }).find("here.input: the stored scale has 3 channels, wanted 4") !=
          std::string::npos);
    CHECK(error_of([&] { c.look(learned, Var(up_to(1))); }).find("wanted 4") != std::string::npos);
  }
}

TEST_CASE("learned: starts at 2 mean|x| / sqrt(Q), is a leaf without decay, and stays positive whatever the step") {
  Lens lens = lens_of(R"({"format": "int4", "scale": "learned"})");
  Tape tape;
  Context c(&tape, Mode::train);
  c.look(lens, Var(up_to(4)));
  REQUIRE(c.leaves().size() == 1);
  Param& p = *c.leaves()[0].first;
  CHECK(p.name == "here.input.scale");
  CHECK_FALSE(p.decays);
  CHECK(p.value.item() == doctest::Approx(2 * 1.75 / std::sqrt(7.0)));
  const double before = p.value.item();
  p.value = Tensor::full({1}, -100);
  c.apply_changes();
  CHECK(p.value.item() == doctest::Approx(before / 2));
}

TEST_CASE("learned: the scale of a channel that is dead does not vanish, however long its optimizer remembers") {
  Lens lens = lens_of(R"({"format": "int4", "scale": "learned"})");
  const Tensor x = up_to(4);
  for (int step = 0; step < 400; ++step) {
    Tape tape;
    Context c(&tape, Mode::train);
    const Var y = c.look(lens, Var(x));
    const double ds = tape.backward(sum_all(y)).of(c.leaves()[0].second).item();
    REQUIRE(std::isfinite(ds));
    lens.scale->value = Tensor::full({1}, lens.scale->value.item() - 0.02);
    c.apply_changes();
  }
  CHECK(lens.scale->value.item() == 0x1p-64);
}

TEST_CASE("the LSQ factor is 1 / sqrt(N Q), N counted in weights, or in one example of activations") {
  const Tensor x = random_normal({6, 10}, Key(1));
  auto ds = [&](Role role) {
    Lens lens = lens_of(R"({"format": "int4", "scale": "learned"})", role, 0);
    Tape tape;
    Context c(&tape, Mode::train);
    const Var y = c.look(lens, Var(x));
    return tape.backward(sum_all(y)).of(c.leaves()[0].second).item();
  };
  CHECK(ds(Role::activations) / ds(Role::weights) == doctest::Approx(std::sqrt(60.0 * 7) / std::sqrt(10.0 * 7)));
}

TEST_CASE("weights: mask, then lens, once per context") {
  Param p("fc1.weight", Tensor::of<float>({1, 3}, {127, -5, 300}));
  p.mask = Tensor::of<float>({1, 3}, {1, 1, 0});
  p.lens = std::make_unique<Lens>(p.name, Role::weights, 0, quantizer(R"({"format": "int8", "narrow": true})"));
  Tape tape;
  Context c(&tape, Mode::train);
  const Var w = c.param(p), again = c.param(p);
  CHECK(w.value.codes()->scale_of(0) == 1);  // the masked 300 does not count
  CHECK(w.node == again.node);
  CHECK(c.leaves().size() == 1);
  const Gradients g = tape.backward(w, Tensor::full({1, 3}, 2));
  CHECK(difference(g.of(c.leaves()[0].second), Tensor::of<float>({1, 3}, {2, 2, 0})) == 0);
}

TEST_CASE("noise: other for every name, use and key, and the same again for the same") {
  auto draw = [](Key key, const std::string& name, int use) {
    Context c(nullptr, Mode::train, key);
    for (int i = 0; i < use; ++i) c.noise(name);
    return c.noise(name).bits;
  };
  CHECK(draw(Key(1), "a", 0) == draw(Key(1), "a", 0));
  CHECK(draw(Key(1), "a", 0) != draw(Key(1), "a", 1));
  CHECK(draw(Key(1), "a", 0) != draw(Key(1), "b", 0));
  CHECK(draw(Key(1), "a", 0) != draw(Key(2), "a", 0));
}

TEST_CASE("stochastic rounding is noise in training and nearest in evaluation") {
  Lens lens = lens_of(R"({"format": "int8", "scale": {"fixed": {"value": 1}}, "rounding": "stochastic"})");
  const Tensor x = Tensor::full({1, 1000}, 0.25);
  Context training(nullptr, Mode::train, Key(3)), evaluation(nullptr, Mode::eval, Key(3));
  const auto sum_of = [](const Tensor& t) { return dot(t, Tensor::full(t.shape(), 1)); };
  const double ups = sum_of(training.look(lens, Var(x)).tensor());
  CHECK(ups > 180);
  CHECK(ups < 320);
  CHECK(sum_of(evaluation.look(lens, Var(x)).tensor()) == 0);
}

TEST_CASE("errors are quantized on their way into the product, and the lens of errors learns its range there") {
  Lens lens("fc1.error", Role::errors, -1, quantizer(R"({"format": "int8", "narrow": true, "scale": "ema"})"));
  Lens none("fc1.error", Role::errors, -1, Quantizer{});
  Tape tape;
  Context c(&tape, Mode::train);
  CHECK_FALSE(c.errors(none));
  const Var w = tape.leaf(Tensor::of<float>({1, 2}, {1, 1}));
  const Var y = linear(Var(Tensor::of<float>({2, 2}, {1, 0, 0, 1})), w, Var(), c.errors(lens));
  const Tensor dw = tape.backward(y, Tensor::of<float>({2, 1}, {127, 3.4f})).of(w);
  CHECK(difference(dw, Tensor::of<float>({1, 2}, {127, 3})) == 0);
  CHECK(lens.observed.high.item() == 127);
}

TEST_CASE("per network: one scale and offset over all weights, measured together (global mean-bias)") {
  Model model =
      model_of(R"([{"linear": {"out": 5}}, "relu", {"linear": {}}])", {4},
               R"({"weights": {"format": "int4", "per": "network", "offset": "mean", "scale": {"fixed": {"value": 0.1}}},
                             "biases": {"format": "int8", "per": "network"}})");
  std::vector<double> all;
  std::vector<Param*> weights;
  for (Param* p : model.params()) {
    if (p->lens->role != Role::weights) continue;
    weights.push_back(p);
    for (double w : numbers_of(p->value)) all.push_back(w);
  }
  REQUIRE(weights.size() == 2);
  double mu = 0;
  for (double w : all) mu += w / static_cast<double>(all.size());
  Context context(nullptr, Mode::eval);
  context.survey(model.params());
  for (Param* p : weights) {
    const std::vector<double> q = numbers_of(context.param(*p).tensor()), w = numbers_of(p->value);
    for (size_t i = 0; i < w.size(); ++i)
      CHECK(q[i] == doctest::Approx(mu + 0.1 * std::clamp(std::nearbyint((w[i] - mu) / 0.1), -8.0, 7.0)).epsilon(1e-5));
  }
}

TEST_CASE("a trained codebook: clusters settle at the first training look, their numbers learn, the weights behind them stay") {
  Model model = model_of(R"([{"linear": {"out": 6}}, "relu", {"linear": {}}])", {4},
                         R"({"weights": {"format": "uint2", "scale": "kmeans"}})");
  const Tensor x = random_normal({12, 4}, Key(3));
  const std::vector<int32_t> labels = labels_for(12, 3);
  const double first = descend(model, x, labels, 0.3);
  const Tensor before = model.params()[0]->value.clone();
  double last = first;
  for (int i = 0; i < 60; ++i) last = descend(model, x, labels, 0.3);
  CHECK(last < 0.8 * first);
  CHECK(numbers_of(model.params()[0]->value) == numbers_of(before));
  const Lens& lens = *model.params()[0]->lens;
  CHECK(lens.scale->value.shape() == Shape{2, 4});
  const std::vector<double> book = numbers_of(lens.scale->value);
  CHECK(book[0] != book[4]);
}

TEST_CASE("scale and offset learn together where numbers lie beyond the grid, and are visited") {
  Model model = model_of(R"([{"linear": {"out": 6}}, "tanh", {"linear": {}}])", {4},
                         R"({"activations": {"format": "uint2", "scale": {"pact": {"alpha": 0.5}}, "offset": "learned"}})");
  const Tensor x = random_normal({12, 4}, Key(3));
  const std::vector<int32_t> labels = labels_for(12, 3);
  descend(model, x, labels, 0.1);
  struct Names : Visitor {
    std::vector<std::pair<std::string, double>> seen;
    void param(Param& p) override {
      if (p.name.ends_with(".scale") || p.name.ends_with(".offset")) seen.emplace_back(p.name, p.value.item());
    }
  };
  Names before, after;
  model.visit(before);
  for (int i = 0; i < 5; ++i) descend(model, x, labels, 0.1);
  model.visit(after);
  REQUIRE(before.seen.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(before.seen[i].first == after.seen[i].first);
    CHECK(before.seen[i].second != after.seen[i].second);
  }
}

TEST_CASE("groups that do not divide the channels: the error names the tensor") {
  const std::string error =
      error_of([] { model_of(R"([{"linear": {"out": 6}}])", {4}, R"({"weights": {"format": "int8", "per": "group:4"}})"); });
  CHECK_MESSAGE(error.find(".weight: \"per\": \"group:4\": 6 channels") != std::string::npos, error);
  Lens lens = lens_of(R"({"format": "int8", "per": "group:3"})");
  Context c(nullptr, Mode::eval);
  CHECK(error_of([&] { c.look(lens, Var(up_to(1))); }).starts_with("here.input: "));
}

TEST_CASE("an observed offset is kept with its extent, and a changed number of scales is noticed") {
  Lens lens = lens_of(R"({"format": "uint8", "offset": "min", "scale": {"ema": {"decay": 0.5}}})");
  Context c(nullptr, Mode::train);
  c.look(lens, Var(Tensor::of<float>({1, 2}, {2, 4})));
  c.apply_changes();
  CHECK(lens.observed.offset.item() == 2);
  struct Buffers : Visitor {
    std::vector<std::string> names;
    void buffer(const std::string& name, Tensor&) override { names.push_back(name); }
  } seen;
  visit(lens, seen);
  CHECK(seen.names == std::vector<std::string>{"here.input.low", "here.input.high", "here.input.centre"});
  Context late(nullptr, Mode::eval);
  CHECK(numbers_of(late.look(lens, Var(Tensor::of<float>({1, 2}, {1, 5}))).tensor()) == std::vector<double>{2, 4});
}

TEST_CASE("an ema with a delay lets x pass while it observes, in evaluation too, and is kept with its count") {
  Lens lens = lens_of(R"({"format": "int8", "narrow": true, "scale": {"ema": {"decay": 0, "delay": 2}}})");
  for (int step = 0; step < 4; ++step) {
    Context c(nullptr, Mode::train), eye(nullptr, Mode::eval);
    CHECK(c.foresee(lens).has_value() == (step >= 2));
    const Var y = c.look(lens, Var(up_to(127)));
    CHECK((y.value.codes() != nullptr) == (step >= 2));
    CHECK((eye.look(lens, Var(up_to(127))).value.codes() != nullptr) == (step >= 2));
    c.apply_changes();
    if (step >= 2) break;
  }
  Context late(nullptr, Mode::train);
  CHECK(late.foresee(lens));
  struct Buffers : Visitor {
    std::vector<std::string> names;
    void buffer(const std::string& name, Tensor&) override { names.push_back(name); }
  } seen;
  visit(lens, seen);
  CHECK(seen.names == std::vector<std::string>{"here.input.low", "here.input.high", "here.input.memory"});
}

TEST_CASE("a rule that brings an offset of its own: an even grid over [-m, m] without 0") {
  Lens lens = lens_of(R"({"format": "uint2", "per": "sample", "scale": {"absmax": {"mid_rise": true}}})", Role::errors);
  Context c(nullptr, Mode::train);
  const Tensor y = c.look(lens, Var(Tensor::of<float>({2, 2}, {3, -0.5f, 0.1f, -0.3f}))).tensor();
  CHECK(difference(y, Tensor::of<float>({2, 2}, {3, -1, 0.1f, -0.3f})) < 1e-6);
}
