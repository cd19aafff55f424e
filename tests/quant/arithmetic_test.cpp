// Layers on quantized numbers: what the integer kernels give is the exact sum over codes, rescaled once, with every back end; and
// what is quantized on the way back is what the formula says.
#include <doctest/doctest.h>

#include "lptrain/grad/ops.h"
#include "lptrain/kernel/cpu.h"
#include "lptrain/quant/quantize.h"
#include "lptrain/tensor/math.h"
#include "lptrain/tensor/product.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

struct Pair {
  const char *x, *w;
};
const std::vector<Pair> kPairs{
    {R"({"format": "uint8"})", R"({"format": "int8", "narrow": true, "per": "channel"})"},
    {R"({"format": "uint8", "zero_point": true})", R"({"format": "int8", "per": "channel"})"},
    {R"({"format": "int8", "zero_point": true})", R"({"format": "int4"})"},
    {R"({"format": "int8"})", R"({"format": "ternary", "per": "channel"})"},
    {R"({"format": "binary"})", R"({"format": "binary", "per": "channel"})"},
    {R"({"format": "binary"})", R"({"format": "ternary"})"},
    {R"({"format": "uint2", "zero_point": true})", R"({"format": "binary", "per": "channel"})"},
    {R"({"format": "int2"})", R"({"format": "ternary", "per": "channel"})"},
    {R"({"format": "q3.4"})", R"({"format": "q1.6"})"},
    {R"({"format": "int16"})", R"({"format": "int12", "per": "channel"})"},
};

Value seen(const Tensor& x, const char* json, int axis) {
  const Quantizer q = quantizer(json);
  const Fit f = fit_to(x, q, axis);
  return quantize(Var(x), Var(f.scale), {&q, axis, f.zero_point}).value;
}

int64_t code(const Tensor& t, int64_t i) {
  const size_t k = static_cast<size_t>(i);
  switch (t.dtype()) {
    case DType::i8: return t.data<int8_t>()[k];
    case DType::u8: return t.data<uint8_t>()[k];
    default: return t.data<int16_t>()[k];
  }
}

float step(const Codes& c, int64_t channel) {
  return std::ldexp(c.scale_of(channel), c.format.is_integer_grid() ? -c.format.fraction_bits : 0);
}

// y[n,i,j,o] by four loops over codes; out of the image, the code is the zero point: real zero.
Tensor exact_conv(const Value& x, const Value& w, const ConvShape& s, const Tensor& bias) {
  const Codes &cx = *x.codes(), &cw = *w.codes();
  return tensor_of({s.N, s.OH(), s.OW(), s.O}, DType::f32, [&](uint64_t index) {
    const int64_t at = static_cast<int64_t>(index), o = at % s.O, j = at / s.O % s.OW(), i = at / s.O / s.OW() % s.OH(),
                  n = at / s.O / s.OW() / s.OH();
    int64_t sum = 0;
    for (int64_t u = 0; u < s.KH; ++u)
      for (int64_t v = 0; v < s.KW; ++v)
        for (int64_t c = 0; c < s.C; ++c) {
          const int64_t h = i * s.stride_h + u - s.pad_h, k = j * s.stride_w + v - s.pad_w;
          if (h < 0 || k < 0 || h >= s.H || k >= s.W) continue;
          sum += (code(cx.codes, ((n * s.H + h) * s.W + k) * s.C + c) - cx.zero_point) *
                 code(cw.codes, ((o * s.KH + u) * s.KW + v) * s.C + c);
        }
    return static_cast<double>(static_cast<float>(sum) * (step(cx, 0) * step(cw, o)) +
                               bias.data<float>()[static_cast<size_t>(o)]);
  });
}

struct Caps {
  explicit Caps(Backend cap) { set_backend_cap(cap); }
  ~Caps() { set_backend_cap(Backend::onednn); }
};
constexpr Backend kBackends[] = {Backend::reference, Backend::native, Backend::openblas, Backend::onednn};

}  // namespace

TEST_CASE("conv2d and linear on codes: exact integers, rescaled once, the same bits with every back end") {
  const ConvShape s{2, 7, 6, 20, 9, 3, 3, 2, 1, 1, 1};  // channels enough for codes with few levels to be counted
  const ConvShape full{4, 1, 1, 210, 13, 1, 1};
  const Tensor x = random_normal({2, 7, 6, 20}, Key(1)), w = random_normal({9, 3, 3, 20}, Key(2)),
               b = random_normal({13}, Key(3));
  const Tensor flat = random_normal({4, 210}, Key(4)), v = random_normal({13, 210}, Key(5)), b9 = b.rows(0, 9);
  for (const Pair& pair : kPairs) {
    CAPTURE(pair.x);
    const Value qx = seen(x, pair.x, -1), qw = seen(w, pair.w, 0), qf = seen(flat, pair.x, -1), qv = seen(v, pair.w, 0);
    const Tensor conv = exact_conv(qx, qw, s, b9), fc = exact_conv(qf, qv, full, b).reshape({4, 13});
    for (Backend backend : kBackends) {
      CAPTURE(name_of(backend));
      const Caps caps(backend);
      CHECK(arithmetic_of(qx, -1, qw, 0).why != "an operand has no codes");
      CHECK(numbers_of(conv2d(Var(qx), Var(qw), Var(b9), {2, 1, 1, 1}).tensor()) == numbers_of(conv));
      CHECK(numbers_of(linear(Var(qf), Var(qv), Var(b)).tensor()) == numbers_of(fc));
    }
    const Var reals = conv2d(Var(qx.reals()), Var(qw.reals()), Var(b9), {2, 1, 1, 1});
    CHECK(difference(reals.tensor(), conv) < 1e-5);  // the numbers mean what they decode to
  }
}

TEST_CASE("quantized errors: dx, dw and db are those of dy rounded at the accumulator") {
  constexpr int64_t kRows = 6, kIn = 10, kOut = 4;
  const Tensor x = random_normal({kRows, kIn}, Key(1)), dy = random_normal({kRows, kOut}, Key(4));
  const Tensor w = tensor_of({kOut, kIn}, DType::f32, [](uint64_t i) {
    return Key(2).normal(i) * (i / 10 == 1 ? 0.1 : 1) * (i / 10 != 3);
  });  // channel 3: zeros
  const Quantizer q = quantizer(R"({"format": "int8", "narrow": true})");
  for (const char* weights : {R"({"format": "int8", "narrow": true, "per": "channel"})", R"({"format": "int8"})"}) {
    const Value qx = seen(x, R"({"format": "int8"})", -1), qw = seen(w, weights, 0);
    Tape tape;
    const Var vx = tape.leaf(qx), vw = tape.leaf(qw), vb = tape.leaf(Tensor::zeros({kOut}));
    const Var y =
        linear(vx, vw, vb, [&](const Value& e) { return Value(seen(e.tensor(), R"({"format": "int8", "narrow": true})", -1)); });
    const Gradients g = tape.backward(y, dy);
    // r_o = s_o / max s; t = max |dy r| / 127; e = round(dy r / t); the error seen is e t / r.
    const Codes& c = *qw.codes();
    double greatest = 0, t = 0;
    for (int64_t o = 0; o < kOut; ++o) greatest = std::max(greatest, static_cast<double>(c.scale_of(o)));
    auto r = [&](size_t o) { return static_cast<double>(c.scale_of(static_cast<int64_t>(o))) / greatest; };
    const std::vector<double> d = numbers_of(dy), rx = numbers_of(qx.tensor()), rw = numbers_of(qw.tensor());
    for (size_t i = 0; i < d.size(); ++i) t = std::max(t, std::abs(d[i]) * r(i % kOut) / 127);
    auto e = [&](size_t n, size_t o) { return std::nearbyint(d[n * kOut + o] * r(o) / t) * t / r(o); };
    const Tensor dx = tensor_of({kRows, kIn}, DType::f32, [&](uint64_t i) {
      double sum = 0;
      for (size_t o = 0; o < kOut; ++o) sum += e(i / kIn, o) * rw[o * kIn + i % kIn];
      return sum;
    });
    const Tensor dw = tensor_of({kOut, kIn}, DType::f32, [&](uint64_t i) {
      double sum = 0;
      for (size_t n = 0; n < kRows; ++n) sum += e(n, i / kIn) * rx[n * kIn + i % kIn];
      return sum;
    });
    const Tensor db = tensor_of({kOut}, DType::f32, [&](uint64_t o) {
      double sum = 0;
      for (size_t n = 0; n < kRows; ++n) sum += e(n, o);
      return sum;
    });
    CHECK(difference(g.of(vx), dx) < 1e-6);
    CHECK(difference(g.of(vw), dw) < 1e-6);
    CHECK(difference(g.of(vb), db) < 1e-6);
    CHECK(difference(g.of(vw), dw) < 1e-6);
  }
}

TEST_CASE("a channel far smaller than the others: dx stays right, and the channel still learns") {
  const Tensor x = random_normal({6, 10}, Key(1));
  Tensor dy = random_normal({6, 2}, Key(4));
  dy.data<float>()[1] = 0;  // the first example's gradient comes from the small channel alone
  const Tensor w = tensor_of({2, 10}, DType::f32, [](uint64_t i) { return Key(2).normal(i) * (i < 10 ? 1e-6 : 1); });
  const Value qw = seen(w, R"({"format": "int8", "per": "channel"})", 0);
  Tape tape;
  const Var vx = tape.leaf(x), vw = tape.leaf(qw);
  const Var y = linear(vx, vw, Var(), [](const Value& e) { return Value(seen(e.tensor(), R"({"format": "int16"})", -1)); });
  const Gradients g = tape.backward(y, dy);
  const Tensor only_small =
      tensor_of({6, 2}, DType::f32, [&](uint64_t i) { return i % 2 ? 0.0 : static_cast<double>(dy.data<float>()[i]); });
  const Tensor dx = matmul(Value(dy), false, Value(qw.tensor()), false);
  CHECK(difference(g.of(vx), dx) < 1e-2);
  CHECK(largest_magnitude(g.of(vx).rows(0, 1)) < 1e-5);
  const Tensor dw = matmul(Value(only_small), true, Value(x), false);
  CHECK(difference(g.of(vw).rows(0, 1), dw.rows(0, 1)) < 1e-2);
}

TEST_CASE("sums that stay codes stand for the reals that matmul makes of them, as a whole and row by row") {
  const Tensor x = random_normal({6, 9}, Key(1)), dy = random_normal({6, 5}, Key(2));
  for (const bool has_channels : {false, true}) {
    const Value e = seen(dy, has_channels ? R"({"format": "int8", "per": "channel"})" : R"({"format": "int8"})", 1),
                v = seen(x, R"({"format": "int8"})", 1);
    const Tensor wanted = matmul(e, true, v, false);
    const Value sums = matmul_sums(e, true, v, false);
    REQUIRE(sums.codes());
    CHECK(sums.codes()->codes.dtype() == DType::i32);
    for (int64_t r = 0; r < 5; ++r)
      CHECK(std::ranges::equal(sums.rows(r, r + 1).tensor().data<float>(), wanted.rows(r, r + 1).data<float>()));
    CHECK(std::ranges::equal(sums.tensor().data<float>(), wanted.data<float>()));
    CHECK(std::ranges::equal(sums.rows(1, 3).tensor().data<float>(), wanted.rows(1, 3).data<float>()));
    CHECK_FALSE(matmul_sums(Value(dy), true, Value(x), false).codes());
    CHECK(bool(matmul_sums(v, true, e, false).codes()) == !has_channels);  // its scale varies along columns
  }
}
