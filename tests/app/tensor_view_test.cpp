// Tensors under the microscope: ranges, codes and losses by hand, and grids that lie under numbers.
#include "lptrain/app/tensor_view.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lptrain/base/document.h"
#include "subject.h"

using namespace lp;

namespace {

struct Subject : test::Subject {
  using test::Subject::Subject;
  std::vector<TensorView> views() { return view_tensors(model, *config.train.loss, data); }
};

int64_t total(const Histogram& h) { return std::accumulate(h.counts.begin(), h.counts.end(), int64_t{0}); }

// What a weight lens makes of some numbers.
TensorView of_weights(const std::string& quantizer, std::vector<float> w) {
  Precision precision;
  read(Document::parse(fmt::format(R"({{"weights": {}}})", quantizer), "t"), precision);
  Param p("a.weight", Tensor::of<float>(Shape{2, std::ssize(w) / 2}, w));
  p.lens = std::make_unique<Lens>(p.name, Role::weights, 0, precision.of(Role::weights, "a"));
  Context context(nullptr, Mode::eval);
  TensorView view;
  context.watch([&](const Look& look) { view = view_of(look); });
  context.param(p);
  return view;
}

}  // namespace

TEST_CASE("every layer with a product shows its weights and activations, whatever they are quantized to") {
  for (const char* precision :
       {"{}", R"({"weights": "int4", "activations": "int8"})", R"({"input": "int8", "weights": "ternary"})",
        R"({"weights": {"format": "int8", "per": "channel"}, "activations": {"format": "uint8", "zero_point": true}})",
        R"({"weights": "binary", "activations": "bf16"})", R"({"weights": "mxfp4", "activations": "nvfp4", "errors": "e5m2"})",
        R"({"weights": "e4m3", "activations": {"format": "int4", "scale": "learned"}})",
        R"({"weights": {"format": "int4", "scale": "kmeans"}})"}) {
    CAPTURE(precision);
    Subject s(precision);
    const std::vector<TensorView> views = s.views();
    for (const std::string& layer : s.model.layers())
      for (const Role role : {Role::weights, Role::activations}) {
        const TensorView* view = find_view(views, layer, role);
        REQUIRE(view);
        CHECK(total(view->histogram) == view->tally.numbers);
        CHECK(view->low < view->high);
        CHECK(std::ranges::is_sorted(view->histogram.levels));
        for (double level : view->histogram.levels) CHECK((level >= view->histogram.low && level <= view->histogram.high));
      }
    CHECK(view_cells(views).size() == views.size() + 1);
  }
}

TEST_CASE("looking changes nothing, and shows the errors that come back") {
  Subject s(R"({"activations": {"format": "int8", "scale": "ema"}, "errors": {"format": "e5m2", "scale": "absmax"}})");
  const std::vector<TensorView> first = s.views(), second = s.views();
  REQUIRE(find_view(first, "fc1", Role::errors));
  CHECK(find_view(first, "fc1", Role::errors)->format == "e5m2");
  CHECK(find_view(first, "fc3", Role::errors)->tally.numbers == 2 * 64);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) CHECK(write(first[i]) == write(second[i]));
  std::vector<std::string> order;
  for (const TensorView& v : first) order.push_back(v.name());
  CHECK(order[0] == "fc1 weights");
  CHECK(order[1] == "fc1 activations");
  CHECK(order[2] == "fc1 errors");
  CHECK(order.back() == "fc3 errors");
}

TEST_CASE("figures of a tensor, by hand") {
  // Scales 1 and 10; 3.6 -> 4, 35 -> 4 * 10 (ties to even: 3.5 -> 4).
  const TensorView v = of_weights(R"({"format": "int4", "narrow": true, "per": "channel"})", {7, 3.6f, 0, 70, -70, 35});
  CHECK(v.format == "int4_narrow");
  CHECK(v.low == -70);
  CHECK(v.high == 70);
  CHECK(v.scales == 2);
  CHECK(v.least_scale == doctest::Approx(1));
  CHECK(v.greatest_scale == doctest::Approx(10));
  CHECK(v.levels == 15);
  CHECK(v.levels_used == 4);  // -7 0 4 7
  CHECK(v.tally.zeros == 1);
  CHECK(v.tally.saturated == 0);
  CHECK(v.tally.noise == doctest::Approx(0.16 + 25));
  CHECK(v.histogram.levels.size() == 15);
  CHECK(v.histogram.low == doctest::Approx(-7));
  CHECK(v.histogram.high == doctest::Approx(7));
  CHECK(v.histogram.counts.front() == 1);
  CHECK(v.histogram.counts.back() == 2);  // the largest of both channels
}

TEST_CASE("few levels are all shown, many are counted only; reals have none") {
  CHECK(of_weights(R"("ternary")", {1, -1, 0.2f, 0}).histogram.levels == std::vector<double>{-1, 0, 1});
  CHECK(of_weights(R"("binary")", {1, -1, 0.2f, 0}).histogram.levels == std::vector<double>{-1, 1});
  const TensorView bytes = of_weights(R"("int8")", {1, -1, 0.2f, 0});
  CHECK(bytes.histogram.levels.empty());
  CHECK(bytes.levels == 256);
  const TensorView reals = of_weights(R"("f32")", {1, -1, 0.2f, 0});
  CHECK(reals.format.empty());
  CHECK(reals.sqnr_text().empty());
  CHECK(reals.histogram.levels.empty());
  CHECK(reals.histogram.low == -1);
}

TEST_CASE("blocks have scales of their own, also where the last is short") {
  const TensorView v = of_weights(R"({"format": "int8", "per": "block:2", "scale": "absmax"})", {1, 2, 400, 8, 16, 3});
  CHECK(v.scales == 4);
  CHECK(v.greatest_scale == doctest::Approx(400 / 127.0));
  CHECK(v.histogram.high == doctest::Approx(127));
  CHECK(total(v.histogram) == 6);
}

TEST_CASE("numbers that are all alike, or not finite, still give a picture") {
  const TensorView zeros = of_weights(R"("f32")", {0, 0, 0, 0});
  CHECK(zeros.histogram.low < 0);
  CHECK(zeros.histogram.high > 0);
  CHECK(total(zeros.histogram) == 4);
  const TensorView odd = of_weights(R"("f32")", {NAN, INFINITY, 2, -1});
  CHECK(total(odd.histogram) == 2);
  CHECK(odd.tally.nans == 2);
  CHECK(odd.high == 2);
  CHECK(total(of_weights(R"("f32")", {NAN, NAN, NAN, NAN}).histogram) == 0);
  for (const TensorView& v : {zeros, odd}) CHECK(histogram_plot(v, 200, 100).svg("t").find("nan") == std::string::npos);
}
