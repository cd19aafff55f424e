// The quantize op against its formula, one number at a time, and its gradients against differences of the frozen rounding.
#include "lptrain/quant/quantize.h"

#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

constexpr const char* kFormats[] = {"int8",   "uint8",  "int4", "int16", "int20", "int1", "q3.4", "uq0.8", "ternary",
                                    "binary", "pow2_4", "e4m3", "e5m2",  "e2m1",  "f16",  "bf16", "e8m3"};

Quantizer quantizer_of(std::string_view format, std::string_view rounding, std::string_view per) {
  return quantizer(fmt::format(R"({{"format": "{}", "rounding": "{}", "per": "{}", "scale": {{"fixed": {{"value": 0.5}}}}}})",
                               format, rounding, per));
}

// s value(round(x / s)), as the header says.
double formula(const Quantizer& q, double x, double s, double noise) {
  const Overflow overflow = q.format == kF16 || q.format == kBf16 ? Overflow::infinity : Overflow::saturate;
  return s * round_value(q.grid(), x / s, q.rounding, overflow, noise);
}

Tensor wide_numbers(const Shape& shape) {
  return tensor_of(shape, DType::f64, [](uint64_t i) { return std::ldexp(Key(1).normal(i), static_cast<int>(i % 24) - 12); });
}

// q as a smooth function of x and s near (x0, s0): s (h(x/s) + (v0 - h(x0/s0))).
struct Frozen {
  const Quantizer& q;
  double residual(double x0, double s0) const { return round_value(q.grid(), x0 / s0, q.rounding) - h(x0 / s0); }
  double h(double u) const { return q.gradient.row().h(u, q.ends().low, q.ends().high); }
  double at(double x, double s, double frozen) const { return s * (h(x / s) + frozen); }
};

struct Derivatives {
  Tensor dx, ds;
};
Derivatives backward(const Quantizer& q, const Tensor& x, const Tensor& s, int axis, const Tensor& dy, double factor = 1) {
  Tape tape;
  const Var vx = tape.leaf(x), vs = tape.leaf(s);
  const Gradients g = tape.backward(quantize(vx, vs, {&q, axis, 0, {}, factor}), dy);
  return {g.of(vx), g.of(vs)};
}

}  // namespace

TEST_CASE("forward is the formula: every format family, rounding and granularity") {
  const Tensor x = wide_numbers({4, 3, 50});
  const Tensor one = Tensor::full({1}, 0.37), three = Tensor::of<float>({3}, {0.37f, 1, 5.5f});
  for (const char* format : kFormats)
    for (std::string_view rounding : {"nearest_even", "nearest_away", "floor", "ceil", "zero", "stochastic"})
      for (std::string_view per : {"tensor", "channel"}) {
        const Quantizer q = quantizer_of(format, rounding, per);
        const Key noise = Key(5).with(format);
        const bool by_channel = q.per == Per::channel;
        const Tensor s = by_channel ? three : one;
        const std::vector<double> y = numbers_of(quantize(Var(x), Var(s), {&q, 1, 0, noise}).tensor()), in = numbers_of(x);
        int wrong = 0;
        for (size_t i = 0; i < in.size(); ++i)
          wrong += y[i] != formula(q, in[i], static_cast<double>(s.data<float>()[by_channel ? i / 50 % 3 : 0]),
                                   static_cast<double>(noise.uniform(i)));
        CHECK_MESSAGE(wrong == 0, format << " " << rounding << " " << per);
      }
}

TEST_CASE("pseudo_stochastic: the bits between the tensor's own unit and the scale are the noise") {
  // In units of 1/64: 64 + 27 = 1.011011, 64 + 22 = 1.010110, and the same below 0. With the scale 1, 6 bits fall off.
  const Tensor x = Tensor::of<float>({5}, {91.0f / 64, 86.0f / 64, -91.0f / 64, -86.0f / 64, 1.0f / 64});
  Quantizer q;
  read(Document::parse(R"({"format": "int8", "scale": {"fixed": {"value": 1}}, "rounding": "pseudo_stochastic"})", "t"), q);
  for (const DType type : {DType::f32, DType::f64}) {
    const std::vector<double> wanted{1, 1, -1, -1, 0};  // 011 against 011: not more; 010 against 110
    CHECK(numbers_of(quantized(convert(x, type), q, 0, {})) == wanted);
    CHECK(numbers_of(quantize(Var(convert(x, type)), Var(Tensor::full({1}, 1)), {&q}).tensor()) == wanted);
  }
  // Multiples of 1/32: 5 bits, the latter half with a 0 behind it.
  const Tensor even = Tensor::of<float>({2}, {45.0f / 32, -45.0f / 32});  // 01101: 011 against 010
  CHECK(numbers_of(quantized(even, q, 0, {})) == std::vector<double>{2, -2});
  const Tensor odd = Tensor::of<float>({2}, {47.0f / 32, -47.0f / 32});  // 01111: 011 against 110
  CHECK(numbers_of(quantized(odd, q, 0, {})) == std::vector<double>{1, -1});
  const Tensor most = Tensor::of<float>({2}, {61.0f / 32, -61.0f / 32});  // 11101: 111 against 010
  CHECK(numbers_of(quantized(most, q, 0, {})) == std::vector<double>{2, -2});
}

TEST_CASE("pseudo_stochastic needs integers, and one scale that is a power of two") {
  const auto complaint = [](const char* text) -> std::string {
    try {
      Quantizer q;
      read(Document::parse(text, "t"), q);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  for (const char* text : {R"({"format": "int8", "scale": "pow2", "rounding": "pseudo_stochastic"})",
                           R"({"format": "q0.7", "rounding": "pseudo_stochastic"})",
                           R"({"format": "int8", "scale": "layer_shift", "rounding": "pseudo_stochastic"})",
                           R"({"format": "int8", "scale": {"fixed": {"high": 15.875}}, "rounding": "pseudo_stochastic"})",
                           R"({"format": "int8", "decision": {"pow2": {"shift": 2}}, "rounding": "pseudo_stochastic"})"})
    CHECK(complaint(text) == "");
  for (const char* text : {R"({"format": "int8", "rounding": "pseudo_stochastic"})",
                           R"({"format": "e4m3", "scale": "pow2", "rounding": "pseudo_stochastic"})",
                           R"({"format": "int8", "scale": "pow2", "per": "channel", "rounding": "pseudo_stochastic"})",
                           R"({"format": "int8", "scale": {"fixed": {"value": 0.3}}, "rounding": "pseudo_stochastic"})",
                           R"({"format": "uint8", "scale": "pow2", "offset": "mean", "rounding": "pseudo_stochastic"})"}) {
    CAPTURE(text);
    CHECK(complaint(text).find("compares the bits that a shift cuts off") != std::string::npos);
  }
}

TEST_CASE("f32 and f64 agree where f32 is exact, codes and reals too") {
  const Tensor x = tensor_of({64}, DType::f32, [](uint64_t i) { return (static_cast<double>(i) - 32) / 8; });
  for (const char* format : kFormats) {
    const Quantizer q = quantizer_of(format, "nearest_even", "tensor");
    const Var s(Tensor::full({1}, 0.5));
    const Tensor narrow = quantize(Var(x), s, {&q}).tensor(), wide = quantize(Var(convert(x, DType::f64)), s, {&q}).tensor();
    CHECK_MESSAGE(numbers_of(narrow) == numbers_of(wide), format);
    CHECK_MESSAGE(numbers_of(quantized(x, q, 0, {})) == numbers_of(narrow), format);
  }
}

TEST_CASE("codes are carried when the format has them; those of binary are its reals") {
  auto codes = [](const char* json) {
    const Quantizer q = quantizer(json);
    const Value v =
        quantize(Var(Tensor::of<float>({2}, {-0.6f, 0})), Var(Tensor::full({1}, q.format.is_float() ? 1 : 0.25)), {&q}).value;
    return v.codes() ? std::optional<Codes>(*v.codes()) : std::nullopt;
  };
  CHECK(codes(R"({"format": "int8"})")->codes.data<int8_t>()[0] == -2);
  CHECK(codes(R"({"format": "uint8"})")->codes.dtype() == DType::u8);
  CHECK(codes(R"({"format": "int12"})")->codes.dtype() == DType::i16);
  CHECK(codes(R"({"format": "bf16"})")->codes.dtype() == DType::bf16);
  CHECK(codes(R"({"format": "binary"})")->codes.data<int8_t>()[0] == -1);
  CHECK(codes(R"({"format": "binary"})")->codes.data<int8_t>()[1] == 1);
  CHECK_FALSE(codes(R"({"format": "e4m3"})"));
  CHECK_FALSE(codes(R"({"format": "int20"})"));
  CHECK_FALSE(codes(R"({"format": "bf16", "scale": "absmax"})"));  // halves carry their bit pattern, which knows no scale
}

TEST_CASE("dx and ds are the derivatives of the formula with its rounding frozen") {
  const Tensor x = wide_numbers({4, 3, 7}), dy = random_normal({4, 3, 7}, Key(2), DType::f64);
  for (const char* format : {"int8", "uint8", "int4", "q3.4", "ternary", "binary", "e4m3", "pow2_4"})
    for (std::string_view per : {"tensor", "channel"})
      for (const EstimatorRow& row : Estimator::rows()) {
        Quantizer q = quantizer(
            fmt::format(R"({{"format": "{}", "scale": "learned", "per": "{}", "gradient": "{}"}})", format, per, row.name));
        CAPTURE(format);
        CAPTURE(row.name);
        const Tensor s = q.per == Per::channel ? Tensor::of<float>({3}, {0.25f, 1, 3}) : Tensor::full({1}, 0.5);
        const Derivatives got = backward(q, x, s, 1, dy, 0.125);
        const Frozen frozen{q};
        constexpr double kStep = 1e-6;
        std::vector<double> ds(s.data<float>().size());
        for (size_t i = 0; i < x.data<double>().size(); ++i) {
          const size_t c = q.per == Per::channel ? i / 7 % 3 : 0;
          const double x0 = x.data<double>()[i], s0 = static_cast<double>(s.data<float>()[c]), r = frozen.residual(x0, s0),
                       d = dy.data<double>()[i];
          const double along_x = (frozen.at(x0 + kStep, s0, r) - frozen.at(x0 - kStep, s0, r)) / (2 * kStep);
          CHECK(got.dx.data<double>()[i] == doctest::Approx(d * along_x).epsilon(1e-6));
          ds[c] += d * (frozen.at(x0, s0 + kStep, r) - frozen.at(x0, s0 - kStep, r)) / (2 * kStep);
        }
        for (size_t c = 0; c < ds.size(); ++c)
          CHECK(static_cast<double>(got.ds.data<float>()[c]) == doctest::Approx(0.125 * ds[c]).epsilon(1e-5));
      }
}

TEST_CASE("with decision scale and offset: dx, ds, dr and do are the derivatives of q = s (h(u) + frozen) + o, u = (x - o) / r") {
  const Tensor x = wide_numbers({4, 3, 7}), dy = random_normal({4, 3, 7}, Key(2), DType::f64);
  constexpr double kStep = 1e-6;
  for (const char* format : {"int8", "uint4", "ternary", "binary", "e4m3", "posit8_2"})
    for (const EstimatorRow& row : Estimator::rows()) {
      CAPTURE(format);
      CAPTURE(row.name);
      const Quantizer q = quantizer(
          fmt::format(R"({{"format": "{}", "scale": "learned", "per": "channel", "decision": "fixed", "gradient": "{}"}})",
                      format, row.name));
      const Tensor s = Tensor::of<float>({3}, {0.25f, 1, 3}), r = Tensor::of<float>({3}, {0.5f, 0.75f, 2}),
                   o = Tensor::of<float>({3}, {0.125f, -1, 0.5f});
      Tape tape;
      const Var vx = tape.leaf(x), vs = tape.leaf(s), vr = tape.leaf(r), vo = tape.leaf(o);
      const Var y = quantize(vx, vs, {&q, 1, 0, {}, 0.125, vr, vo});
      const Gradients g = tape.backward(y, dy);
      const auto h = [&](double u) { return row.h(u, q.ends().low, q.ends().high); };
      double sums[3][3] = {};
      for (size_t i = 0; i < 84; ++i) {
        const size_t c = i / 7 % 3;
        const auto at = [c](const Tensor& t) { return static_cast<double>(t.data<float>()[c]); };
        const double x0 = x.data<double>()[i], s0 = at(s), r0 = at(r), o0 = at(o), d = dy.data<double>()[i];
        const double v = round_value(q.grid(), (x0 - o0) / r0, q.rounding), frozen = v - h((x0 - o0) / r0);
        CHECK(y.tensor().data<double>()[i] == doctest::Approx(s0 * v + o0));
        const bool is_straight = row.name == "ste";  // then x moves q as fast as itself, whatever r
        const double rest = v - (x0 - o0) / s0;
        const auto value = [&](double xx, double ss, double rr, double oo) {
          return is_straight ? xx + ss * rest : ss * (h((xx - oo) / rr) + frozen) + oo;
        };
        const double e = kStep, along = (value(x0 + e, s0, r0, o0) - value(x0 - e, s0, r0, o0)) / (2 * e);
        CHECK(g.of(vx).data<double>()[i] == doctest::Approx(d * along).epsilon(1e-5));
        sums[0][c] += d * (value(x0, s0 + e, r0, o0) - value(x0, s0 - e, r0, o0)) / (2 * e);
        sums[1][c] += d * (value(x0, s0, r0 + e, o0) - value(x0, s0, r0 - e, o0)) / (2 * e);
        sums[2][c] += d * (value(x0, s0, r0, o0 + e) - value(x0, s0, r0, o0 - e)) / (2 * e);
      }
      for (size_t c = 0; c < 3; ++c) {
        CHECK(static_cast<double>(g.of(vs).data<float>()[c]) == doctest::Approx(0.125 * sums[0][c]).epsilon(1e-5));
        CHECK(static_cast<double>(g.of(vr).data<float>()[c]) == doctest::Approx(0.125 * sums[1][c]).epsilon(1e-5));
        CHECK(static_cast<double>(g.of(vo).data<float>()[c]) == doctest::Approx(0.125 * sums[2][c]).epsilon(1e-5));
      }
    }
}

TEST_CASE("LSQ+, Bhalgat et al. 2020, eqs. 6 and 7: do is 0 within the grid and 1 beyond it") {
  const Quantizer q = quantizer(R"({"format": "uint2", "scale": "learned", "offset": "learned"})");
  auto gradients = [&](float x) {
    Tape tape;
    const Var vs = tape.leaf(Tensor::full({1}, 0.5)), vo = tape.leaf(Tensor::full({1}, -0.5));
    const Gradients g =
        tape.backward(quantize(Var(Tensor::of<float>({1}, {x})), vs, {&q, 0, 0, {}, 1, {}, vo}), Tensor::full({1}, 1));
    return std::pair(g.of(vs).item(), g.of(vo).item());
  };
  CHECK(gradients(-3) == std::pair(0.0, 1.0));
  CHECK(gradients(9) == std::pair(3.0, 1.0));
  CHECK(gradients(0.1f).first == doctest::Approx(1 - 1.2));
  CHECK(gradients(0.1f).second == 0);
}

TEST_CASE("PACT, Choi et al. 2018, eq. 3: dalpha is 1 from alpha on, 0 below") {
  const Quantizer q = quantizer(R"({"format": "uint4", "scale": {"pact": {"alpha": 3}}})");
  auto dalpha = [&](float x) {  // ds = 15 dalpha, and what is learned is s = alpha / 15
    return backward(q, Tensor::of<float>({1}, {x}), Tensor::full({1}, 0.2), 0, Tensor::full({1}, 1), 1.0 / 15).ds.item();
  };
  CHECK(fit_to(Tensor::zeros({2}), q, 0).scale.item() == doctest::Approx(3.0 / 15));
  CHECK(dalpha(3.5f) == 1);
  CHECK(dalpha(0.7f) == 0);
  CHECK(dalpha(-1) == 0);
  // A step of plain gradient descent in alpha is one in s with the rule's factor.
  const double lr = 0.1, ds = 15, factor = q.rule().gradient_factor(100, 15);
  CHECK(15 * (0.2 - lr * ds * factor) == doctest::Approx(3 - lr * 1));
}

TEST_CASE("XNOR-Net: the measured scale hands its gradient on to the weights (Rastegari et al. 2016, corrected)") {
  const Quantizer q = quantizer(
      R"({"format": "binary", "per": "channel", "decision": "fixed", "scale": {"mean_abs": {"differentiable": true}}})");
  const Tensor w = Tensor::of<float>({2, 3}, {-0.5f, 0.25f, 2, 0.75f, -0.1f, 0.3f}), dy = random_normal({2, 3}, Key(4));
  Tape tape;
  const Var leaf = tape.leaf(w);
  const Fit f = fit_to(w, q, 0);
  QuantizeHow how{&q, 0};
  how.decision = Var(f.decision);
  const Gradients g = tape.backward(quantize(leaf, measured_scale(leaf, f.scale, q, 0), how), dy);
  for (size_t o = 0; o < 2; ++o) {
    const float* row = w.data<float>().data() + 3 * o;
    const float* d = dy.data<float>().data() + 3 * o;
    double alpha = 0, shared = 0;
    for (int i = 0; i < 3; ++i) alpha += std::abs(row[i]) / 3.0, shared += d[i] * (row[i] > 0 ? 1 : -1);
    for (int i = 0; i < 3; ++i) {
      const double wanted = shared / 3 * (row[i] > 0 ? 1 : -1) + (std::abs(row[i]) <= 1 ? alpha * d[i] : 0);
      CHECK(g.of(leaf).data<float>()[3 * o + static_cast<size_t>(i)] == doctest::Approx(wanted).epsilon(1e-5));
    }
  }
}

TEST_CASE("overflow: wrap and infinity where the format knows them") {
  const Tensor x = Tensor::of<float>({3}, {130, -129, 5});
  CHECK(numbers_of(quantized(x, quantizer(R"({"format": "q7.0", "overflow": "wrap", "scale": "fixed"})"), 0, {})) ==
        std::vector<double>{-126, 127, 5});
  const Tensor far = Tensor::of<float>({1}, {1e9f});
  CHECK(std::isinf(quantized(far, quantizer(R"({"format": "e5m2", "overflow": "infinity"})"), 0, {}).item()));
  CHECK(std::isnan(quantized(far, quantizer(R"({"format": "e4m3", "overflow": "infinity"})"), 0, {}).item()));
  CHECK(quantized(far, quantizer(R"({"format": "f16", "overflow": "saturate"})"), 0, {}).item() == 65504);
}

TEST_CASE("LSQ, Esser et al. 2020, eq. 3: the three branches by hand") {
  const Quantizer q = quantizer(R"({"format": "int4", "scale": "learned"})");
  const Tensor one = Tensor::full({1}, 1);
  auto ds = [&](float x) { return backward(q, Tensor::of<float>({1}, {x}), Tensor::full({1}, 0.5), 0, one).ds.item(); };
  CHECK(ds(100) == 7);                           // Q_P
  CHECK(ds(-100) == -8);                         // -Q_N
  CHECK(ds(0.65f) == doctest::Approx(1 - 1.3));  // -v/s + round(v/s)
}

TEST_CASE("a measured scale lets the gradient through, the largest element too, but not below the end of an unsigned grid") {
  const Tensor x = Tensor::of<float>({4}, {-3, 0.1f, 2, 7.3f}), dy = Tensor::of<float>({4}, {1, 2, 3, 4});
  auto dx = [&](const char* json) {
    const Quantizer q = quantizer(json);
    const Fit f = fit_to(x, q, 0);
    Tape tape;
    const Var leaf = tape.leaf(x);
    return numbers_of(tape.backward(quantize(leaf, Var(f.scale), {&q, 0, f.zero_point}), dy).of(leaf));
  };
  CHECK(dx(R"({"format": "int4", "narrow": true})") == numbers_of(dy));
  CHECK(dx(R"({"format": "binary"})") == numbers_of(dy));
  CHECK(dx(R"({"format": "uint8", "zero_point": true})") == numbers_of(dy));
  CHECK(dx(R"({"format": "uint8"})") == std::vector<double>{0, 2, 3, 4});
  CHECK(dx(R"({"format": "uint8", "gradient": "ste"})") == numbers_of(dy));
  CHECK(dx(R"({"format": "int4", "scale": {"fixed": {"value": 0.5}}})") == std::vector<double>{1, 2, 3, 0});
}

TEST_CASE("zero point: codes are shifted, 0 stays 0, and the clip moves along") {
  const Quantizer q = quantizer(R"({"format": "uint8", "zero_point": true, "scale": "ema"})");
  const Tensor x = Tensor::of<float>({5}, {-1.1f, -1, 0, 1.5f, 2});
  Tape tape;
  const Var leaf = tape.leaf(x);
  const Var y = quantize(leaf, Var(Tensor::full({1}, 0.01)), {&q, 0, 100});  // covers -1 .. 1.55
  CHECK(y.value.codes()->codes.data<uint8_t>()[0] == 0);
  CHECK(y.value.codes()->codes.data<uint8_t>()[2] == 100);
  CHECK(y.value.codes()->codes.data<uint8_t>()[4] == 255);
  CHECK(difference(y.tensor(), Tensor::of<float>({5}, {-1, -1, 0, 1.5f, 1.55f})) < 1e-6);
  CHECK(numbers_of(tape.backward(y, Tensor::full({5}, 1)).of(leaf)) == std::vector<double>{0, 1, 1, 1, 0});
}

TEST_CASE("halves overflow to infinity, as loss scaling expects; others saturate") {
  const Tensor x = Tensor::of<float>({1}, {1e6f});
  CHECK(std::isinf(quantized(x, quantizer(R"({"format": "f16"})"), 0, {}).item()));
  CHECK(quantized(x, quantizer(R"({"format": "e4m3"})"), 0, {}).item() == 448);
  CHECK(quantized(x, quantizer(R"({"format": "q3.4"})"), 0, {}).item() == 127.0 / 16);
}

TEST_CASE("the identity is the same tensor") {
  const Tensor x = wide_numbers({5});
  CHECK(quantized(x, Quantizer{}, 0, {}).raw() == x.raw());
}

TEST_CASE("row by row or as a whole: the same bits, where is_by_rows() says so") {
  Tensor x = random_normal({12, 5, 7}, Key(3));
  for (int64_t i = 0; i < 35; ++i) x.data<float>()[static_cast<size_t>(70 + i)] = 0;  // a row that has no scale
  const char* const kQuantizers[] = {
      R"({"format": "f32"})",
      R"({"format": "bf16"})",
      R"({"format": "bf16", "rounding": "stochastic"})",
      R"({"format": "q1.6"})",
      R"({"format": "int8", "per": "channel", "rounding": "stochastic"})",
      R"({"format": "int4", "narrow": true, "per": "channel"})",
      R"({"format": "e4m3", "per": "sample", "scale": "absmax"})",
      R"({"format": "int6", "per": "block:4", "rounding": "stochastic"})",
      R"({"format": "mxfp8_e4m3"})",
      R"({"format": "int8"})",
      R"({"format": "binary", "per": "channel"})",
      R"({"format": "uint6", "per": "sample", "scale": {"absmax": {"mid_rise": true}}, "rounding": "stochastic"})",
      R"({"format": "nvfp4"})",
      R"({"format": "int8", "per": "group:2"})"};
  int by_rows = 0;
  for (const char* text : kQuantizers) {
    CAPTURE(text);
    const Quantizer q = quantizer(text);
    if (!is_by_rows(q)) continue;
    ++by_rows;
    const Tensor whole = quantized(x, q, 0, Key(5));
    for (const int64_t at_once : {1, 5, 12})
      for (int64_t begin = 0; begin < 12; begin += at_once) {
        const int64_t end = std::min<int64_t>(12, begin + at_once);
        const Tensor wanted = whole.rows(begin, end);
        Tensor rows = x.rows(begin, end).clone();
        CHECK(std::ranges::equal(quantized(rows, q, 0, Key(5), begin).data<float>(), wanted.data<float>()));
        quantize_in_place(rows, q, 0, Key(5), begin);
        CHECK(std::ranges::equal(rows.data<float>(), wanted.data<float>()));
      }
  }
  CHECK(by_rows >= 8);
}
