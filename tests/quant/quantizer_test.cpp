// Quantizers as written: defaults, impossible combinations, equality.
#include "lptrain/quant/quantizer.h"

#include <doctest/doctest.h>

#include "quant/json.h"

using namespace lp;

TEST_CASE("the default scale follows the format") {
  auto kind = [](const char* format) { return quantizer(fmt::format(R"({{"format": "{}"}})", format)).rule().kind(); };
  CHECK(kind("int8") == Scale::Kind::measured);
  CHECK(kind("uint4") == Scale::Kind::measured);
  CHECK(kind("binary") == Scale::Kind::measured);
  for (const char* format : {"f16", "bf16", "e4m3", "q3.4", "pow2_4"}) CHECK_MESSAGE(kind(format) == Scale::Kind::fixed, format);
  CHECK(quantizer("{}").is_identity());
  CHECK_FALSE(quantizer(R"({"format": "bf16"})").is_identity());
}

TEST_CASE("narrow leaves out the lowest code") {
  CHECK(quantizer(R"({"format": "int8"})").ends().low == -128);
  CHECK(quantizer(R"({"format": "int8", "narrow": true})").ends().low == -127);
  CHECK(quantizer(R"({"format": "q3.4", "narrow": true})").ends().low == -127.0 / 16);
}

TEST_CASE("impossible combinations are refused with the reason") {
  const std::pair<const char*, const char*> kWrong[] = {
      {R"({"format": "uint8", "narrow": true})", "needs a signed integer"},
      {R"({"format": "bf16", "narrow": true})", "needs a signed integer"},
      {R"({"format": "int1", "narrow": true})", "needs a signed integer"},
      {R"({"format": "e4m3", "zero_point": true})", "needs an integer format"},
      {R"({"format": "q3.4", "zero_point": true})", "needs an integer format"},
      {R"({"format": "uint8", "zero_point": true, "per": "channel"})", "needs \"per\": \"tensor\""},
      {R"({"format": "uint8", "zero_point": true, "scale": "learned"})", "needs a measured scale"},
      {R"({"format": "uint8", "scale": "abs_max"})", "absmax"},
      {R"({"format": "uint8", "scale": {"ema": {"decay": 1.5}}})", "decay"},
      {R"({"format": "uint8", "rounding": "nearest"})", "nearest_even"},
      {R"({"format": "int99"})", "int99"},
      {R"({"format": "int0"})", "1 to 32 bits"},
      {R"({"format": "e12m60"})", "11 exponent bits"},
      {R"({"format": "q0.0"})", "no bits"},
      {R"({"format": "posit4_9"})", "4 exponent bits"},
      {R"({"format": "int8", "per": "block"})", "block:32"},
      {R"({"format": "int8", "per": "block:0"})", "from 1 up"},
      {R"({"format": "int8", "scale_format": "int8"})", "needs a float"},
      {R"({"format": "int8", "scale_format": "e8m0", "scale": "learned"})", "needs a measured scale"},
      {R"({"format": "int8", "decision": "learned"})", "measured or fixed"},
      {R"({"format": "uint8", "zero_point": true, "offset": "min"})", "choose one"},
      {R"({"format": "uint8", "zero_point": true, "overflow": "wrap"})", "exclude each other"},
      {R"({"format": "e4m3", "overflow": "wrap"})", "wrap is for int and q"},
      {R"({"format": "posit8_2", "overflow": "infinity"})", "knows no overflow"},
      {R"({"format": "int8", "scale": {"absmax": {"steps": "255"}}})", "2^n"},
  };
  for (const auto& [json, message] : kWrong) {
    const std::string error = error_of([&text = json] { quantizer(text); });
    CHECK_MESSAGE(holds(error, message), error);
  }
}

TEST_CASE("equality is equality as written") {
  constexpr const char* kText = R"({"format": "int8", "scale": {"ema": {"decay": 0.9}}, "per": "channel"})";
  CHECK(quantizer(kText) == quantizer(kText));
  CHECK_FALSE(quantizer(kText) == quantizer(R"({"format": "int8", "scale": {"ema": {"decay": 0.91}}, "per": "channel"})"));
  CHECK_FALSE(quantizer(kText) == quantizer(R"({"format": "int8", "scale": "absmax", "per": "channel"})"));
  const Quantizer copy = quantizer(kText);
  CHECK(Quantizer(copy) == copy);
}
