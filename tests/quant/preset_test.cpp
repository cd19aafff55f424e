// Block formats against the text of their specifications.
#include "lptrain/quant/preset.h"

#include <doctest/doctest.h>

#include "lptrain/quant/quantize.h"
#include "quant/json.h"
#include "support/random_tensor.h"

using namespace lp;

namespace {

// The elements of MX with their published tables: largest number, its exponent (emax), mantissa bits, exponent of the smallest
// normal number.   Source: OCP Microscaling Formats (MX) Specification 1.0, tables 1 to 5.
struct Element {
  const char* preset;
  double max;
  int emax, mantissa_bits, emin;
};
constexpr Element kElements[] = {{"mxfp8_e4m3", 448, 8, 3, -6}, {"mxfp8_e5m2", 57344, 15, 2, -14},
                                 {"mxfp6_e3m2", 28, 4, 2, -2},  {"mxfp6_e2m3", 7.5, 2, 3, 0},
                                 {"mxfp4", 6, 2, 1, 0},         {"mxint8", 1.984375, 0, 6, 0}};

// Section 6.3 for a block: X is the largest power of two not above max |x|, divided by the largest power of two of the element
// format; P_i = x_i / X in the element format, ties to even, saturated.
std::vector<double> mx_block(const Element& e, const std::vector<double>& x) {
  double most = 0;
  for (double v : x) most = std::max(most, std::abs(v));
  if (most == 0) return x;
  const double scale = std::exp2(std::floor(std::log2(most)) - e.emax);
  std::vector<double> y;
  for (double v : x) {
    const double p = std::abs(v) / scale;
    const double exponent = p == 0 ? e.emin : std::max<double>(e.emin, std::floor(std::log2(p)));
    const double step = std::exp2(exponent - e.mantissa_bits);
    y.push_back(std::copysign(std::min(e.max, std::nearbyint(p / step) * step) * scale, v));
  }
  return y;
}

std::vector<double> seen(const std::vector<double>& x, std::string_view json) {
  const Tensor t = tensor_of({static_cast<int64_t>(x.size())}, DType::f32, [&](uint64_t i) { return x[i]; });
  return numbers_of(quantized(t, quantizer(json), 0, {}));
}
std::vector<double> seen_as(const std::vector<double>& x, const char* preset) {
  return seen(x, fmt::format(R"({{"format": "{}"}})", preset));
}

std::vector<double> wide(uint64_t seed, size_t n) {
  std::vector<double> x;
  for (uint64_t i = 0; i < n; ++i)
    x.push_back(
        static_cast<double>(static_cast<float>(std::ldexp(Key(seed).normal(i), static_cast<int>(Key(seed).below(i, 12))))));
  return x;
}

}  // namespace

TEST_CASE("every MX format is the specification's, block by block") {
  for (const Element& e : kElements) {
    CAPTURE(e.preset);
    for (uint64_t seed = 0; seed < 200; ++seed) {
      std::vector<double> x = wide(seed, 64), wanted;
      const double size = std::ldexp(1.0, static_cast<int>(seed % 60) - 30);
      for (double& v : x) v *= size;
      for (size_t block = 0; block < 2; ++block)
        for (double v : mx_block(e, {x.begin() + 32 * static_cast<int>(block), x.begin() + 32 * static_cast<int>(block + 1)}))
          wanted.push_back(v);
      CHECK(seen_as(x, e.preset) == wanted);
    }
  }
}

TEST_CASE("what a preset stands for, and how it may measure and round") {
  const Quantizer q = quantizer(R"({"format": "mxfp4"})");
  CHECK(q.format.name() == "e2m1");
  CHECK(q.per == Per::block(32));
  CHECK(q.scale.name() == "pow2");
  CHECK(q.scale_format.name() == "e8m0");
  CHECK(quantizer(R"({"format": "mxfp4", "scale": {"pow2": {"rule": "even"}}})").scale_format.name() == "e8m0");
  CHECK(quantizer(R"({"format": "mxfp4", "rounding": "stochastic", "gradient": "ste"})").per == Per::block(32));
  CHECK(quantizer(R"({"format": "mxfp4", "per": "block:32", "scale": "pow2"})") == q);  // as it is anyway
  for (const Preset& preset : presets()) {
    const Quantizer p = quantizer(fmt::format(R"({{"format": "{}"}})", preset.name));
    CHECK(quantizer(write(p).dump()) == p);  // written out, it reads the same
  }
  CHECK(holds(error_of([] { FormatWord::parse("mxfp5"); }), "did you mean \"mxfp4\""));
  CHECK(holds(error_of([] { FormatWord::parse("mxint0"); }), "mxint8"));
}

TEST_CASE("what is no longer what the preset's name says is refused, with its place and what to write instead") {
  constexpr std::pair<const char*, const char*> kCases[] = {{R"("scale": "absmax")", "\"scale\""},
                                                            {R"("per": "tensor")", "\"per\""},
                                                            {R"("per": "block:8")", "\"per\""},
                                                            {R"("scale_format": "e4m3")", "\"scale_format\""},
                                                            {R"("offset": "mean")", "\"offset\""},
                                                            {R"("decision": "fixed")", "\"decision\""},
                                                            {R"("scale": "mse", "per": "channel")", "\"scale\", \"per\""}};
  for (const auto& each : kCases) {
    const std::string said = error_of([&] { quantizer(fmt::format(R"({{"format": "mxfp4", {}}})", each.first)); });
    CAPTURE(said);
    CHECK(holds(said, fmt::format("mxfp4 leaves no choice of {}; write out what you mean, beginning from", each.second)));
    CHECK(holds(said, "test.json:1:"));
    CHECK(holds(said, R"({"format": "e2m1", "per": "block:32", "scale": "pow2", "scale_format": "e8m0"})"));
  }
  CHECK(holds(error_of([] { quantizer(R"({"format": "bfp8", "narrow": false})"); }), "bfp8 leaves no choice of \"narrow\""));
  CHECK(quantizer(R"({"format": "e2m1", "per": "block:8", "scale": "pow2", "scale_format": "e8m0"})").per == Per::block(8));
}

TEST_CASE("a preset under a layer's name means weights and activations") {
  const Precision p = from_json<Precision>(R"({"weights": "int8", "overrides": {"fc*": "mxfp8_e4m3"}})");
  CHECK(p.of(Role::weights, "fc1").per == Per::block(32));
  CHECK(p.of(Role::activations, "fc1").scale_format.name() == "e8m0");
  CHECK(p.of(Role::weights, "conv1").format.name() == "int8");
}

TEST_CASE("the scale rules of a block, by hand: largest number 7.9 on the grid of e2m1, which ends at 6") {
  const auto top = [](const char* rule, double most) {
    return seen({most, 1}, fmt::format(R"({{"format": "mxfp4", "scale": {{"pow2": {{"rule": "{}"}}}}}})", rule))[0];
  };
  CHECK(top("floor", 7.9) == 6);                     // 2^(2 - 2): saturates
  CHECK(top("ceil", 7.9) == 8);                      // 2^(3 - 2): 3.95 rounds to 4
  CHECK(top("even", 7.9) == 8);                      // 7.9 rounds to 8 = 2^3 with one mantissa bit
  CHECK(top("even", 6.9) == 6);                      // 6.9 rounds to 6: its exponent stays
  CHECK(top("reach", 7.9) == 8);                     // 7.9 / 6 needs a scale of 2
  CHECK(top("reach", 5.9) == 6);                     // 5.9 / 6 does not
  CHECK(top("ceil", 5.9) == 6);                      // ... with ceil it gets 2 all the same: 2.95 rounds to 3
  CHECK(seen_as({127.99}, "mxfp8_e5m2")[0] == 112);  // 57344 * 2^-9: saturates, as is known of the rule floor
}

TEST_CASE("blocks with nothing, or with what is not a number, in them") {
  std::vector<double> x(64, 0.0);
  CHECK(seen_as(x, "mxfp8_e4m3") == x);
  x[40] = 3;
  CHECK(seen_as(x, "mxfp8_e4m3") == x);
  x[3] = std::nan("");
  const std::vector<double> y = seen_as(x, "mxfp8_e4m3");
  CHECK(std::isnan(y[0]));  // its block is lost, as the specification has it
  CHECK(y[40] == 3);
}

TEST_CASE("NVFP4: block scales are e4m3 numbers times one f32, with which the largest is 448") {
  const std::vector<double> x = wide(9, 64);
  double most = 0;
  std::vector<double> tops(4);
  for (size_t i = 0; i < 64; ++i) tops[i / 16] = std::max(tops[i / 16], std::abs(x[i]));
  for (double t : tops) most = std::max(most, t);
  const Format e4m3 = Format::parse("e4m3"), e2m1 = Format::parse("e2m1");
  const double unit = most / 6 / 448;
  const std::vector<double> y = seen_as(x, "nvfp4");
  for (size_t i = 0; i < 64; ++i) {
    const double s = round_value(e4m3, tops[i / 16] / 6 / unit, Rounding::nearest_even) * unit;
    CHECK(y[i] == doctest::Approx(s * round_value(e2m1, x[i] / s, Rounding::nearest_even)).epsilon(1e-5));
  }
}

TEST_CASE("block floating point: any block, any mantissa") {
  // Two blocks of 4 with 3-bit mantissas (q1.1 without -2): largest 5 and 0.3, so units 4 and 0.25.
  const std::vector<double> y =
      seen({5, 1, -3, 0.9, 0.3, 0.1, -0.05, 0}, R"({"format": "q1.1", "narrow": true, "per": "block:4", "scale": "pow2"})");
  CHECK(y == std::vector<double>{4, 0, -4, 0, 0.25, 0.125, 0, 0});
}
