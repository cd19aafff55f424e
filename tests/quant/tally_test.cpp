// Counting what quantizers do: by hand, at the edges of grids, and in parts.
#include "lptrain/quant/tally.h"

#include <doctest/doctest.h>

#include <cmath>

#include "json.h"
#include "lptrain/tensor/math.h"

using namespace lp;

namespace {

// Of numbers through a quantizer that measures its scale on them.
Tally of(std::string_view json, std::initializer_list<float> numbers, Shape shape = {}) {
  const Quantizer q = quantizer(json);
  const Tensor x = Tensor::of<float>(shape.rank() ? shape : Shape{std::ssize(numbers)}, numbers);
  return tally(x, quantized(x, q, 0, Key(1)), q, 0);
}

}  // namespace

TEST_CASE("a saturating integer grid: what is cut off, what becomes 0, what was 0") {
  const Tally t = of(R"({"format": "int8", "scale": "fixed"})", {0, 0.4f, -0.2f, 0.6f, 127.4f, 127.6f, -128.4f, -300, 5});
  CHECK(t.numbers == 9);
  CHECK(t.zeros == 1);
  CHECK(t.underflows == 2);
  CHECK(t.saturated == 2);  // 127.4 and -128.4 are rounded to the ends, not cut off
  CHECK(t.overflows == 0);
  CHECK(t.nans == 0);
  CHECK(t.share(&Tally::underflows) == doctest::Approx(2.0 / 8));
  CHECK(t.share(&Tally::saturated) == doctest::Approx(2.0 / 9));
  const double noise = 0.16 + 0.04 + 0.16 + 0.16 + 0.36 + 0.16 + 172 * 172;
  CHECK(t.noise == doctest::Approx(noise).epsilon(1e-4));
  CHECK(t.sqnr_db() == doctest::Approx(10 * std::log10(t.signal / t.noise)));
}

TEST_CASE("the largest of a tensor whose scale covers it is not beyond its grid") {
  for (const char* q :
       {R"({"format": "int8"})", R"({"format": "int4", "narrow": true})", R"({"format": "e4m3", "scale": "absmax"})",
        R"({"format": "uint8", "zero_point": true})", R"({"format": "int8", "per": "channel"})"}) {
    CAPTURE(q);
    const Tally t = of(q, {0.3f, -0.7f, 0.123f, 1.9f, 0.77f, -0.1f}, {2, 3});
    CHECK(t.saturated + t.overflows == 0);
    CHECK(t.noise > 0);
  }
}

TEST_CASE("floats: infinity counts as overflow, saturation as saturation, and both have their own threshold") {
  const Tally half = of(R"({"format": "f16"})", {65504, 65519, 65520, -1e9f, 1e-9f, 6e-8f});
  CHECK(half.overflows == 2);
  CHECK(half.saturated == 0);
  CHECK(half.underflows == 1);
  CHECK(std::isfinite(half.noise));
  const Tally byte = of(R"({"format": "e5m2", "scale": "fixed"})", {57344, 60000, 61441, 70000, 7.6e-6f, 7.7e-6f});
  CHECK(byte.saturated == 2);
  CHECK(byte.underflows == 1);  // half of 2^-16 goes to the even code, 0
}

TEST_CASE("wrapping counts as overflow, a grid without negative numbers cuts them off") {
  CHECK(of(R"({"format": "int8", "scale": "fixed", "overflow": "wrap"})", {127, 128, 300, -129}).overflows == 3);
  const Tally t = of(R"({"format": "uint8", "scale": "fixed"})", {-0.4f, -0.6f, -20, 20});
  CHECK(t.saturated == 2);
  CHECK(t.underflows == 1);
}

TEST_CASE("what is not finite is counted apart and spoils no sum") {
  const Tally t = of(R"({"format": "e4m3", "scale": "fixed"})", {NAN, INFINITY, -INFINITY, 1, 2});
  CHECK(t.nans == 3);
  CHECK(t.saturated + t.overflows + t.underflows == 0);
  CHECK(t.signal == 5);
  CHECK(t.noise == 0);
  CHECK(std::isinf(t.sqnr_db()));
  CHECK(Tally{}.sqnr_db() == 0);
}

TEST_CASE("blocks: each element is held against the scale of its own, also where the last block is short") {
  // Blocks of 4 in rows of 6; the scales are pow2 floor: 2^(2 - 2) for 7 (mxfp4 reaches to 6), so 7.9 is cut off.
  const Tally t = of(R"({"format": "e2m1", "scale": "pow2", "per": "block:4"})",
                     {1, 2, 4, 7.9f, 0.001f, 0.0001f, 0, 0, 0, 0, 100, 64}, {2, 6});
  CHECK(t.numbers == 12);
  CHECK(t.zeros == 4);
  CHECK(t.saturated == 1);  // 7.9; the grid of 100 reaches to 96, and 112 would be beyond it
}

TEST_CASE("parts add up, and threads do not matter") {
  const Quantizer q = quantizer(R"({"format": "int4"})");
  Tensor x(Shape{40000});
  const Key key(3);
  for (size_t i = 0; i < 40000; ++i) x.data<float>()[i] = key.normal(i);
  const Fit f = fit_to(x, q, 0);
  const QuantizeHow how{&q};
  const auto part = [&](int64_t begin, int64_t end) {
    const Tensor piece = x.rows(begin, end);
    return tally(piece, quantize(Var(piece), Var(f.scale), how).tensor(), f.scale, how);
  };
  Tally sum = part(0, 100);
  sum += part(100, 40000);
  const Tally all = part(0, 40000);
  CHECK(sum.numbers == all.numbers);
  CHECK(sum.underflows == all.underflows);
  CHECK(sum.noise == doctest::Approx(all.noise));
  const int threads = thread_count();
  set_thread_count(1);
  CHECK(part(0, 40000).noise == all.noise);
  set_thread_count(threads);
}
