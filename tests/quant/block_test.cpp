// A block of a convolution or a normalization and its neighbours gives the bits that the ops one after the other give, forward
// and backward.
#include "lptrain/tensor/block.h"

#include <doctest/doctest.h>

#include "lptrain/base/document.h"
#include "lptrain/grad/ops.h"
#include "lptrain/quant/quantize.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}
bool same_bits(const Value& a, const Value& b) {
  const Codes *x = a.codes(), *y = b.codes();
  if (!x != !y) return false;
  return x ? same_bits(x->codes, y->codes) && same_bits(x->scale, y->scale) : same_bits(a.tensor(), b.tensor());
}

Quantizer quantizer_of(const std::string& json) {
  Quantizer q;
  read(Document::parse(json.starts_with("{") ? json : "{\"format\": " + json + "}", "test"), q);
  return q;
}

Value look(const Tensor& x, const Quantizer& q, float scale, int axis, Key noise = {}) {
  if (q.is_identity()) return Value(x);
  const QuantizeHow how{&q, axis, 0, noise};
  const Tensor s = q.per == Per::channel ? fit_to(x, q, axis).scale : Tensor::full(Shape{1}, static_cast<double>(scale));
  return quantize(Var(x), Var(s), how).value;
}

struct Case {
  std::string name, weights, activations, errors;
};
const Case kCases[] = {
    {"f32", "\"f32\"", "\"f32\"", "\"f32\""},
    {"bf16", "\"bf16\"", "\"bf16\"", "\"bf16\""},
    {"f16", "\"f16\"", "\"f16\"", "\"f16\""},
    {"int8, reals back", R"({"format": "int8", "narrow": true, "per": "channel"})", R"({"format": "uint8", "scale": "ema"})",
     "\"f32\""},
    {"int8, bf16 back", R"({"format": "int8", "narrow": true, "per": "channel"})", R"({"format": "uint8", "scale": "ema"})",
     "\"bf16\""},
    {"int8 everywhere", R"({"format": "int8", "narrow": true, "per": "channel"})", R"({"format": "uint8", "scale": "ema"})",
     R"({"format": "int8", "narrow": true, "scale": "absmax", "rounding": "stochastic"})"},
    {"fixed point", "\"q1.14\"", "\"q7.8\"", R"({"format": "int16", "scale": "absmax"})"},
};

struct Geometry {
  ConvShape shape;
  std::optional<Pool2d> pool;
  bool relu;
};
const Geometry kGeometries[] = {
    {{.N = 6, .H = 8, .W = 10, .C = 3, .O = 20, .KH = 3, .KW = 3, .pad_h = 1, .pad_w = 1}, Pool2d{}, true},
    {{.N = 5, .H = 9, .W = 7, .C = 4, .O = 7, .KH = 3, .KW = 3, .pad_h = 1, .pad_w = 1}, {}, true},
    {{.N = 4, .H = 12, .W = 12, .C = 2, .O = 5, .KH = 5, .KW = 5}, Pool2d{3, 2, 3, 2, 1, 0}, false},
    {{.N = 3, .H = 6, .W = 6, .C = 8, .O = 8, .KH = 3, .KW = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}, {}, false},
    {{.N = 2, .H = 40, .W = 40, .C = 1, .O = 48, .KH = 3, .KW = 3, .pad_h = 1, .pad_w = 1}, Pool2d{}, true},
};

// The network y = look(pool(relu(conv(x, w, b)))), its gradients for dy, both ways.
struct Outcome {
  Value y;
  Tensor dx, dw, db;
};

struct Setup {
  Value x, w;
  Tensor b, dy;
  Quantizer next, error;
  float next_scale, error_scale;
  Key noise{77};
};

Prepare error_of(const Setup& s) {
  if (s.error.is_identity()) return {};
  return [&s](const Value& e) {
    const Fit f = fit_to(e.tensor(), s.error, -1);
    return look(e.tensor(), s.error, f.scale.data<float>()[0], -1, s.noise);
  };
}

Outcome finish(Tape& tape, const Var& y, const Var& x, const Var& w, const Var& b, const Tensor& dy) {
  const Value value = y.value;
  const Gradients g = tape.backward(y, dy);
  return {value, g.of(x), g.of(w), g.of(b)};
}

Outcome one_by_one(const Setup& s, const Conv2d& how, const Geometry& g) {
  Tape tape;
  const Var x = tape.leaf(s.x), w = tape.leaf(s.w), b = tape.leaf(s.b);
  Var y = conv2d(x, w, b, how, error_of(s));
  if (g.relu) y = relu(y);
  if (g.pool) y = max_pool2d(y, *g.pool);
  if (!s.next.is_identity())
    y = quantize(y, Var(Tensor::full(Shape{1}, static_cast<double>(s.next_scale))), QuantizeHow{&s.next, -1});
  return finish(tape, y, x, w, b, s.dy);
}

Outcome at_once(const Setup& s, const Conv2d& how, const Geometry& g, bool is_foreseen) {
  Tape tape;
  const Var x = tape.leaf(s.x), w = tape.leaf(s.w), b = tape.leaf(s.b);
  BlockNeighbours neighbours{g.relu, g.pool, {}, true};
  if (!s.next.is_identity())
    neighbours.encoding = encoding_of(Tensor::full(Shape{1}, static_cast<double>(s.next_scale)), QuantizeHow{&s.next, -1});
  ErrorQuantizer error{error_of(s), {}};
  if (is_foreseen)
    error.foresee = [&](const std::function<Tensor()>& extremes) {
      const Fit f = fit_to(extremes(), s.error, -1);
      return encoding_of(f.scale, QuantizeHow{&s.error, -1, 0, s.noise});
    };
  const ConvBlock block = conv2d_block(x, w, b, how, neighbours, error);
  REQUIRE(block.extremes.size() == 2);
  return finish(tape, block.y, x, w, b, s.dy);
}

Setup setup_of(const Case& c, const ConvShape& s, const Shape& y) {
  const Quantizer activations = quantizer_of(c.activations);
  Setup setup{look(random_uniform({s.N, s.H, s.W, s.C}, Key(1), 0, 1), activations, 1.f / 255, -1),
              look(random_normal({s.O, s.KH, s.KW, s.C}, Key(2)), quantizer_of(c.weights), 1, 0),
              random_normal({s.O}, Key(3)),
              random_normal(y, Key(4)),
              activations,
              quantizer_of(c.errors),
              0.02f,
              1};
  if (setup.next.format.is_float() || setup.next.format.fraction_bits > 0) setup.next_scale = 1;
  return setup;
}

}  // namespace

TEST_CASE("a block equals its ops one by one, bit for bit") {
  for (const Geometry& g : kGeometries)
    for (const Case& c : kCases) {
      CAPTURE(c.name);
      CAPTURE(g.shape.O);
      const ConvShape& s = g.shape;
      const Conv2d how{s.stride_h, s.stride_w, s.pad_h, s.pad_w};
      const Pool2d p = g.pool.value_or(Pool2d{1, 1, 1, 1, 0, 0});
      const PoolShape pool{s.N, s.OH(), s.OW(), s.O, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w, p.pad_h, p.pad_w};
      const Setup setup = setup_of(c, s, {s.N, pool.OH(), pool.OW(), s.O});
      const Outcome wanted = one_by_one(setup, how, g);
      for (const bool is_foreseen : {false, true}) {
        if (is_foreseen && setup.error.is_identity()) continue;
        CAPTURE(is_foreseen);
        const Outcome found = at_once(setup, how, g, is_foreseen);
        CHECK(same_bits(found.y, wanted.y));
        CHECK(same_bits(found.db, wanted.db));
        // f32 convolutions may add in another order when they run on one thread, or on another number of images.
        const bool is_exact = found.y.codes() && found.y.codes()->codes.dtype() == DType::u8 && c.name != "int8, reals back";
        CHECK((is_exact ? same_bits(found.dx, wanted.dx) : difference(found.dx, wanted.dx) < 1e-5));
        CHECK((is_exact ? same_bits(found.dw, wanted.dw) : difference(found.dw, wanted.dw) < 1e-5));
      }
    }
}

TEST_CASE("a scale that is not a number lets no gradient pass") {
  const Geometry& g = kGeometries[0];
  Setup setup = setup_of(kCases[5], g.shape, {6, 4, 5, 20});
  setup.next_scale = NAN;
  const Outcome found = at_once(setup, {.pad_h = 1, .pad_w = 1}, g, true);
  CHECK(same_bits(found.dw, Tensor::zeros(found.dw.shape())));
}

TEST_CASE("a normalization with its neighbours equals its ops one by one, bit for bit") {
  const Shape shape{6, 9, 7, 20};
  const Tensor x = random_normal(shape, Key(1)), dy = random_normal(shape, Key(2));
  const Tensor gamma = random_normal({20}, Key(3)), beta = random_normal({20}, Key(4));
  const Tensor mean = random_normal({20}, Key(5)), variance = random_uniform({20}, Key(6), 0.5, 2);
  for (const char* json : {"\"f32\"", "\"bf16\"", R"({"format": "uint8", "scale": "ema"})"})
    for (const bool has_relu : {false, true})
      for (const bool is_measured : {false, true}) {
        CAPTURE(json);
        CAPTURE(has_relu);
        CAPTURE(is_measured);
        const Quantizer next = quantizer_of(json);
        const Tensor scale = Tensor::full(Shape{1}, next.format.is_float() ? 1 : 0.01);
        const auto run = [&](const BlockNeighbours& behind) {
          Tape tape;
          const Var a = tape.leaf(x), g = tape.leaf(gamma), b = tape.leaf(beta);
          Var y = is_measured ? batch_norm(a, g, b, 1e-5, behind).y : batch_norm_fixed(a, g, b, mean, variance, 1e-5, behind);
          if (!behind.relu && has_relu) y = relu(y);
          if (!behind.encoding && !next.is_identity()) y = quantize(y, Var(scale), QuantizeHow{&next, -1});
          return finish(tape, y, a, g, b, dy);
        };
        BlockNeighbours behind{has_relu, {}, {}, true};
        if (!next.is_identity()) behind.encoding = encoding_of(scale, QuantizeHow{&next, -1});
        const Outcome found = run(behind), wanted = run({});
        CHECK(same_bits(found.y, wanted.y));
        CHECK(difference(found.dx, wanted.dx) == 0);  // zeros may differ in sign
        CHECK(same_bits(found.dw, wanted.dw));
        CHECK(same_bits(found.db, wanted.db));
      }
}

TEST_CASE("a normalization tells the extremes behind its relu, and refuses a pool and f64") {
  const Var x(random_normal({4, 5, 5, 3}, Key(1))), one(Tensor::full(Shape{3}, 1)), zero(Tensor::zeros(Shape{3}));
  const BatchNorm n = batch_norm(x, one, zero, 1e-5, {true, {}, {}, true});
  const auto y = relu(batch_norm(x, one, zero, 1e-5).y).tensor().data<float>();
  REQUIRE(n.extremes.size() == 2);
  CHECK(n.extremes.data<float>()[0] == *std::ranges::min_element(y));
  CHECK(n.extremes.data<float>()[1] == *std::ranges::max_element(y));
  CHECK_THROWS_AS(batch_norm(x, one, zero, 1e-5, {false, Pool2d{}, {}, false}), Error);
  const auto wide = [](const Var& v) { return Var(convert(v.tensor(), DType::f64)); };
  CHECK_THROWS_AS(batch_norm(wide(x), wide(one), wide(zero), 1e-5, {true, {}, {}, false}), Error);
}

TEST_CASE("inference records nothing, and windows that overlap are refused") {
  const Var x(random_normal({2, 6, 6, 3}, Key(1))), w(random_normal({4, 3, 3, 3}, Key(2)));
  const ConvBlock block = conv2d_block(x, w, Var(), {.pad_h = 1, .pad_w = 1}, {.relu = true, .pool = Pool2d{}, .encoding = {}});
  CHECK(block.y.is_constant());
  CHECK(same_bits(block.y.value, max_pool2d(relu(conv2d(x, w, Var(), {.pad_h = 1, .pad_w = 1})), Pool2d{}).value));
  CHECK_FALSE(fits_block({3, 3, 2, 2, 1, 1}));
  CHECK_FALSE(fits_block({16, 16, 16, 16, 0, 0}));
  CHECK_THROWS(conv2d_block(x, w, Var(), {}, {.pool = Pool2d{3, 3, 2, 2, 0, 0}, .encoding = {}}));
}
