// What methods of quantization-aware training add to the formula, each against its paper's equations, number by number.
#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

struct Pass {
  std::vector<double> y, dx, dlearned;
};

// A rule with a formula of its own, forward and backward.
Pass pass(const Quantizer& q, const Tensor& x, const Tensor& learned, const Tensor& dy) {
  Tape tape;
  const Var vx = tape.leaf(x), vl = learned ? tape.leaf(learned) : Var();
  const Var y = q.rule().apply(vx, vl, q);
  const std::vector<double> reals = numbers_of(y.tensor());
  const Gradients g = tape.backward(y, dy);
  return {reals, numbers_of(g.of(vx)), learned ? numbers_of(g.of(vl)) : std::vector<double>{}};
}

Tensor numbers(std::vector<double> v) {
  const auto n = static_cast<int64_t>(v.size());
  return Tensor::of<double>({n}, v);
}

// (f(x + e) - f(x - e)) / 2e
template <class F>
double slope(F f, double x, double e = 1e-6) {
  return (f(x + e) - f(x - e)) / (2 * e);
}

void check_close(const std::vector<double>& found, const std::vector<double>& wanted, double epsilon = 1e-5) {
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(epsilon));
}

}  // namespace

TEST_CASE("straight through a decision scale: dx = dy, as TWN and BinaryConnect want it") {
  const Quantizer twn =
      quantizer(R"({"format": "ternary", "scale": "mean_above", "decision": {"mean_abs": {"factor": 1.4}}, "gradient": "ste"})");
  const Tensor w = random_normal({40}, Key(3)), dy = random_normal({40}, Key(4));
  const Fit f = fit_to(w, twn, 0);
  Tape tape;
  const Var leaf = tape.leaf(w);
  QuantizeHow how{&twn};
  how.decision = Var(f.decision);
  CHECK(numbers_of(tape.backward(quantize(leaf, Var(f.scale), how), dy).of(leaf)) == numbers_of(dy));
}

TEST_CASE("BinaryConnect, Courbariaux et al. 2015, eq. 2: +1 with probability (w + 1) / 2 within [-1, 1]") {
  const Quantizer q = quantizer(R"({"format": "binary", "scale": "fixed", "rounding": "stochastic", "gradient": "ste"})");
  constexpr int64_t kCount = 40000;
  for (const double w : {-1.5, -1.0, -0.6, 0.0, 0.25, 1.0, 3.0}) {
    double ups = 0;
    for (const double v : numbers_of(quantized(Tensor::full({kCount}, w), q, 0, Key(5)))) ups += v == 1;
    const double p = std::clamp((w + 1) / 2, 0.0, 1.0);
    CHECK(std::abs(ups / kCount - p) <= 5 * std::sqrt(p * (1 - p) / kCount));  // 5 deviations
  }
}

TEST_CASE("TTQ, Zhu et al. 2017, eqs. 7 and 8") {
  const Quantizer q = quantizer(R"({"format": "ternary", "scale": {"ttq": {"threshold": 0.25}}})");
  const Tensor x = numbers({0.9, -2, 0.5, 0.51, -0.1, -0.7}), dy = numbers({1, 2, 3, 4, 5, 6});  // threshold 0.5
  const Tensor start = q.rule().start(x, q);
  check_close(numbers_of(start), {(0.9 + 0.51) / 2, (2 + 0.7) / 2});
  const Pass p = pass(q, x, Tensor::of<float>({2}, {0.75f, 1.5f}), dy);
  CHECK(p.y == std::vector<double>{0.75, -1.5, 0, 0.75, 0, -1.5});
  CHECK(p.dx == std::vector<double>{0.75, 2 * 1.5, 3, 4 * 0.75, 5, 6 * 1.5});
  CHECK(p.dlearned == std::vector<double>{1 + 4, -(2 + 6)});
  CHECK(numbers_of(q.rule().start(Tensor::zeros({3}), q)).size() == 2);
}

TEST_CASE("DoReFa's weights, Zhou et al. 2016, eq. 9: values, and the gradient through tanh and its largest magnitude") {
  for (const char* format : {"int4", "uint4", "uint1"}) {
    const Quantizer q = quantizer(fmt::format(R"({{"format": "{}", "scale": "dorefa"}})", format));
    const Tensor w = random_normal({31}, Key(8), DType::f64), dy = random_normal({31}, Key(9), DType::f64);
    const std::vector<double> in = numbers_of(w), d = numbers_of(dy);
    const double n = std::ldexp(1.0, q.format.bits()) - 1;
    size_t largest = 0;
    for (size_t i = 0; i < in.size(); ++i)
      if (std::abs(in[i]) > std::abs(in[largest])) largest = i;
    const double most = std::tanh(std::abs(in[largest]));
    const Pass p = pass(q, w, {}, dy);
    double through_most = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double squeezed = std::tanh(in[i]) / (2 * most) + 0.5;
      CHECK(p.y[i] == doctest::Approx(2 * std::nearbyint(n * squeezed) / n - 1).epsilon(1e-6));
      through_most += d[i] * -std::tanh(in[i]) / (most * most);
    }
    for (size_t i = 0; i < in.size(); ++i) {
      const double t = std::tanh(in[i]), own = d[i] * (1 - t * t) / most;
      const double shared = i == largest ? through_most * (1 - t * t) * (t > 0 ? 1 : -1) : 0;
      CHECK(p.dx[i] == doctest::Approx(own + shared).epsilon(1e-6));
    }
  }
  CHECK(pass(quantizer(R"({"format": "int4", "scale": "dorefa"})"), Tensor::zeros({2}), {}, Tensor::full({2}, 1)).y[0] == 0);
}

TEST_CASE("DoReFa's gradients, Zhou et al. 2016, eq. 12: an even grid over [-m, m] for each sample, noise for each element") {
  const Quantizer q =
      quantizer(R"({"format": "uint4", "per": "sample", "scale": {"absmax": {"mid_rise": true}}, "rounding": "stochastic"})");
  const Tensor g = tensor_of({3, 50}, DType::f32, [](uint64_t i) {
    return (i < 50 ? 1e-3 : i < 100 ? 7 : 0) * Key(2).normal(i);
  });
  const Key noise(6);
  const std::vector<double> in = numbers_of(g), out = numbers_of(quantized(g, q, 0, noise));
  for (size_t sample = 0; sample < 3; ++sample) {
    double m = 0;
    for (size_t i = 0; i < 50; ++i) m = std::max(m, std::abs(in[50 * sample + i]));
    int wrong = 0;
    for (size_t i = 50 * sample; i < 50 * (sample + 1); ++i) {
      // round(15 (g / 2m + 1/2 + N)) with N = U(-1/2, 1/2) / 15; 1 - U is as good as U
      const double u = 15 * (in[i] / (2 * m) + 0.5);
      const double code = std::clamp(std::floor(u + 1 - static_cast<double>(noise.uniform(i))), 0.0, 15.0);
      const double wanted = 2 * m * (code / 15 - 0.5);
      wrong += m == 0 ? out[i] != 0 : std::abs(out[i] - wanted) > 1e-5 * m;
    }
    CHECK(wrong <= 1);  // where f32 and f64 fall on either side of a neighbour
  }
}

TEST_CASE("mid-rise: signed and unsigned grids cover the same reals") {
  const Tensor x = Tensor::of<float>({5}, {-3, -0.1f, 0, 1, 2});
  const auto seen = [&](const char* format) {
    return numbers_of(quantized(
        x, quantizer(fmt::format(R"({{"format": "{}", "scale": {{"absmax": {{"mid_rise": true}}}}}})", format)), 0, {}));
  };
  check_close(seen("uint2"), {-3, -1, 1, 1, 1}, 1e-6);  // of 0, halfway between, the even code 2
  check_close(seen("int2"), {-3, -1, 1, 1, 1}, 1e-6);
  check_close(seen("uint1"), {-3, -3, -3, 3, 3}, 1e-6);
}

TEST_CASE("learned bits, Uhlich et al. 2020: width, values, gradients of step and range, price of a bit") {
  const Quantizer q = quantizer(R"({"format": "int8", "scale": {"learned_bits": {"penalty": 0}}})");
  const auto learned = [](double d, double m) {
    return Tensor::of<float>({2}, {static_cast<float>(std::log2(d)), static_cast<float>(std::log2(m))});
  };
  const auto bits = [&](double d, double m) { return q.rule().reached(learned(d, m), q).name(); };
  CHECK(bits(0.25, 0.25) == "int2");
  CHECK(bits(0.25, 0.75) == "int3");
  CHECK(bits(0.25, 1) == "int4");
  CHECK(bits(0.25, 1.75) == "int4");
  CHECK(bits(0.25, 2.2) == "int5");
  CHECK(bits(0.25, 1e6) == "int8");
  CHECK(bits(0.25, 1e-6) == "int2");
  const Tensor x = numbers({0.3, -0.4, 2, -3, 1.7}), dy = numbers({1, 2, 4, 8, 16});
  const Pass p = pass(q, x, learned(0.25, 1.5), dy);  // n = 6
  check_close(p.y, {0.25, -0.5, 1.5, -1.5, 1.5});
  CHECK(p.dx == std::vector<double>{1, 2, 0, 0, 0});
  const double dd = 1 * (1 - 1.2) + 2 * (-2 + 1.6), dm = 4 - 8 + 16;  // along log2: times d ln 2, m ln 2
  check_close(p.dlearned, {dd * 0.25 * std::log(2), dm * 1.5 * std::log(2)}, 1e-4);
  const Quantizer priced = quantizer(R"({"format": "int8", "scale": {"learned_bits": {"penalty": 3, "least": 3}}})");
  const Tensor none = Tensor::zeros({5}, DType::f64), at = learned(0.25, 1.5);
  const auto price = [](double log2_d, double log2_m) { return 3 * std::log2(std::exp2(log2_m - log2_d) + 1); };
  const double a = std::log2(0.25), b = std::log2(1.5);
  check_close(pass(priced, x, at, none).dlearned,
              {slope([&](double v) { return price(v, b); }, a), slope([&](double v) { return price(a, v); }, b)}, 1e-4);
  CHECK(pass(priced, x, learned(0.25, 0.75), none).dlearned == std::vector<double>{0, 0});  // 3 bits cost nothing
}

TEST_CASE("learned bits begin as LSQ does, and unsigned grids at 0") {
  const Quantizer q = quantizer(R"({"format": "uint8", "scale": {"learned_bits": {"bits": 4}}})");
  const Tensor x = tensor_of({200}, DType::f32, [](uint64_t i) { return static_cast<double>(Key(1).uniform(i)); });
  const Tensor start = q.rule().start(x, q);
  CHECK(q.rule().reached(start, q).name() == "uint4");
  CHECK(q.rule().reached({}, q).name() == "uint8");
  const double step = std::exp2(numbers_of(start)[0]);
  CHECK(step == doctest::Approx(2 * 0.5 / std::sqrt(15)).epsilon(0.1));
  const Pass p = pass(q, Tensor::of<float>({2}, {-1, 100}), start, Tensor::full({2}, 1));
  check_close(p.y, {0, 15 * step}, 1e-5);
  CHECK(p.dx == std::vector<double>{0, 0});
  check_close(p.dlearned, {-0.01 * 15 / 16, 15 * step * std::log(2) + 0.01 * 15 / 16}, 1e-4);
}

TEST_CASE("delayed scaling: the largest of the last maxima, with a margin") {
  const Quantizer q = quantizer(R"({"format": "e4m3", "scale": {"delayed": {"history": 3, "margin": 1}}})");
  const auto now = [&](double most) { return measure(Tensor::of<float>({2}, {static_cast<float>(-most), 0}), q, -1); };
  Extent state = now(10);
  CHECK(fit(state, q).scale.item() == doctest::Approx(20.0 / 448));
  const double maxima[] = {50, 1, 2, 3, 4}, wanted[] = {50, 50, 50, 3, 4};
  for (size_t i = 0; i < 5; ++i) {
    state = q.rule().blend(state, now(maxima[i]));
    CHECK(state.high.item() == 2 * wanted[i]);
    CHECK(state.low.item() == -2 * wanted[i]);
    CHECK(state.memory.shape() == Shape{3, 1});
  }
}

TEST_CASE("ema with a delay waits for so many looks") {
  const Quantizer q = quantizer(R"({"format": "uint8", "scale": {"ema": {"decay": 0.5, "delay": 2}}})");
  Extent state = measure(Tensor::full({1}, 4), q, -1);
  CHECK(q.rule().waits({}));
  CHECK(q.rule().waits(state));
  state = q.rule().blend(state, measure(Tensor::full({1}, 8), q, -1));
  CHECK(q.rule().waits(state));
  state = q.rule().blend(state, measure(Tensor::full({1}, 8), q, -1));
  CHECK_FALSE(q.rule().waits(state));
  CHECK(state.high.item() == 7);
}

TEST_CASE("a fixed scale may be given by the end of the grid") {
  CHECK(fit_to(Tensor::zeros({1}), quantizer(R"({"format": "uint4", "scale": {"fixed": {"high": 1}}})"), 0).scale.item() ==
        doctest::Approx(1.0 / 15));
}

TEST_CASE("rules say which quantizers they cannot serve, and what they can") {
  const std::pair<const char*, const char*> kWrong[] = {
      {R"({"format": "int4", "scale": "ttq"})", "needs the format ternary, found int4"},
      {R"({"format": "ternary", "scale": "ttq", "per": "channel"})", "leave out \"per\""},
      {R"({"format": "binary", "scale": "dorefa"})", "the scale \"mean_abs\""},
      {R"({"format": "e4m3", "scale": "dorefa"})", "integer format of 1 to 16 bits"},
      {R"({"format": "int4", "scale": "pact"})", "needs a grid without negative numbers, say uint4, found int4"},
      {R"({"format": "ternary", "scale": "learned_bits"})", "integer format of 2 to 16 bits"},
      {R"({"format": "int4", "scale": "learned_bits"})", "begins with \"bits\" up to those of int4"},
      {R"({"format": "e5m2", "scale": {"absmax": {"mid_rise": true}}})", "\"mid_rise\" needs an integer format"},
      {R"({"format": "uint4", "offset": "min", "scale": {"absmax": {"mid_rise": true}}})", "\"mid_rise\""},
      {R"({"format": "uint4", "scale": {"ema": {"of": {"absmax": {"mid_rise": true}}}}, "zero_point": true})", "\"mid_rise\""},
      {R"({"format": "binary", "per": "network", "scale": {"mean_abs": {"differentiable": true}}})", "\"tensor\" or \"channel\""},
      {R"({"format": "int16", "scale": "kmeans"})", "at most 12 bits"},
      {R"({"format": "e5m2", "scale": {"delayed": {"history": 0}}})", "history"},
  };
  for (const auto& [json, message] : kWrong) {
    const std::string error = error_of([&text = json] { quantizer(text); });
    CHECK_MESSAGE(holds(error, message), error);
  }
}
