// Looking at a trained model: what is counted, what is surest, and where grids lie under numbers.
#include "lptrain/app/examination.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lptrain/base/document.h"

using namespace lp;

namespace {

struct Subject {
  RunConfig config;
  Dataset data;
  Model model;

  explicit Subject(const std::string& precision, const std::string& dataset = R"({"name": "spirals", "limit": 300})")
      : config(read_config(
            Document::parse(fmt::format(R"({{"model": "tiny_mlp", "dataset": {}, "precision": {}, "train": {{"epochs": 1}}}})",
                                        dataset, precision),
                            "t"))),
        data(load_dataset(config.dataset, data_folders())),
        model(config.model, data.shape, std::ssize(data.classes), config.phases[0].precision, DType::f32, Key(1)) {}
  Examination examined() { return examine(model, *config.train.loss, data, 64); }
};

int64_t total(const Histogram& h) { return std::accumulate(h.counts.begin(), h.counts.end(), int64_t{0}); }

// What a weight lens makes of some numbers.
Histogram of_weights(const std::string& quantizer, std::vector<float> w) {
  Precision precision;
  read(Document::parse(fmt::format(R"({{"weights": {}}})", quantizer), "t"), precision);
  Param p("a.weight", Tensor::of<float>(Shape{2, std::ssize(w) / 2}, w));
  p.lens = std::make_unique<Lens>(p.name, Role::weights, 0, precision.of(Role::weights, "a"));
  Context context(nullptr, Mode::eval);
  Histogram h;
  context.watch([&](const Look& look) { h = histogram_of(look); });
  context.param(p);
  return h;
}

}  // namespace

TEST_CASE("the matrix counts what evaluation counts; the surest mistakes come first") {
  Subject s(R"({"weights": "int4"})");
  const Examination e = s.examined();
  const Evaluation evaluation = evaluate(s.model, *s.config.train.loss, s.data, s.data.test, 100);
  REQUIRE(e.confusion);
  CHECK(e.confusion->total() == s.data.test.size());
  CHECK(e.confusion->accuracy() == doctest::Approx(evaluation.score.accuracy));
  REQUIRE_FALSE(e.mistakes.empty());
  CHECK(e.mistakes.size() <= 18);
  CHECK(std::ranges::is_sorted(e.mistakes, std::greater{}, &Mistake::score));
  for (const Mistake& m : e.mistakes) {
    CHECK(m.label == s.data.test.label(m.index));
    CHECK(m.predicted == evaluation.predicted[static_cast<size_t>(m.index)]);
    CHECK(m.predicted != m.label);
    CHECK(m.score > 1.0 / static_cast<double>(s.data.classes.size()));
    CHECK(m.score <= 1);
  }
}

TEST_CASE("every layer with a product shows its weights and activations, whatever they are quantized to") {
  for (const char* precision :
       {"{}", R"({"weights": "int4", "activations": "int8"})", R"({"input": "int8", "weights": "ternary"})",
        R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "zero_point": true}})",
        R"({"weights": "binary", "activations": "bf16"})",
        R"({"weights": "e4m3", "activations": {"format": "int4", "scale": "learned"}})"}) {
    CAPTURE(precision);
    Subject s(precision);
    const Examination e = s.examined();
    REQUIRE(e.layers.size() == s.model.layers().size());
    for (const LayerView& view : e.layers) {
      REQUIRE(view.weights);
      REQUIRE(view.activations);
      for (const Histogram& h : {*view.weights, *view.activations}) {
        CHECK(total(h) > 0);
        CHECK(h.low < h.high);
        CHECK(std::ranges::is_sorted(h.levels));
        for (double level : h.levels) CHECK((level >= h.low && level <= h.high));
      }
    }
  }
}

TEST_CASE("numbers are seen in units of their scales, on one grid") {
  const Histogram h = of_weights(R"({"format": "int4", "narrow": true, "per": "channel"})", {7, 3.5, 0, 70, -70, 35});
  CHECK(h.format == "int4_narrow");
  CHECK(h.level_count == 15);
  CHECK(h.levels.size() == 15);
  CHECK(h.low == doctest::Approx(-7));
  CHECK(h.high == doctest::Approx(7));
  CHECK(total(h) == 6);
  CHECK(h.counts.front() == 1);
  CHECK(h.counts.back() == 2);  // the largest of both channels
}

TEST_CASE("few levels are all shown, many are counted only; reals have none") {
  CHECK(of_weights(R"("ternary")", {1, -1, 0.2f, 0}).levels == std::vector<double>{-1, 0, 1});
  CHECK(of_weights(R"("binary")", {1, -1, 0.2f, 0}).levels == std::vector<double>{-1, 1});
  const Histogram bytes = of_weights(R"("int8")", {1, -1, 0.2f, 0});
  CHECK(bytes.levels.empty());
  CHECK(bytes.level_count == 256);
  const Histogram reals = of_weights(R"("f32")", {1, -1, 0.2f, 0});
  CHECK(reals.format.empty());
  CHECK(reals.levels.empty());
  CHECK(reals.low == -1);
}

TEST_CASE("numbers that are all alike, or not finite, still give a picture") {
  const Histogram zeros = of_weights(R"("f32")", {0, 0, 0, 0});
  CHECK(zeros.low < 0);
  CHECK(zeros.high > 0);
  CHECK(total(zeros) == 4);
  const Histogram odd = of_weights(R"("f32")", {NAN, INFINITY, 2, -1});
  CHECK(total(odd) == 2);
  CHECK(total(of_weights(R"("f32")", {NAN, NAN, NAN, NAN})) == 0);
}
